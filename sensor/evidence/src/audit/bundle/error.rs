//! What can go wrong with a bundle.

use std::{io, path::PathBuf};

use crate::audit::{checkpoint::CheckpointFlaw, entry::Flaw, error::JournalError};

/// Longest file that is made, bytes.
pub(super) const LENGTH_MAX: usize = 40 << 20;

/// Why there is no bundle, or what is wrong with one.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The trail can't be read or is broken.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The file system refuses.
    #[error("can't read {path:?}: {source}")]
    System {
        /// The file.
        path: PathBuf,
        /// The answer.
        source: io::Error,
    },
    /// It can't be signed.
    #[error("can't sign with the trail's key: {0}")]
    Sign(io::Error),
    /// There is nothing to export.
    #[error("the trail has no entry of that time")]
    Empty,
    /// It would be too long.
    #[error(
        "these entries take more than {} MiB: export them in parts, with --since and --until",
        LENGTH_MAX >> 20
    )]
    Long,
    /// An entry has no place for its pseudonyms.
    #[error("entry {0} can't be put under pseudonyms: {1}")]
    Veil(u64, serde_json::Error),
    /// The first line is not what was signed.
    #[error("the bundle's first line was changed or is none: {0}")]
    Header(&'static str),
    /// It is signed by another key.
    #[error("the bundle is signed by key {found}, not by {expected}")]
    Key {
        /// The key that it names.
        found: String,
        /// The key that was to sign.
        expected: String,
    },
    /// An entry is not what it was.
    #[error("the bundle is broken at entry {entry}: {flaw}")]
    Entry {
        /// Its number.
        entry: u64,
        /// What is wrong.
        flaw: Flaw,
    },
    /// A checkpoint is not what it was, or not one of these entries.
    #[error("the bundle's checkpoint {number} is broken: {flaw}")]
    Checkpoint {
        /// Which, from 1 on.
        number: u64,
        /// What is wrong.
        flaw: CheckpointFlaw,
    },
    /// Something else is different.
    #[error("the bundle was changed after its entries: {0}")]
    Rest(&'static str),
}

impl BundleError {
    /// The first entry that is not what it was; none where that is not the trouble.
    #[must_use]
    pub fn entry(&self) -> Option<u64> {
        match self {
            Self::Journal(error) => error.entry(),
            Self::Entry { entry, .. } => Some(*entry),
            _ => None,
        }
    }

    /// It tells of a change, not of a disk.
    #[must_use]
    pub fn is_tampering(&self) -> bool {
        !matches!(self, Self::System { .. })
    }
}
