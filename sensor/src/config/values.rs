//! Values of the configuration that check themselves.

use std::{fmt, str::FromStr, time::Duration};

use sensor_common::flow::IDLE_MIN;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::kernel;

/// A time span of at least a second, such as `90s`, `10m`, `4h` or `2d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(u64);

const SECOND: u64 = 1_000_000_000;
const UNITS: [(char, u64); 4] = [
    ('d', 86_400 * SECOND),
    ('h', 3_600 * SECOND),
    ('m', 60 * SECOND),
    ('s', SECOND),
];

impl Span {
    /// So many seconds; at most 18 billion.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds * SECOND)
    }

    pub(super) const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// In nanoseconds.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }
}

impl From<Span> for Duration {
    fn from(span: Span) -> Self {
        Self::from_nanos(span.0)
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no time span: write it as 90s, 10m, 4h or 2d");
        let unit = text.chars().next_back().ok_or_else(wrong)?;
        let (_, nanos) = UNITS
            .iter()
            .find(|(letter, _)| *letter == unit)
            .ok_or_else(wrong)?;
        let number: u64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
        let span = number
            .checked_mul(*nanos)
            .ok_or_else(|| format!("{text:?} is longer than can be counted"))?;
        if span < IDLE_MIN {
            return Err(format!("{text:?} is too short: the least is 1s"));
        }
        Ok(Self(span))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (letter, nanos) = UNITS
            .iter()
            .find(|(_, nanos)| self.0.is_multiple_of(*nanos))
            .unwrap_or(&UNITS[UNITS.len() - 1]);
        write!(f, "{}{letter}", self.0 / nanos)
    }
}

/// A size of the ring buffer, such as `8MiB`: a power of two of at least 4 KiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes(u32);

impl Bytes {
    pub(super) const fn mebibytes(number: u32) -> Self {
        Self(number << 20)
    }

    /// In bytes.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no size: write it as 512KiB or 8MiB");
        let (number, shift) = if let Some(number) = text.strip_suffix("KiB") {
            (number, 10)
        } else if let Some(number) = text.strip_suffix("MiB") {
            (number, 20)
        } else {
            return Err(wrong());
        };
        let number: u64 = number.trim_end().parse().map_err(|_| wrong())?;
        let bytes = number
            .checked_mul(1 << shift)
            .and_then(|bytes| u32::try_from(bytes).ok())
            .filter(|bytes| bytes.is_power_of_two() && (4_096..=1 << 30).contains(bytes));
        bytes
            .map(Self)
            .ok_or_else(|| format!("{text:?} is no power of two between 4KiB and 1024MiB"))
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 >= 1 << 20 {
            write!(f, "{}MiB", self.0 >> 20)
        } else {
            write!(f, "{}KiB", self.0 >> 10)
        }
    }
}

/// Most entries of a flow table; at 696 bytes each, 12 GB.
const ENTRIES_MAX: u32 = 1 << 24;

/// A flow table's entries; without any, no flow would be seen.
pub(super) fn entries<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    let number = i64::deserialize(from)?;
    u32::try_from(number)
        .ok()
        .filter(|number| (1..=ENTRIES_MAX).contains(number))
        .ok_or_else(|| D::Error::custom(format!("{number} is not from 1 to {ENTRIES_MAX} entries")))
}

macro_rules! as_text {
    ($($name:ty),+) => {
        $(
            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                    String::deserialize(from)?.parse().map_err(D::Error::custom)
                }
            }

            impl Serialize for $name {
                fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                    to.collect_str(self)
                }
            }
        )+
    };
}

pub(super) use as_text;

as_text!(Span, Bytes, Role);

/// How a program is attached to an interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ListenMode {
    /// Driver mode where the driver has it, else generic mode.
    #[default]
    Auto,
    /// Driver mode or not at all.
    Driver,
    /// Generic mode.
    Generic,
}

/// What an interface is to the traffic on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// It receives copies: a rule drops nothing there.
    #[default]
    Mirror,
    /// It is in the path, a bridge port or a routed interface: rules drop there.
    Inline,
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "mirror" => Ok(Self::Mirror),
            "inline" => Ok(Self::Inline),
            _ => Err(format!(
                "there is no role {text:?}: it is \"mirror\" (receives copies) or \"inline\" (in the path, rules drop there)"
            )),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mirror => "mirror",
            Self::Inline => "inline",
        })
    }
}

/// The clock that flows are timed with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ClockSource {
    /// Nanoseconds.
    #[default]
    Precise,
    /// The last timer tick, 1 to 10 ms old; cheaper.
    Coarse,
}

impl From<ClockSource> for kernel::Clock {
    fn from(source: ClockSource) -> Self {
        match source {
            ClockSource::Precise => Self::Precise,
            ClockSource::Coarse => Self::Coarse,
        }
    }
}

/// From which level on the daemon logs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// What failed.
    Error,
    /// And what is wrong but goes on.
    Warn,
    /// And what happens.
    #[default]
    Info,
    /// And details, host addresses among them.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// As a filter directive.
    #[must_use]
    pub const fn directive(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// The shape of the daemon's log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// JSON lines.
    Json,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        for text in ["1s", "90s", "10m", "4h", "2d"] {
            assert_eq!(
                text.parse::<Span>().map(|span| span.to_string()).as_deref(),
                Ok(text)
            );
        }
        for text in [
            "",
            "s",
            "10",
            "0s",
            "-1s",
            "1.5h",
            "10 m",
            "999999999999d",
            "4w",
        ] {
            assert!(text.parse::<Span>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn sizes() {
        for text in ["4KiB", "512KiB", "8MiB", "1024MiB"] {
            assert_eq!(
                text.parse::<Bytes>()
                    .map(|size| size.to_string())
                    .as_deref(),
                Ok(text)
            );
        }
        for text in ["", "8", "8MB", "3MiB", "2KiB", "2048MiB", "-4KiB"] {
            assert!(text.parse::<Bytes>().is_err(), "{text:?}");
        }
    }
}
