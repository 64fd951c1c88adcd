//! The section `[store]`.

use std::{fmt, path::Path, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use super::{Span, values::as_text};
use crate::store::{Keep, StoreOptions};

/// What the daemon keeps for reports and people, and how long.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    /// Whether it is kept at all.
    pub enabled: bool,
    /// Events that may wait for a slow disk; what comes beyond is dropped and counted.
    pub max_queue: usize,
    /// How long flows are kept.
    pub flows: Span,
    /// How long sessions of DICOM, HL7 and TLS are kept.
    pub sessions: Span,
    /// How long the daemon's counters are kept.
    pub statistics: Span,
    /// How long it is kept who talked to whom.
    pub contacts: Span,
    /// How long findings, alerts, rules, and what people and policy did are kept.
    pub alerts: Span,
    /// Of all that at most so much.
    pub max_size: Size,
}

const DAY: u64 = 86_400;

impl Default for Store {
    fn default() -> Self {
        let options = StoreOptions::new("");
        let keep = options.keep;
        let days = |kept: std::time::Duration| Span::from_secs(kept.as_secs() / DAY * DAY);
        Self {
            enabled: true,
            max_queue: options.queue,
            flows: days(keep.flows),
            sessions: days(keep.sessions),
            statistics: days(keep.statistics),
            contacts: days(keep.contacts),
            alerts: days(keep.alerts),
            max_size: Size(keep.bytes),
        }
    }
}

impl Store {
    /// What the store is made with, if it is to be.
    #[must_use]
    pub fn options(&self, folder: &Path) -> Option<StoreOptions> {
        let options = StoreOptions {
            queue: self.max_queue,
            keep: Keep {
                flows: self.flows.into(),
                sessions: self.sessions.into(),
                statistics: self.statistics.into(),
                contacts: self.contacts.into(),
                alerts: self.alerts.into(),
                bytes: self.max_size.0,
            },
            ..StoreOptions::new(folder)
        };
        self.enabled.then_some(options)
    }
}

/// An amount of disk space, such as `20GiB` or `512MiB`; at least 1 MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(u64);

const UNITS: [(&str, u64); 3] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20)];

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |(unit, bytes): &(&str, u64)| {
            let number: u64 = text.strip_suffix(unit)?.trim_end().parse().ok()?;
            number.checked_mul(*bytes).filter(|bytes| *bytes > 0)
        };
        UNITS
            .iter()
            .find_map(number)
            .map(Self)
            .ok_or_else(|| format!("{text:?} is no size: write it as 512MiB, 20GiB or 1TiB"))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, bytes) = UNITS
            .iter()
            .find(|(_, bytes)| self.0.is_multiple_of(*bytes))
            .unwrap_or(&UNITS[UNITS.len() - 1]);
        write!(f, "{}{unit}", self.0 / bytes)
    }
}

as_text!(Size);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for text in ["1MiB", "512MiB", "20GiB", "3TiB"] {
            let size: Result<Size, _> = text.parse();
            assert_eq!(size.map(|size| size.to_string()).as_deref(), Ok(text));
        }
        for text in ["", "20", "20GB", "0GiB", "-1GiB", "99999999999TiB"] {
            assert!(text.parse::<Size>().is_err(), "{text:?}");
        }
    }
}
