//! A changed configuration as the audit trail has it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a key of the configuration is about. What weighs most comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Concern {
    /// Which detectors and models work.
    Detector,
    /// What is never blocked.
    Protected,
    /// What may be blocked, and how.
    Policy,
    /// From when on something is found or told.
    Threshold,
    /// What is muted.
    Exception,
    /// Where events and what is stored go.
    Output,
    /// Where the sensor listens.
    Interface,
    /// Anything else.
    Other,
}

/// What keys are about, by how they begin; the first that fits.
const CONCERNS: [(&str, Concern); 14] = [
    ("alert.exception", Concern::Exception),
    ("alert", Concern::Threshold),
    ("audit", Concern::Output),
    ("baseline", Concern::Threshold),
    ("containment.protect", Concern::Protected),
    ("containment", Concern::Policy),
    ("detect.off", Concern::Detector),
    ("detect", Concern::Threshold),
    ("interface", Concern::Interface),
    ("mirror", Concern::Threshold),
    ("model", Concern::Detector),
    ("output", Concern::Output),
    ("response", Concern::Policy),
    ("store", Concern::Output),
];

impl Concern {
    /// What a key is about.
    #[must_use]
    pub fn of(key: &str) -> Self {
        let found = CONCERNS.iter().find(|(begin, _)| key.starts_with(begin));
        found.map_or(Self::Other, |(_, concern)| *concern)
    }

    /// The words for people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Detector => "detectors",
            Self::Protected => "protected list",
            Self::Policy => "policy",
            Self::Threshold => "thresholds",
            Self::Exception => "exceptions",
            Self::Output => "outputs and storage",
            Self::Interface => "interfaces",
            Self::Other => "other",
        }
    }
}

/// A key whose value changed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "ChangedSetting"))]
pub struct ChangedKey {
    /// The key with its section, such as `detect.scan_targets`.
    pub key: String,
    /// What it is about.
    pub concern: Concern,
    /// Its value before, in TOML, cut where it is long; none if it was not set. Secrets are hidden.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// Its value from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
}

impl fmt::Display for ChangedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "not set".to_owned());
        write!(
            f,
            "{}: {} -> {}",
            self.key,
            value(&self.old),
            value(&self.new)
        )
    }
}

/// When a configuration was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// The daemon started with another configuration than that of the run before.
    Start,
    /// The running daemon read its configuration again.
    Reload,
}

impl Occasion {
    /// The words for people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Start => "since the run before",
            Self::Reload => "by a reload",
        }
    }
}

/// Another configuration is in force.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "ChangeOfConfiguration"))]
pub struct ConfigurationChange {
    /// When it was read.
    pub occasion: Occasion,
    /// BLAKE3 of the configuration, in hex.
    #[cfg_attr(test, schemars(regex(pattern = "^[0-9a-f]{64}$")))]
    pub config: String,
    /// Detectors that work no more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub detectors_off: Vec<String>,
    /// Detectors that work again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub detectors_on: Vec<String>,
    /// The keys whose values changed, what weighs most first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<ChangedKey>,
    /// Changed keys that are left out because they are too many.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub omitted: u64,
    /// Keys whose change takes a restart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restart: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl fmt::Display for ConfigurationChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "configuration changed {}", self.occasion.label())?;
        let lists = [
            ("; detectors off: ", &self.detectors_off),
            ("; detectors on again: ", &self.detectors_on),
        ];
        for (what, names) in lists {
            if !names.is_empty() {
                write!(f, "{what}{}", names.join(", "))?;
            }
        }
        if self.changes.is_empty() {
            f.write_str("; no value is another")?;
        }
        for change in &self.changes {
            write!(f, "; {change}")?;
        }
        if self.omitted > 0 {
            write!(f, "; {} more", self.omitted)?;
        }
        if !self.restart.is_empty() {
            write!(f, "; takes a restart: {}", self.restart.join(", "))?;
        }
        Ok(())
    }
}
