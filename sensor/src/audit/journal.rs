//! The file: appended to, synchronised, read from its begin.

use std::{
    collections::VecDeque,
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
};

use super::{
    FILE,
    action::Action,
    checkpoint::{self, CheckpointFlaw, Checkpoints, Signer},
    entry::{Entry, Flaw, GENESIS},
};
use crate::{event::Time, response::Actor};

/// Entries that wait for a disk at most; what comes beyond is dropped and counted.
const WAITING_MAX: usize = 4_096;

/// Why there is no journal.
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

/// What was done to open a journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Bytes of a last line that was not written to its end, and the file they are kept in.
    pub torn: Option<(u64, PathBuf)>,
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
fn hold(
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

/// The trail, open for writing; nobody else can have it meanwhile.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: Flock<File>,
    entries: u64,
    head: String,
    bytes: u64,
    /// `None` until the disk took key and file.
    signer: Option<Signer>,
    /// Bytes at the end of the checkpoints' file that are none.
    torn_checkpoint: u64,
    /// The last entry that was signed; 0 before the first, `None` before that is signed.
    signed: Option<u64>,
    /// When the last entry on the disk was made.
    latest: Time,
    waiting: VecDeque<(Time, Actor, Action)>,
    dropped: u64,
    failing: Option<String>,
}

impl Journal {
    /// Opens the trail in `folder`, or begins one; `on` gets every entry that is there. What was not
    /// written to its end, because the daemon was killed or the disk was full, nobody was told to be
    /// done: it is put aside.
    ///
    /// # Errors
    /// [`JournalError`]; a broken trail is left as it is.
    pub fn open(
        folder: &Path,
        mut on: impl FnMut(Entry),
    ) -> Result<(Self, Recovery), JournalError> {
        let path = folder.join(FILE);
        let failed = |what, path: &Path| {
            let path = path.to_owned();
            move |source| JournalError::System { what, path, source }
        };
        fs::create_dir_all(folder).map_err(failed("make the folder", folder))?;
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path)
            .map_err(failed("open", &path))?;
        let file = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(file) => file,
            Err((_, Errno::EWOULDBLOCK)) => return Err(JournalError::Held { path }),
            Err((_, error)) => return Err(failed("lock", &path)(error.into())),
        };
        let mut latest = Time::default();
        let mut each = |entry: Entry| {
            latest = entry.time;
            on(entry);
        };
        // A trail of a version that made no checkpoints is signed from now on, as it is.
        let (summary, checkpoints) = if Signer::is_new(folder) {
            (read(&path, &mut each)?, Checkpoints::default())
        } else {
            let key = checkpoint::public_key(folder)
                .map_err(failed("read the signing key in", folder))?;
            hold(&path, Some(&key), &mut each)?
        };
        let mut journal = Self {
            path,
            file,
            entries: summary.entries,
            head: summary.head,
            bytes: summary.bytes,
            signer: None,
            torn_checkpoint: checkpoints.torn,
            signed: (!checkpoints.is_empty()).then(|| checkpoints.last()),
            latest,
            waiting: VecDeque::new(),
            dropped: 0,
            failing: None,
        };
        let mut recovery = Recovery::default();
        if summary.torn > 0 {
            let aside = journal
                .put_aside()
                .map_err(failed("put aside the torn end of", &journal.path))?;
            recovery.torn = Some((summary.torn, aside));
        }
        // What can't be signed now is so with the next write.
        journal.write();
        // The file's name has to be on the disk as well.
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(failed("synchronise", folder))?;
        Ok((journal, recovery))
    }

    fn put_aside(&mut self) -> io::Result<PathBuf> {
        let mut aside = self.path.clone();
        aside.set_extension(format!("torn-{}", self.entries + 1));
        let mut rest = Vec::new();
        self.file.seek(SeekFrom::Start(self.bytes))?;
        io::Read::read_to_end(&mut *self.file, &mut rest)?;
        fs::write(&aside, rest)?;
        self.file.set_len(self.bytes)?;
        self.file.sync_data()?;
        Ok(aside)
    }

    /// Takes an entry, to be written with those that wait.
    pub fn add(&mut self, time: Time, actor: Actor, action: Action) {
        if self.waiting.len() < WAITING_MAX {
            self.waiting.push_back((time, actor, action));
        } else {
            self.dropped += 1;
        }
    }

    /// Writes all that waits, and waits until the disk has it; whether that was so. Where it fails, the
    /// entries go on waiting.
    pub fn write(&mut self) -> bool {
        if self.is_settled() {
            return self.failing.is_none();
        }
        match self.write_waiting().and_then(|()| self.sign()) {
            Ok(()) => {
                if self.failing.take().is_some() {
                    tracing::warn!(path = %self.path.display(), "the audit trail is written again");
                }
                true
            }
            Err(error) => {
                if self.failing.is_none() {
                    tracing::error!(path = %self.path.display(), "the audit trail can't be written: {error}; entries wait");
                }
                self.failing = Some(error.to_string());
                false
            }
        }
    }

    fn sign(&mut self) -> io::Result<()> {
        if self.signed == Some(self.entries) {
            return Ok(());
        }
        let signer = match &mut self.signer {
            Some(signer) => signer,
            none => {
                let folder = self.path.parent().unwrap_or(Path::new("."));
                none.insert(Signer::open(folder, self.torn_checkpoint)?)
            }
        };
        signer.sign(self.entries, self.signed, &self.head, self.latest)?;
        self.signed = Some(self.entries);
        Ok(())
    }

    fn write_waiting(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let mut text = String::new();
        let (mut seq, mut head) = (self.entries, self.head.clone());
        for (time, actor, action) in &self.waiting {
            seq += 1;
            let entry = Entry {
                seq,
                time: *time,
                actor: actor.clone(),
                action: action.clone(),
            };
            let (line, own) = entry.line(&head)?;
            text.push_str(&line);
            text.push('\n');
            head = own;
        }
        let written = self
            .file
            .write_all(text.as_bytes())
            .and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // What is there of it must not stay: the next entry would follow half a line.
            self.file.set_len(self.bytes)?;
            return Err(error);
        }
        (self.entries, self.head) = (seq, head);
        self.bytes += text.len() as u64;
        if let Some((time, ..)) = self.waiting.back() {
            self.latest = *time;
        }
        self.waiting.clear();
        Ok(())
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Entries on the disk.
    #[must_use]
    pub const fn entries(&self) -> u64 {
        self.entries
    }

    /// Nothing waits for the disk, neither an entry nor the checkpoint of the last one.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.waiting.is_empty() && self.signed == Some(self.entries)
    }

    /// Entries that wait for the disk.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Entries that were dropped because too many waited.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Why the trail can't be written now; `None` while it can.
    #[must_use]
    pub fn failing(&self) -> Option<&str> {
        self.failing.as_deref()
    }
}
