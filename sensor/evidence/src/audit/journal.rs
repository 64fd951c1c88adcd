//! The file: appended to, synchronised.

use std::{
    collections::VecDeque,
    fs::{self, File, OpenOptions},
    io::{self, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
};
use sensor_facts::{action::Action, rule::Actor, time::Time};

use super::{
    FILE,
    checkpoint::{self, Checkpoints, Signer},
    entry::Entry,
    reading::{JournalError, hold, read},
};

/// Entries that wait for a disk at most; what comes beyond is dropped and counted.
const WAITING_MAX: usize = 4_096;

/// What was done to open a journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Bytes of a last line that was not written to its end, and the file they are kept in.
    pub torn: Option<(u64, PathBuf)>,
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
