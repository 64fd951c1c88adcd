//! Says of one interface which conditions hold. It takes samples and has neither clock nor system of its own.

mod evidence;

use std::collections::BTreeMap;

use sensor_facts::{
    mirror::{Condition, Standing, Survey},
    time::Time,
};
use serde::{Deserialize, Serialize};

use super::{
    networks::Networks,
    pauses::Pauses,
    series::{Counted, Level, Rate, SECOND, Series},
};
use crate::config::Mirror;

/// What was seen of an interface at a moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    /// The engine's clock, nanoseconds.
    pub(super) now: u64,
    /// The same on the wall clock.
    pub(super) time: Time,
    /// The interface is there.
    pub(super) present: bool,
    /// It has a link.
    pub(super) link: bool,
    /// What it has counted; `active` is not read.
    pub(super) counted: Counted,
}

/// A condition that holds, or that does not hold for certain any more.
#[derive(Clone, Debug)]
struct Held {
    standing: Standing,
    from: u64,
    told: bool,
    calm: Option<(u64, Time)>,
}

/// What is kept of an interface over a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct Kept {
    /// Packets that it had counted.
    packets: u64,
    last_packet: Option<Time>,
    warm: bool,
    /// The longest pause, nanoseconds.
    pause: u64,
    standing: Vec<Standing>,
    /// What there was before a drop.
    before: Option<Level>,
    vanished: Vec<(sensor_facts::mirror::Range, Time)>,
}

/// The judge of one interface.
#[derive(Clone, Debug, Default)]
pub(super) struct Judge {
    series: Series,
    sample: Option<Sample>,
    survey: Survey,
    active: u64,
    /// The last packet, or the begin; engine's clock and wall clock.
    last: (u64, Time),
    /// When the first sample was taken, engine's clock.
    first: u64,
    /// A packet has come, in this run or before it.
    known: bool,
    /// It was watched for long enough to say how quiet it is at times, in this run or before it.
    warm: bool,
    pauses: Pauses,
    networks: Networks,
    /// The quietest there was before: what a drop is measured by, and when that was looked at.
    before: Option<Level>,
    looked: u64,
    held: BTreeMap<Condition, Held>,
    begun: BTreeMap<Condition, u64>,
    kept: Option<Kept>,
}

impl Judge {
    /// Takes what was kept of the run before.
    pub(super) fn remember(kept: Kept) -> Self {
        let mut this = Self::default();
        this.networks.restore(&kept.vanished);
        this.before = kept.before;
        for standing in &kept.standing {
            let held = Held {
                standing: standing.clone(),
                from: 0,
                told: true,
                calm: None,
            };
            this.held.insert(standing.condition, held);
        }
        this.kept = Some(kept);
        this
    }

    /// What is to be kept over a restart.
    pub(super) fn keep(&self) -> Kept {
        Kept {
            packets: self.sample.map_or(0, |sample| sample.counted.packets),
            last_packet: self.last_packet(),
            warm: self.warm,
            pause: self.pauses.longest(),
            standing: self.standing().cloned().collect(),
            before: self.before,
            vanished: self.networks.kept(),
        }
    }

    /// Takes what a pass over the flow tables found.
    pub(super) fn survey(&mut self, now: u64, mut survey: Survey) {
        self.networks.take(now, &mut survey);
        self.survey = survey;
    }

    /// Takes a sample, one a second; which conditions began, and which ended and when.
    pub(super) fn take(
        &mut self,
        sample: Sample,
        limits: &Mirror,
    ) -> Vec<(Standing, Option<Time>)> {
        self.note(sample);
        let mut changes = Vec::new();
        for condition in Condition::ALL {
            self.update(*condition, sample, limits, &mut changes);
        }
        changes
    }

    /// Conditions that hold, those that were told.
    pub(super) fn standing(&self) -> impl Iterator<Item = &Standing> {
        let told = self.held.values().filter(|held| held.told);
        told.map(|held| &held.standing)
    }

    /// How often each condition began.
    pub(super) fn begun(&self) -> &BTreeMap<Condition, u64> {
        &self.begun
    }

    /// Mean rates.
    pub(super) fn rates(&self) -> Vec<Rate> {
        self.series.rates()
    }

