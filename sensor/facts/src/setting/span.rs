//! Time spans.

use std::{fmt, str::FromStr, time::Duration};

use sensor_common::flow::IDLE_MIN;

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

    /// So many nanoseconds.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
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

crate::as_text!(Span);

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
}
