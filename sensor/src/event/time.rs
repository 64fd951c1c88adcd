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

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Every i64 of nanoseconds is within the years 1677 to 2262, which jiff holds.
        let moment = jiff::Timestamp::from_nanosecond(i128::from(self.0)).unwrap_or_default();
        write!(f, "{}", moment.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
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
