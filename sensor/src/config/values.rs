//! Values of the configuration that check themselves.

use std::{fmt, str::FromStr};

use sensor_facts::as_text;
use sensor_kernel as kernel;
use serde::{Deserialize, Deserializer, Serialize, de::Error};

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

as_text!(Role);

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
    /// Only what failed.
    Error,
    /// And what is wrong but goes on.
    Warn,
    /// Also what happens in normal operation.
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
