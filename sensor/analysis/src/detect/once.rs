//! Remembers what was told.

use std::{hash::Hash, num::NonZeroUsize};

use lru::LruCache;

use sensor_facts::time::Time;

/// Things that are remembered.
const THINGS: NonZeroUsize = NonZeroUsize::new(16_384).expect("it is not zero");
/// Something is told again after so long, nanoseconds.
const AGAIN: i64 = 3_600_000_000_000;

/// What was told in the last hour.
pub(super) struct Once<T: Hash + Eq>(LruCache<T, Time>);

impl<T: Hash + Eq> Default for Once<T> {
    fn default() -> Self {
        Self(LruCache::new(THINGS))
    }
}

impl<T: Hash + Eq> Once<T> {
    /// True if it was not told in the last hour; it is remembered as told.
    pub(super) fn first(&mut self, thing: T, now: Time) -> bool {
        if let Some(told) = self.0.get(&thing)
            && now.0.saturating_sub(told.0) < AGAIN
        {
            return false;
        }
        self.0.put(thing, now);
        true
    }
}
