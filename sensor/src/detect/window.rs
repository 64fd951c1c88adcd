//! Distinct things that a suspect did in a time, bounded.

use std::{collections::HashMap, hash::Hash, net::IpAddr, num::NonZeroUsize};

use lru::LruCache;

use crate::event::Time;

/// Suspects that are watched at once; the one that was quiet longest goes first.
const SUSPECTS: NonZeroUsize = NonZeroUsize::new(4_096).expect("it is not zero");
/// Things that are kept of each.
const THINGS: usize = 1_024;

/// So many times the window is kept, for what comes late.
const LATE: i64 = 4;

struct Suspect<T> {
    things: HashMap<T, Time>,
    latest: Time,
    /// When what is too old was thrown away last.
    cleared: Time,
    /// When they were told last, and how many they were.
    told: Option<(Time, usize)>,
}

/// What each suspect did in the last `nanoseconds`.
pub(super) struct Window<T> {
    suspects: LruCache<IpAddr, Suspect<T>>,
    nanoseconds: i64,
    threshold: usize,
}

impl<T: Hash + Eq + Clone> Window<T> {
    pub(super) fn new(nanoseconds: u64, threshold: u32) -> Self {
        Self {
            suspects: LruCache::new(SUSPECTS),
            nanoseconds: i64::try_from(nanoseconds).unwrap_or(i64::MAX),
            threshold: usize::try_from(threshold)
                .unwrap_or(usize::MAX)
                .clamp(1, THINGS),
        }
    }

    /// Adds something; all of the time if they are as many as the threshold. Once in the time, and again
    /// each time that they have doubled.
    pub(super) fn add(&mut self, suspect: IpAddr, thing: T, now: Time) -> Option<Vec<T>> {
        let suspect = self.suspects.get_or_insert_mut(suspect, || Suspect {
            things: HashMap::new(),
            latest: Time(i64::MIN),
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
        }
        let told = suspect.told.filter(|(time, _)| time.0 >= begin);
        let threshold = told.map_or(self.threshold, |(_, count)| count * 2);
        if suspect.things.len() < threshold {
            return None;
        }
        let within = |time: &Time| (begin..=end).contains(&time.0);
        if suspect.things.values().filter(|time| within(time)).count() < threshold {
            return None;
        }
        let things: Vec<T> = suspect
            .things
            .iter()
            .filter(|(_, time)| within(time))
            .map(|(thing, _)| thing.clone())
            .collect();
        suspect.told = Some((now, things.len()));
        Some(things)
    }

    /// The time, seconds.
    pub(super) const fn seconds(&self) -> i64 {
        self.nanoseconds / 1_000_000_000
    }
}
