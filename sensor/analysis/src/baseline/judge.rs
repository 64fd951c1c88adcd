//! How well a fact is known, by when it was first seen.

use sensor_facts::time::Time;

use super::{Familiar, Occurrence};

/// The times of the options that decide how well a fact is known, nanoseconds.
pub(super) struct Judge {
    pub(super) settle: i64,
    pub(super) doubt: i64,
    pub(super) learning: i64,
}

impl Judge {
    /// How well a fact is known of something that was first seen at `begin`.
    pub(super) fn familiar(&self, seen: Option<Occurrence>, begin: Time, now: Time) -> Familiar {
        let Some(seen) = seen else {
            return Familiar::Never;
        };
        let first = i64::from(seen.first) * 1_000_000_000;
        let age = now.0.saturating_sub(first);
        // What is so young may yet be forgotten again.
        let sure = age >= self.doubt;
        if age >= self.settle || (sure && first.saturating_sub(begin.0) < self.learning) {
            Familiar::Known
        } else {
            Familiar::New
        }
    }
}
