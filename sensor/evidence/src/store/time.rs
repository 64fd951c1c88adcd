//! Times as the store has them: microseconds since 1970 (UTC).

use sensor_facts::time::Time;

const MICRO: i64 = 1_000;
/// An hour, microseconds.
pub(super) const HOUR: i64 = 3_600_000_000;

/// Of a time, rounded down.
pub(super) const fn micros(time: Time) -> i64 {
    time.0.div_euclid(MICRO)
}

/// The first that is not before a time.
pub(super) const fn micros_up(time: Time) -> i64 {
    micros(Time(time.0.saturating_add(MICRO - 1)))
}

/// And back.
pub(super) const fn of_micros(micros: i64) -> Time {
    Time(micros.saturating_mul(MICRO))
}

/// The begin of the hour.
pub(super) const fn hour(micros: i64) -> i64 {
    micros.div_euclid(HOUR) * HOUR
}

/// A count as `SQLite` has it.
pub(super) fn int(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
