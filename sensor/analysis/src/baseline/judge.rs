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
        let learned = first.saturating_sub(begin.0) < self.learning;
        // What is so young may yet be forgotten again. Once the learning period is over, what was first seen in its last
        // hour is no novelty: everyone has such facts.
        let sure = age >= self.doubt || now.0.saturating_sub(begin.0) >= self.learning;
        if age >= self.settle || (sure && learned) {
            Familiar::Known
        } else {
            Familiar::New
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600 * 1_000_000_000;

    #[test]
    fn the_end_of_learning_accuses_nobody_of_what_was_seen_in_its_last_hour() {
        let judge = Judge {
            settle: 24 * HOUR,
            doubt: HOUR,
            learning: 168 * HOUR,
        };
        let begin = Time(1_700_000_000 * 1_000_000_000);
        let at = |hours: i64| Time(begin.0 + hours * HOUR);
        let first = |time: Time| Occurrence {
            first: u32::try_from(time.0 / 1_000_000_000).unwrap(),
            last: 0,
            count: 1,
        };
        let minutes_before = Time(at(168).0 - HOUR / 2);
        let seen = Some(first(minutes_before));
        assert_eq!(
            judge.familiar(seen, begin, Time(at(168).0 - 1)),
            Familiar::New
        );
        assert_eq!(judge.familiar(seen, begin, at(168)), Familiar::Known);
        // What comes after it is new until it has settled.
        let later = Some(first(at(169)));
        assert_eq!(judge.familiar(later, begin, at(171)), Familiar::New);
        assert_eq!(judge.familiar(later, begin, at(193)), Familiar::Known);
        assert_eq!(judge.familiar(None, begin, at(171)), Familiar::Never);
    }
}
