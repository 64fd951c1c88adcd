//! Remembers what was reported.

use std::{hash::Hash, num::NonZeroUsize};

use sensor_facts::time::Time;

use super::{shared::Thresholds, threshold::Values};
use crate::detect::counted::CountedLru;

/// Things that are remembered.
const THINGS: NonZeroUsize = NonZeroUsize::new(16_384).expect("it is not zero");

/// What was reported, until it may be reported again.
pub(super) struct Reported<T: Hash + Eq> {
    things: CountedLru<T, Time>,
    /// When it may be reported again, nanoseconds.
    again: i64,
}

impl<T: Hash + Eq> Reported<T> {
    /// With the configured time.
    pub(super) fn new(values: &Values) -> Self {
        Self {
            things: CountedLru::new(THINGS),
            again: Thresholds::of(values).report_again.as_nanos().cast_signed(),
        }
    }

    /// True if it was not reported lately; it is remembered as reported.
    pub(super) fn first(&mut self, thing: T, now: Time) -> bool {
        if let Some(reported) = self.things.get(&thing)
            && now.0.saturating_sub(reported.0) < self.again
        {
            return false;
        }
        self.things.put(thing, now);
        true
    }

    /// What made room for others.
    pub(crate) const fn evicted(&self) -> u64 {
        self.things.evicted()
    }
}
