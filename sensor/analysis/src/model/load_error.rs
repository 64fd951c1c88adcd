//! Why a model was not put in use.

use std::io;

use thiserror::Error;

use super::{Comparison, Refusal, RuntimeError};

/// Why a model was not put in use.
#[derive(Debug, Error)]
pub enum LoadError {
    /// There is no runtime.
    #[error("no model can be loaded: {0}")]
    Runtime(#[from] RuntimeError),
    /// Models are off.
    #[error("no model can be loaded: models are off in the configuration (model.enabled)")]
    Off,
    /// It did not pass the gate.
    #[error("the model is refused: {0}")]
    Refused(#[from] Refusal),
    /// It is worse than the one in use.
    #[error("the model is worse than the one in use, which stays: {0}")]
    Worse(Box<Comparison>),
    /// It can't be kept.
    #[error("the model is not loaded, since it can't be kept: {0}")]
    Disk(#[from] io::Error),
    /// There is none before it.
    #[error("there is no model before the one in use")]
    NoPrevious,
    /// No reason was given.
    #[error("{}", sensor_facts::reason::MISSING)]
    NoReason,
}

impl LoadError {
    /// The check that was failed, in a word.
    #[must_use]
    pub const fn check(&self) -> &'static str {
        match self {
            Self::Runtime(_) => "runtime",
            Self::Off => "configuration",
            Self::Refused(refusal) => refusal.check(),
            Self::Worse(_) => "regression cases",
            Self::Disk(_) => "disk",
            Self::NoPrevious => "previous",
            Self::NoReason => "reason",
        }
    }
}
