//! The evidence: whether a condition holds now, and what says so.

use sensor_facts::{
    mirror::Condition,
    time::Time,
    words::{count, span},
};

use super::{Judge, Sample};
use crate::{
    config::Mirror,
    live::mirror::series::{Counted, Level, SECOND},
};

/// The time over which a sudden drop is measured, nanoseconds.
const STRETCH: u64 = 20 * SECOND;
/// The same for shares of packets.
const SHARES: u64 = 60 * SECOND;
/// Below so many packets a share says nothing.
const ENOUGH_PACKETS: u64 = 1_000;
/// The same of conversations.
const ENOUGH_CONVERSATIONS: u64 = 20;
/// Below so little traffic nothing can drop suddenly.
const ENOUGH: Level = Level {
    packets: 10,
    active: 10,
};
/// A silence from the start on is told after this time, nanoseconds.
const FROM_START: u64 = 60 * SECOND;
/// What dropped so long ago is usual, nanoseconds.
const USUAL: i64 = 7 * 86_400_000_000_000;

impl Judge {
    /// Since when a condition holds, with the evidence in words.
    pub(super) fn holds(
        &mut self,
        condition: Condition,
        sample: Sample,
        limits: &Mirror,
    ) -> Option<(Time, String)> {
        let now = sample.time;
        let since_now = |detail: String| (now, detail);
        match condition {
            Condition::Gone => (!sample.present).then(|| {
                since_now(
                    "the interface was taken away, so nothing is seen until it is back".to_owned(),
                )
            }),
            Condition::LinkDown => (sample.present && !sample.link)
                .then(|| since_now("there is no link, so nothing is seen".to_owned())),
            Condition::Silent => self.silent(sample, limits),
            Condition::Dropped => self.dropped(sample, limits).map(since_now),
            Condition::OneDirection => {
                let (all, part) = (self.survey.conversations, self.survey.one_sided);
                let much =
                    all >= ENOUGH_CONVERSATIONS && exceeds(part, all, limits.one_direction_percent);
                much.then(|| since_now(format!(
                    "of {} TCP conversations of the last minute {} are seen in one direction only",
                    count(all),
                    count(part)
                )))
            }
            Condition::Duplicates => self
                .share(|counted| counted.duplicates, limits.duplicates_percent)
                .map(|share| since_now(format!("{share} are second copies of another"))),
            Condition::Truncated => self
                .share(|counted| counted.truncated, limits.truncated_percent)
                .map(|share| {
                    since_now(format!(
                        "{share} are cut before the end of what their IP header says"
                    ))
                }),
            Condition::NetworkVanished => {
                let at = |moment: u64| wall(sample, moment);
                self.networks.vanished(sample.now, at, limits)
            }
        }
    }

    /// Packets of the last minute of which `part` is more than so many per cent.
    fn share(&self, part: impl Fn(&Counted) -> u64, percent: u8) -> Option<String> {
        let (counted, _) = self.series.over(SHARES);
        let (part, all) = (part(&counted), counted.packets);
        let much = all >= ENOUGH_PACKETS && exceeds(part, all, percent);
        much.then(|| {
            format!(
                "{} % of the packets of the last minute ({} of {})",
                part * 100 / all,
                count(part),
                count(all)
            )
        })
    }

    fn silent(&mut self, sample: Sample, limits: &Mirror) -> Option<(Time, String)> {
        let quiet = sample.now.saturating_sub(self.last.0);
        let words = span(quiet / SECOND);
        if !self.known {
            let detail = format!("no packet has come in {words}, since Wardtap began to listen");
            return (quiet >= FROM_START).then_some((self.last.1, detail));
        }
        self.warm |= sample.now.saturating_sub(self.first) >= limits.warm_up.as_nanos();
        let silent = self.warm && quiet > self.pauses.limit(limits.silence.as_nanos());
        silent.then(|| (self.last.1, format!("no packet has come for {words}")))
    }

    fn dropped(&mut self, sample: Sample, limits: &Mirror) -> Option<String> {
        let level = self.series.level(STRETCH);
        let standing = self.held.get(&Condition::Dropped);
        let fresh = standing.is_none();
        let outdated = standing.is_some_and(|held| sample.time.0 - held.standing.since.0 > USUAL);
        if outdated {
            return None;
        }
        if fresh && sample.now.saturating_sub(self.looked) >= STRETCH {
            self.looked = sample.now;
            self.before = (self.series.age() >= limits.warm_up.as_nanos())
                .then(|| self.series.quietest(STRETCH))
                .flatten()
                .filter(|it| it.packets >= ENOUGH.packets && it.active >= ENOUGH.active);
        }
        let before = self.before?;
        // It must rise to twice that before it counts as back.
        let times = if fresh { 1 } else { 2 };
        let least =
            |usual: u64| usual * u64::from(100 - limits.drop_percent.min(100)) * times / 100;
        // A silence is another condition.
        let talks = !fresh || sample.now - self.last.0 < STRETCH / 4;
        let low = level.packets <= least(before.packets) && level.active <= least(before.active);
        (talks && low).then(|| {
            format!(
                "{} packets a second and {} active conversations, where the quietest {} of the hour before had {} and {}",
                count(level.packets),
                count(level.active),
                span(STRETCH / SECOND),
                count(before.packets),
                count(before.active)
            )
        })
    }
}

const fn exceeds(part: u64, all: u64, percent: u8) -> bool {
    part as u128 * 100 > all as u128 * percent as u128
}

/// A moment of the engine's clock on the wall clock.
fn wall(sample: Sample, moment: u64) -> Time {
    let ago = i64::try_from(sample.now.saturating_sub(moment)).unwrap_or(0);
    Time(sample.time.0 - ago)
}
