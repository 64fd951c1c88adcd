//! Distinct things that a suspect did in a time, bounded.

use std::{collections::HashMap, hash::Hash};

use foldhash::fast::RandomState;
use sensor_facts::{setting::Span, time::Time};

use super::fair::{FairTable, Who};

/// Suspects that are watched at once by each window.
const SUSPECTS: usize = 4_096;
/// Things that are kept of each.
const THINGS: usize = 1_024;

/// So many times the window is kept, for what comes late.
const LATE: i64 = 4;

/// How late, as a share of the window, a thing may come and still be spared the count.
const MARGIN: i64 = 4;

struct Suspect<T> {
    things: HashMap<T, Time, RandomState>,
    latest: Time,
    /// Windows that end not before this time hold at most so many things.
    most: (Time, usize),
    /// When what is too old was thrown away last.
    cleared: Time,
    /// When they were told last, and how many they were.
    told: Option<(Time, usize)>,
}

/// What each suspect did in the last `nanoseconds`.
pub(super) struct Window<T> {
    suspects: FairTable<Suspect<T>>,
    nanoseconds: i64,
    threshold: usize,
    /// How long that took which was told last, nanoseconds.
    took: i64,
}

impl<T: Hash + Ord + Clone> Window<T> {
    pub(super) fn new(within: Span, threshold: u32) -> Self {
        Self {
            suspects: FairTable::new(SUSPECTS),
            nanoseconds: i64::try_from(within.as_nanos()).unwrap_or(i64::MAX),
            threshold: usize::try_from(threshold)
                .unwrap_or(usize::MAX)
                .clamp(1, THINGS),
            took: 0,
        }
    }

    /// Adds something; all of the time, in their order, if they are as many as the threshold. Once in the time, and
    /// again each time that they have doubled.
    pub(super) fn add(&mut self, who: Who, thing: T, now: Time) -> Option<Vec<T>> {
        let suspect = self.suspects.get_or_insert_with(who, now, || Suspect {
            things: HashMap::default(),
            latest: Time(i64::MIN),
            most: (Time(i64::MIN), 0),
            cleared: now,
            told: None,
        });
        // Flows are told when they are over, so times can come out of order.
        let latest = suspect.latest.max(now);
        suspect.latest = latest;
        let oldest = latest
            .0
            .saturating_sub(self.nanoseconds.saturating_mul(LATE));
        // Looking at all of them each time would cost a scan's every packet a thousand looks.
        let full = suspect.things.len() >= THINGS;
        let pause = if full {
            self.nanoseconds / 16
        } else {
            self.nanoseconds
        };
        if latest.0.saturating_sub(suspect.cleared.0) >= pause {
            suspect.things.retain(|_, time| time.0 >= oldest);
            suspect.cleared = latest;
        }
        let begin = now.0.saturating_sub(self.nanoseconds);
        let end = now.0.saturating_add(self.nanoseconds);
        if suspect.things.len() < THINGS || suspect.things.contains_key(&thing) {
            suspect.things.insert(thing, now);
            suspect.most.1 += 1;
        }
        let told = suspect.told.filter(|(time, _)| time.0 >= begin);
        let threshold = told.map_or(self.threshold, |(_, count)| count * 2);
        let (from, most) = suspect.most;
        if suspect.things.len() < threshold || now >= from && most < threshold {
            return None;
        }
        let within = |time: &Time| (begin..=end).contains(&time.0);
        let margin = self.nanoseconds / MARGIN;
        let (mut count, mut most) = (0, 0);
        for time in suspect.things.values() {
            count += usize::from(within(time));
            most += usize::from(time.0 >= begin.saturating_sub(margin));
        }
        suspect.most = (Time(now.0.saturating_sub(margin)), most);
        if count < threshold {
            return None;
        }
        let (mut first, mut last) = (now, now);
        let mut things = Vec::with_capacity(count);
        for (thing, time) in &suspect.things {
            if within(time) {
                (first, last) = (first.min(*time), last.max(*time));
                things.push(thing.clone());
            }
        }
        self.took = last.0.saturating_sub(first.0);
        things.sort_unstable();
        suspect.told = Some((now, things.len()));
        Some(things)
    }

    /// Suspects that made room for others.
    pub(super) const fn evicted(&self) -> u64 {
        self.suspects.evicted()
    }

    /// The time that is looked at, seconds.
    pub(super) const fn seconds(&self) -> i64 {
        self.nanoseconds / 1_000_000_000
    }

    /// How long that took which was told last, in begun seconds: evidence names no time that was not watched.
    pub(super) fn took(&self) -> i64 {
        (self.took / 1_000_000_000 + 1).min(self.seconds().max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same by counting everything each time.
    fn counted(things: &HashMap<u32, i64>, now: i64, nanoseconds: i64) -> usize {
        let within = now - nanoseconds..=now + nanoseconds;
        things.values().filter(|time| within.contains(time)).count()
    }

    #[test]
    fn what_is_spared_the_count_is_below_the_threshold() {
        const LENGTH: i64 = 1_000;
        let mut random = 1_u64;
        let mut next = |below: u64| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (random >> 33) % below
        };
        let suspect = Who {
            address: [10, 0, 0, 1].into(),
            confirmed: false,
        };
        for _ in 0..100 {
            let mut window = Window::new(Span::from_nanos(LENGTH.unsigned_abs()), 20);
            let mut all: HashMap<u32, i64> = HashMap::new();
            let (mut clock, mut told) = (0, None::<(i64, usize)>);
            let pace = 20 + next(100);
            for _ in 0..500 {
                clock += i64::try_from(next(pace)).expect("small");
                // Some come late, some very late, and some again.
                let late = if next(4) == 0 { next(3_000) } else { next(100) };
                let now = clock - i64::try_from(late).expect("small");
                let thing = u32::try_from(next(400)).expect("small");
                all.insert(thing, now);
                let count = counted(&all, now, LENGTH);
                let before = told.filter(|(time, _)| *time >= now - LENGTH);
                let expected = count >= before.map_or(20, |(_, count)| count * 2);
                let things = window.add(suspect, thing, Time(now));
                assert_eq!(things.as_ref().map(Vec::len), expected.then_some(count));
                if expected {
                    told = Some((now, count));
                }
            }
        }
    }
}
