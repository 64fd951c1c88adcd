//! Times: the engine's clock and the wall clock.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A moment of wall-clock time: nanoseconds since 1970 (UTC), written as RFC 3339 with microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

impl Time {
    /// So many seconds before; at the earliest the first moment that there is.
    #[must_use]
    pub fn before(self, seconds: u64) -> Self {
        const SECOND: i64 = 1_000_000_000;
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(seconds.saturating_mul(SECOND)))
    }
}

/// Bytes of a time as text.
pub const LENGTH: usize = 27;

impl Time {
    /// Writes it as text, by hand: events are full of times. Every `i64` of nanoseconds is within the years 1677 to 2262.
    pub fn write(self, text: &mut [u8; LENGTH]) {
        const DAY: i64 = 86_400_000_000;
        // The first of March of the year 0, from which all these times are counted up: leap days then end a year.
        const BEFORE_1970: i64 = 719_468 * DAY;
        // Not before the first whole microsecond, which can be read again.
        let micros = self.0.div_euclid(1_000).max(i64::MIN / 1_000);
        let micros = (micros + BEFORE_1970).unsigned_abs();
        let (day, micros) = (micros / DAY.unsigned_abs(), micros % DAY.unsigned_abs());
        let (year, month, day) = date(low(day));
        let (second, micros) = (low(micros / 1_000_000), low(micros % 1_000_000));
        *text = *b"0000-00-00T00:00:00.000000Z";
        let mut pair = |at: usize, value: u32| {
            let [tens, ones] = PAIRS[value as usize % PAIRS.len()];
            text[at] = tens;
            text[at + 1] = ones;
        };
        pair(0, year / 100);
        pair(2, year % 100);
        pair(5, month);
        pair(8, day);
        pair(11, second / 3_600);
        pair(14, second / 60 % 60);
        pair(17, second % 60);
        pair(20, micros / 10_000);
        pair(22, micros / 100 % 100);
        pair(24, micros % 100);
    }

    fn text<T>(self, then: impl FnOnce(&str) -> T) -> T {
        let mut text = [0; LENGTH];
        self.write(&mut text);
        then(str::from_utf8(&text).unwrap_or_default())
    }
}

/// The numbers below 100 as text.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [*b"00"; 100];
    let mut at = 1;
    while at < pairs.len() {
        let [tens, ones] = pairs[at - 1];
        pairs[at] = if ones == b'9' {
            [tens + 1, b'0']
        } else {
            [tens, ones + 1]
        };
        at += 1;
    }
    pairs
};

/// Year, month and day of a day since the first of March of the year 0 (Howard Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms", `civil_from_days`).
const fn date(day: u32) -> (u32, u32, u32) {
    let (era, day) = (day / 146_097, day % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let year = era * 400 + year;
    if month < 10 {
        (year, month + 3, day)
    } else {
        (year + 1, month - 9, day)
    }
}

/// A number that is known to be small.
fn low(value: u64) -> u32 {
    u32::try_from(value).unwrap_or_default()
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text(|text| f.write_str(text))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text(|text| serializer.serialize_str(text))
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let moment: jiff::Timestamp = text.parse().map_err(de::Error::custom)?;
        i64::try_from(moment.as_nanosecond())
            .map(Self)
            .map_err(de::Error::custom)
    }
}

/// How the engine's clock stands to the wall clock.
///
/// In replay the engine's clock is the capture's, so the offset is 0. Live it is the kernel's
/// monotonic clock, and the offset is wall clock minus monotonic clock, measured at start and whenever
/// the wall clock is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timebase {
    /// Added to an engine time to give nanoseconds since 1970.
    pub unix_offset_ns: i64,
}

impl Timebase {
    /// The wall-clock time of an engine time in nanoseconds.
    #[must_use]
    pub fn wall(self, engine_ns: u64) -> Time {
        Time(
            i64::try_from(engine_ns)
                .unwrap_or(i64::MAX)
                .saturating_add(self.unix_offset_ns),
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn by_jiff(time: Time) -> String {
        let moment = jiff::Timestamp::from_nanosecond(i128::from(time.0)).expect("a moment");
        moment.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
    }

    #[test]
    fn each_day_that_there_is() {
        const DAY: i64 = 86_400_000_000_000;
        for day in i64::MIN / DAY..=i64::MAX / DAY {
            for time in [day * DAY, day * DAY - 1] {
                let time = Time(time);
                assert_eq!(time.to_string(), by_jiff(time), "{}", time.0);
            }
        }
        for time in [i64::MIN + 1_000, -1, 0, 1, i64::MAX].map(Time) {
            assert_eq!(time.to_string(), by_jiff(time), "{}", time.0);
        }
    }

    #[test]
    fn the_first_time_that_there_is_can_be_read_again() {
        for time in [i64::MIN, i64::MIN + 1, i64::MIN + 807, i64::MIN + 808].map(Time) {
            let text = serde_json::to_string(&time).expect("JSON");
            let read: Time = serde_json::from_str(&text).expect("a time");
            assert!(time.0.abs_diff(read.0) < 1_000, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_time(time in i64::MIN + 1_000..) {
            prop_assert_eq!(Time(time).to_string(), by_jiff(Time(time)));
        }

        #[test]
        fn a_time_is_read_as_it_was_written(micros in i64::MIN / 1_000..i64::MAX / 1_000) {
            let time = Time(micros * 1_000);
            let text = serde_json::to_string(&time).expect("JSON");
            prop_assert_eq!(serde_json::from_str::<Time>(&text).expect("a time"), time);
        }
    }
}
