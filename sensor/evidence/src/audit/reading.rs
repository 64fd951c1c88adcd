//! The trail, read from its begin: what it holds, and the first entry that is not what it was.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use super::{
    checkpoint::{CheckpointFlaw, Checkpoints},
    entry::{Entry, Flaw, GENESIS},
};

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
        /// What is wrong with it.
        flaw: Flaw,
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
            Self::Broken { line, .. } => Some(*line),
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

/// What a trail holds.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// Entries.
    pub entries: u64,
    /// Hash of the last.
    pub head: String,
    /// Length of the whole lines, bytes.
    pub bytes: u64,
    /// Bytes after them, of a line that was not written to its end.
    pub torn: u64,
}

/// Reads a trail from its begin and holds it against the checkpoints beside it, of which the last has to be of its
/// last entry; `on` gets every entry. With `key` only checkpoints that it signed count.
///
/// # Errors
/// [`JournalError`] names the first entry that is not what it was. A trail that is being written can be
/// [`JournalError::Behind`] for a moment.
pub fn verify(
    path: &Path,
    key: Option<&str>,
    on: impl FnMut(Entry),
) -> Result<(Summary, Checkpoints), JournalError> {
    let (summary, checkpoints) = hold(path, key, on)?;
    let (entries, signed) = (summary.entries, checkpoints.last());
    if signed < entries {
        let path = path.to_owned();
        return Err(JournalError::Behind {
            path,
            entries,
            signed,
        });
    }
    Ok((summary, checkpoints))
}

/// How often a trail whose last entries are not signed yet is looked at again, and after which time.
const TRIES: u32 = 20;
const AGAIN: Duration = Duration::from_millis(100);

/// [`verify`], which waits a little for a daemon that has written entries and is about to sign them. Each reading
/// begins anew: `begin` makes what `take` gives the entries to.
pub fn verify_settled<T>(
    path: &Path,
    key: Option<&str>,
    begin: impl Fn() -> T,
    take: impl Fn(&mut T, Entry),
) -> (T, Result<(Summary, Checkpoints), JournalError>) {
    let mut tries = 0;
    loop {
        let mut taken = begin();
        let verified = verify(path, key, |entry| take(&mut taken, entry));
        if tries == TRIES || !matches!(verified, Err(JournalError::Behind { .. })) {
            return (taken, verified);
        }
        tries += 1;
        thread::sleep(AGAIN);
    }
}

/// The same, with entries at the end that are not signed yet.
pub(super) fn hold(
    path: &Path,
    key: Option<&str>,
    mut on: impl FnMut(Entry),
) -> Result<(Summary, Checkpoints), JournalError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let checkpoints = Checkpoints::read(folder, key)?;
    let mut rewritten = None;
    let summary = read_each(path, |entry, own, _| {
        let seq = entry.seq;
        if rewritten.is_none() && checkpoints.head(seq).is_some_and(|head| head != own) {
            rewritten = Some((checkpoints.before(seq) + 1, seq));
        }
        on(entry);
    })?;
    let path = path.to_owned();
    if let Some((first, last)) = rewritten {
        return Err(JournalError::Rewritten { path, first, last });
    }
    if summary.entries < checkpoints.last() {
        return Err(JournalError::Cut {
            path,
            entries: summary.entries,
            signed: checkpoints.last(),
        });
    }
    if checkpoints.is_empty() && summary.entries > 0 {
        return Err(JournalError::Unsigned { path });
    }
    Ok((summary, checkpoints))
}

/// Reads a trail from its begin; `on` gets every entry. Only the chain is looked at.
///
/// # Errors
/// [`JournalError::Broken`] names the first bad line.
pub fn read(path: &Path, mut on: impl FnMut(Entry)) -> Result<Summary, JournalError> {
    read_each(path, |entry, _, _| on(entry))
}

/// The same; `on` gets the entry's hash and its line too.
pub(super) fn read_each(
    path: &Path,
    mut on: impl FnMut(Entry, &str, &[u8]),
) -> Result<Summary, JournalError> {
    let failed = |source| JournalError::System {
        what: "read",
        path: path.to_owned(),
        source,
    };
    let mut reader = BufReader::new(File::open(path).map_err(failed)?);
    let mut summary = Summary {
        entries: 0,
        head: GENESIS.to_owned(),
        bytes: 0,
        torn: 0,
    };
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line).map_err(failed)? as u64;
        if length == 0 {
            return Ok(summary);
        }
        if line.pop() != Some(b'\n') {
            summary.torn = length;
            return Ok(summary);
        }
        let number = summary.entries + 1;
        let (entry, own) =
            Entry::parse(&line, &summary.head, number).map_err(|flaw| JournalError::Broken {
                path: path.to_owned(),
                line: number,
                flaw,
            })?;
        on(entry, &own, &line);
        summary.entries = number;
        summary.head = own;
        summary.bytes += length;
    }
}
