//! Why a model is not taken.

use std::{io, path::PathBuf};

use thiserror::Error;

use super::OnnxError;

/// Why a model is not taken.
#[derive(Debug, Error)]
pub enum Refusal {
    /// A file can't be read.
    #[error("can't read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It is larger than is allowed.
    #[error("it has more than {} MiB, which is the most that a model may have", super::SIZE_MAX >> 20)]
    TooLarge,
    /// The manifest can't be read as one.
    #[error("its manifest is no good: {0}")]
    Manifest(String),
    /// Model and manifest do not belong together.
    #[error(
        "its SHA-256 is {found}, and its manifest says {expected}: the file was changed, or is not the manifest's"
    )]
    Hash {
        /// Of the file.
        found: String,
        /// Of the manifest.
        expected: String,
    },
    /// The signature is missing, wrong, or of someone else.
    #[error("{0}")]
    Signature(String),
    /// It is no ONNX file, or a damaged one.
    #[error(transparent)]
    Format(#[from] OnnxError),
    /// Parts of it lie elsewhere.
    #[error("the data of its tensor {0:?} lies in another file: a model has to be one file")]
    External(String),
    /// It uses operators that are not ONNX's own.
    #[error("it uses operators of {0:?}: only those of ai.onnx and ai.onnx.ml are allowed")]
    Operators(String),
    /// Its metadata lack something, or are wrong.
    #[error("its metadata {key}: {what}")]
    Metadata {
        /// Which.
        key: &'static str,
        /// What is wrong.
        what: String,
    },
    /// It is made for other rows.
    #[error(
        "it is made for rows of {found:?}, and the sensor's are {}",
        super::SCHEMA
    )]
    Schema {
        /// What it says.
        found: String,
    },
    /// It is made for other features, or another order of them.
    #[error("its features are not those of {schema}: {0}", schema = super::SCHEMA)]
    Features(String),
    /// The runtime does not take it.
    #[error("the ONNX Runtime refuses it: {0}")]
    Graph(String),
    /// Its inputs or outputs are not as they have to be.
    #[error("its {0}")]
    Ends(String),
    /// It does not give what it gave to those who made it.
    #[error(
        "it does not reproduce its golden rows: {0}; its weights were altered, or this runtime computes otherwise"
    )]
    Golden(String),
    /// A score is no number.
    #[error("it gives {what} for {row}: not a finite number from where it belongs")]
    NotFinite {
        /// What.
        what: String,
        /// For which row.
        row: String,
    },
    /// It finds too much of what was recorded strange.
    #[error("{0}")]
    Rate(String),
    /// Scoring fails.
    #[error("it can't be run: {0}")]
    Run(String),
}

impl Refusal {
    /// The check that it failed.
    #[must_use]
    pub const fn check(&self) -> &'static str {
        match self {
            Self::Read { .. } => "file",
            Self::TooLarge => "size",
            Self::Manifest(_) => "manifest",
            Self::Hash { .. } => "hash",
            Self::Signature(_) => "signature",
            Self::Format(_) => "format",
            Self::External(_) => "external data",
            Self::Operators(_) => "operators",
            Self::Metadata { .. } => "metadata",
            Self::Schema { .. } => "schema",
            Self::Features(_) => "features",
            Self::Graph(_) => "graph",
            Self::Ends(_) => "inputs and outputs",
            Self::Golden(_) => "golden rows",
            Self::NotFinite { .. } => "finite scores",
            Self::Rate(_) => "recorded flows",
            Self::Run(_) => "run",
        }
    }
}
