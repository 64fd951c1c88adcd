//! The labels that people give to alerts.

use serde::{Deserialize, Serialize};

use crate::{rule::Actor, time::Time};

/// Whether an alert was about an attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing bad: such findings of this device are muted for a while, and learning about it resumes.
    Benign,
    /// An attack: what was learnt of the device since it began is forgotten.
    Malicious,
}

impl Verdict {
    /// As in events.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Benign => "benign",
            Self::Malicious => "malicious",
        }
    }
}

/// What a person said of an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Label {
    /// Whether the alert was about an attack.
    pub verdict: Verdict,
    /// Who gave the label.
    pub by: Actor,
    /// When the label was given.
    pub time: Time,
    /// Why, in words.
    pub reason: String,
}

/// Why a label was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// There is no such alert.
    #[error("there is no alert {0}; `wardtap alerts list` shows those that there are")]
    Unknown(u64),
    /// It says so already.
    #[error("alert {id} is labelled {verdict} already")]
    Same {
        /// Number of the alert.
        id: u64,
        /// The label that it has.
        verdict: &'static str,
    },
    /// No reason was given.
    #[error("{}", crate::reason::MISSING)]
    NoReason,
}
