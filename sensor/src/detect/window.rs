//! Distinct things that a suspect did in a time, bounded.

use std::{collections::HashMap, hash::Hash, net::IpAddr, num::NonZeroUsize};

use lru::LruCache;

use crate::event::Time;

/// Suspects that are watched at once; the one that was quiet longest goes first.
const SUSPECTS: NonZeroUsize = NonZeroUsize::new(4_096).expect("it is not zero");
/// Things that are kept of each.
const THINGS: usize = 1_024;

struct Suspect<T> {
    things: HashMap<T, Time>,
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
            told: None,
        });
        let begin = now.0.saturating_sub(self.nanoseconds);
        suspect.things.retain(|_, time| time.0 >= begin);
        if suspect.things.len() < THINGS || suspect.things.contains_key(&thing) {
            suspect.things.insert(thing, now);
        }
        let told = suspect.told.filter(|(time, _)| time.0 >= begin);
        let threshold = told.map_or(self.threshold, |(_, count)| count * 2);
        if suspect.things.len() < threshold {
            return None;
        }
        suspect.told = Some((now, suspect.things.len()));
        Some(suspect.things.keys().cloned().collect())
    }

    /// The time, seconds.
    pub(super) const fn seconds(&self) -> i64 {
        self.nanoseconds / 1_000_000_000
    }
}
