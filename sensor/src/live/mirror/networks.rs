//! The VLANs and subnets that an interface brings, and which of them vanished while others go on.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
};

use sensor_facts::{
    mirror::{Range, Survey},
    time::Time,
    words::several,
};

use super::{pauses::Pauses, series::SECOND};
use crate::config::Mirror;

/// Ranges that are remembered of an interface at most.
const RANGES: usize = 512;
/// So many addresses must have talked within [`TOGETHER`] before the silence. A ward that goes home falls silent one by one, a
/// mirror all at once.
const ADDRESSES: usize = 3;
/// Nanoseconds.
const TOGETHER: u64 = 60 * SECOND;
/// Addresses of a range that are remembered at most.
const TALKERS: usize = 16;
/// A range that was quiet for so long is forgotten.
const FORGET: u64 = 86_400 * SECOND;
/// A vanished range is missed for so long, then it counts as taken out of service.
const MISSED: i64 = 7 * 86_400_000_000_000;
/// Vanished ranges that are named.
const NAMED: usize = 5;

#[derive(Clone, Debug, Default)]
struct Known {
    first: u64,
    /// The last packet from there, engine's clock.
    last: u64,
    pauses: Pauses,
    /// Who talked last, and when.
    talkers: HashMap<IpAddr, u64>,
    vanished: Option<Time>,
}

impl Known {
    /// Keeps who talked in the time before the last packet, of many the last ones.
    fn merge(&mut self, talkers: HashMap<IpAddr, u64>) {
        self.talkers.extend(talkers);
        let from = self.last.saturating_sub(TOGETHER);
        self.talkers.retain(|_, last| *last >= from);
        while self.talkers.len() > TALKERS {
            let oldest = self.talkers.iter().min_by_key(|(_, last)| **last);
            let Some(oldest) = oldest.map(|(address, _)| *address) else {
                break;
            };
            self.talkers.remove(&oldest);
        }
    }
}

/// The ranges of an interface.
#[derive(Clone, Debug, Default)]
pub(super) struct Networks {
    known: BTreeMap<Range, Known>,
    /// The last pass had no room for all: who is missing in it may talk all the same.
    crowded: bool,
}

impl Networks {
    /// Takes those from which packets came lately.
    pub(super) fn take(&mut self, now: u64, survey: &mut Survey) {
        let ranges = std::mem::take(&mut survey.ranges);
        self.crowded = survey.crowded;
        for (range, talkers) in ranges {
            let Some(last) = talkers.values().max().copied() else {
                continue;
            };
            if !self.known.contains_key(&range) {
                self.make_room();
            }
            let known = self.known.entry(range).or_insert_with(|| Known {
                first: now,
                last,
                ..Known::default()
            });
            if last > known.last {
                // What was reported is no rhythm of theirs.
                if known.vanished.take().is_none() {
                    known.pauses.note(now, last - known.last);
                } else if known.last == 0 {
                    known.first = now;
                }
                known.last = last;
            }
            known.merge(talkers);
        }
    }

    /// The one that was quiet longest goes first, before any that is missed.
    fn make_room(&mut self) {
        if self.known.len() < RANGES {
            return;
        }
        let worth = |known: &Known| (known.vanished.is_some(), known.last);
        let oldest = self.known.iter().min_by_key(|(_, known)| worth(known));
        if let Some(oldest) = oldest.map(|(range, _)| *range) {
            self.known.remove(&oldest);
        }
    }

    /// Which vanished while others go on, and since when; `wall` tells the time of a moment of the engine's clock.
    pub(super) fn vanished(
        &mut self,
        now: u64,
        wall: impl Fn(u64) -> Time,
        limits: &Mirror,
    ) -> Option<(Time, String)> {
        let missed_from = Time(wall(now).0 - MISSED);
        self.known.retain(|_, known| match known.vanished {
            Some(since) => since >= missed_from,
            None => now.saturating_sub(known.last) < FORGET,
        });
        let latest = self.known.values().map(|known| known.last).max()?;
        for known in self.known.values_mut() {
            let quiet = now.saturating_sub(known.last);
            // Others went on for long after the last packet from there.
            if !self.crowded
                && known.vanished.is_none()
                && known.last.saturating_sub(known.first) >= limits.warm_up.as_nanos()
                && quiet > known.pauses.limit(limits.network_silence.as_nanos())
                && latest.saturating_sub(known.last) > quiet / 2
                && known.talkers.len() >= ADDRESSES
            {
                known.vanished = Some(wall(known.last));
            }
        }
        let gone = self
            .known
            .iter()
            .filter_map(|(range, known)| Some((range, known.vanished?)));
        let gone: Vec<_> = gone.collect();
        let since = gone.iter().map(|(_, since)| *since).min()?;
        let mut names: Vec<String> = gone
            .iter()
            .take(NAMED)
            .map(|(range, _)| range.to_string())
            .collect();
        if gone.len() > NAMED {
            names.push(format!("{} more", gone.len() - NAMED));
        }
        let others = (self.known.len() - gone.len()) as u64;
        let detail = format!(
            "nothing comes from {}, while {} can still be seen",
            names.join(", "),
            several(others, "other networks")
        );
        Some((since, detail))
    }

    /// Those that vanished, to be kept over a restart.
    pub(super) fn kept(&self) -> Vec<(Range, Time)> {
        let gone = self
            .known
            .iter()
            .filter_map(|(range, known)| Some((*range, known.vanished?)));
        gone.collect()
    }

    /// Takes those that had vanished before a restart.
    pub(super) fn restore(&mut self, kept: &[(Range, Time)]) {
        for (range, since) in kept.iter().take(RANGES) {
            let known = self.known.entry(*range).or_default();
            known.vanished = Some(*since);
        }
    }
}
