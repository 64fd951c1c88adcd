//! Why a trail can't be read, or does not hold.

use std::{io, path::PathBuf};

use super::{checkpoint::CheckpointFlaw, entry::Flaw};

/// Why there is no journal, or none that holds.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file system refuses.
    #[error("can't {what} {path:?}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// The answer.
        source: io::Error,
    },
    /// Another process writes it.
    #[error(
        "another wardtap writes the audit trail {path:?}: stop it first, or name another state directory"
    )]
    Held {
        /// The file.
        path: PathBuf,
    },
    /// The chain is broken.
    #[error(
        "the audit trail {path:?} is broken at line {line}: {flaw}. It is evidence: keep it, and move it away to begin a new one"
    )]
    Broken {
        /// The file.
        path: PathBuf,
        /// The first bad line.
        line: u64,
        /// The entry that should stand there; none if the segment's begin does not say it.
        entry: Option<u64>,
        /// What is wrong with it.
        flaw: Flaw,
    },
    /// A segment is not there, and nothing in the trail says that it was removed.
    #[error(
        "segment {segment} of the audit trail in {folder:?} is missing, and the trail has no entry that it was removed. What is there is evidence: keep it"
    )]
    Missing {
        /// The folder.
        folder: PathBuf,
        /// The segment.
        segment: u64,
        /// The entry that it should begin with, where that is known.
        entry: Option<u64>,
    },
    /// A segment follows another one than it says.
    #[error(
        "the audit trail's segment {path:?} does not follow the segment before it: it was put elsewhere, or one of both was changed. They are evidence: keep them"
    )]
    Link {
        /// The file.
        path: PathBuf,
        /// Its first entry.
        entry: u64,
    },
    /// A checkpoint is not what the daemon signed.
    #[error(
        "the audit trail's checkpoints {path:?} are broken at line {line}: {flaw}. They are evidence: keep them with the trail, and move all away to begin a new one"
    )]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// The first bad line.
        line: u64,
        /// What is wrong with it.
        flaw: CheckpointFlaw,
    },
    /// The chain is whole, and is not the one that was signed.
    #[error(
        "the audit trail {path:?} was written anew: entries {first} to {last} are not those that were signed. It is evidence: keep it, and move it away to begin a new one"
    )]
    Rewritten {
        /// The file.
        path: PathBuf,
        /// The first entry that was not signed so, by the checkpoints that there are.
        first: u64,
        /// The entry whose hash was signed.
        last: u64,
    },
    /// Signed entries are missing at the end.
    #[error(
        "the audit trail {path:?} was cut off after entry {entries}: {signed} were signed. It is evidence: keep it, and move it away to begin a new one"
    )]
    Cut {
        /// The file.
        path: PathBuf,
        /// Entries that are there.
        entries: u64,
        /// Entries that were signed.
        signed: u64,
    },
    /// Entries at the end have no checkpoint.
    #[error(
        "the audit trail {path:?} is not signed after entry {signed}, and has {entries}: the daemon was killed before it could, and signs when it starts, or checkpoints were cut off"
    )]
    Behind {
        /// The file.
        path: PathBuf,
        /// Entries that are there.
        entries: u64,
        /// Entries that were signed.
        signed: u64,
    },
    /// There is no checkpoint, though entries are signed when they are written.
    #[error(
        "the audit trail {path:?} has no checkpoints beside it: they were removed, or it was written by a version that made none"
    )]
    Unsigned {
        /// The file.
        path: PathBuf,
    },
}

impl JournalError {
    /// The first entry of which the trail can't say any more what it was; none where that is not the trouble.
    #[must_use]
    pub fn entry(&self) -> Option<u64> {
        match self {
            Self::Broken { entry, .. } | Self::Missing { entry, .. } => *entry,
            Self::Link { entry, .. } => Some(*entry),
            Self::Rewritten { first, .. } => Some(*first),
            Self::Cut { entries, .. } => Some(entries + 1),
            Self::Behind { signed, .. } => Some(signed + 1),
            _ => None,
        }
    }

    /// It tells of a change, not of a disk or another process.
    #[must_use]
    pub fn is_tampering(&self) -> bool {
        !matches!(self, Self::System { .. } | Self::Held { .. })
    }
}