    /// When the last packet came; none if none ever did.
    pub(super) fn last_packet(&self) -> Option<Time> {
        self.known.then_some(self.last.1)
    }

    /// The interface has a link.
    pub(super) fn link(&self) -> bool {
        self.sample
            .is_some_and(|sample| sample.present && sample.link)
    }

    fn note(&mut self, sample: Sample) {
        let (now, packets) = (sample.now, sample.counted.packets);
        match self.sample.replace(sample) {
            Some(before) if packets != before.counted.packets => {
                // A silence that has a cause, or that was told, is no rhythm.
                let caused = self.held.keys().any(|one| *one <= Condition::Silent);
                if !caused && self.known {
                    self.pauses.note(now, now.saturating_sub(self.last.0));
                }
                (self.last, self.known) = ((now, sample.time), true);
            }
            Some(_) => {}
            None => self.begin(sample),
        }
        self.active += self.survey.active;
        let counted = Counted {
            active: self.active,
            ..sample.counted
        };
        self.series.push(now, counted);
    }

    /// The first sample. What was counted since the run before came at a time that nobody knows.
    fn begin(&mut self, sample: Sample) {
        let packets = sample.counted.packets;
        self.first = sample.now;
        self.last = (sample.now, sample.time);
        self.known = packets > 0;
        let Some(kept) = self.kept.take() else { return };
        self.pauses.note(sample.now, kept.pause);
        self.warm = kept.warm;
        if let Some(last) = kept.last_packet
            && (packets == 0 || packets == kept.packets)
        {
            let ago = u64::try_from(sample.time.0 - last.0).unwrap_or(0);
            self.last = (sample.now.saturating_sub(ago), last);
            self.known = true;
        }
    }

    fn update(
        &mut self,
        condition: Condition,
        sample: Sample,
        limits: &Mirror,
        changes: &mut Vec<(Standing, Option<Time>)>,
    ) {
        let holds = self.holds(condition, sample, limits);
        let hidden = self.is_hidden(condition);
        match (holds, self.held.get_mut(&condition)) {
            (None, None) => {}
            (Some((since, detail)), None) => {
                let standing = Standing {
                    condition,
                    since,
                    detail,
                };
                let held = Held {
                    standing,
                    from: sample.now,
                    told: false,
                    calm: None,
                };
                self.held.insert(condition, held);
            }
            (Some((_, detail)), Some(held)) => {
                held.calm = None;
                held.standing.detail = detail;
            }
            (None, Some(held)) => {
                let (calm, until) = *held.calm.get_or_insert((sample.now, sample.time));
                if !held.told || sample.now - calm >= rest(condition) {
                    if held.told {
                        changes.push((held.standing.clone(), Some(until)));
                    }
                    self.held.remove(&condition);
                    if condition == Condition::Dropped {
                        (self.before, self.looked) = (None, sample.now);
                    }
                }
            }
        }
        if let Some(held) = self.held.get_mut(&condition)
            && !held.told
            && !hidden
            && sample.now - held.from >= hold(condition)
        {
            held.told = true;
            *self.begun.entry(condition).or_default() += 1;
            changes.push((held.standing.clone(), None));
        }
    }

    /// It follows from another condition, which says more.
    fn is_hidden(&self, condition: Condition) -> bool {
        let has = |cause| self.held.contains_key(&cause);
        match condition {
            Condition::Gone => false,
            Condition::LinkDown => has(Condition::Gone),
            Condition::Silent => has(Condition::Gone) || has(Condition::LinkDown),
            _ => has(Condition::Gone) || has(Condition::LinkDown) || has(Condition::Silent),
        }
    }
}

/// How long a condition must hold before it is told, nanoseconds.
const fn hold(condition: Condition) -> u64 {
    match condition {
        Condition::Gone | Condition::Silent | Condition::NetworkVanished => 0,
        Condition::LinkDown => 2 * SECOND,
        _ => 5 * SECOND,
    }
}

/// How long it must not have held before it has ended, nanoseconds.
const fn rest(condition: Condition) -> u64 {
    match condition {
        Condition::Gone => 0,
        _ => 10 * SECOND,
    }
}
