//! The file: appended to, synchronised, read from its begin.

use std::{
    collections::VecDeque,
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
};

use super::{
    FILE,
    action::Action,
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

/// Reads a trail from its begin; `on` gets every entry.
///
/// # Errors
/// [`JournalError::Broken`] names the first bad line.
pub fn read(path: &Path, mut on: impl FnMut(Entry)) -> Result<Summary, JournalError> {
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
        summary.entries = number;
        summary.head = own;
        summary.bytes += length;
        on(entry);
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
    pub fn open(folder: &Path, on: impl FnMut(Entry)) -> Result<(Self, Recovery), JournalError> {
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
        let summary = read(&path, on)?;
        let mut journal = Self {
            path,
            file,
            entries: summary.entries,
            head: summary.head,
            bytes: summary.bytes,
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
        if self.waiting.is_empty() {
            return self.failing.is_none();
        }
        match self.write_waiting() {
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

    fn write_waiting(&mut self) -> io::Result<()> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let path =
            std::env::temp_dir().join(format!("wardtap-journal-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        path
    }

    fn refused(number: u64) -> Action {
        Action::Refused {
            what: format!("thing {number}"),
            reason: "it is a test".to_owned(),
        }
    }

    fn write(folder: &Path, from: u64, count: u64) {
        let (mut journal, _) = Journal::open(folder, |_| {}).unwrap();
        for number in from..from + count {
            journal.add(Time(1_000), Actor::Daemon, refused(number));
            assert!(journal.write());
        }
    }

    #[test]
    fn what_was_written_is_read_again() {
        let folder = folder("read");
        write(&folder, 0, 3);
        write(&folder, 3, 2);
        let mut entries = Vec::new();
        let summary = read(&folder.join(FILE), |entry| entries.push(entry)).unwrap();
        assert_eq!((summary.entries, summary.torn), (5, 0));
        for (number, entry) in (0..).zip(&entries) {
            assert_eq!((entry.seq, &entry.action), (number + 1, &refused(number)));
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn one_writer_at_a_time() {
        let folder = folder("held");
        let (_journal, _) = Journal::open(&folder, |_| {}).unwrap();
        assert!(matches!(
            Journal::open(&folder, |_| {}),
            Err(JournalError::Held { .. })
        ));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_torn_end_is_put_aside() {
        let folder = folder("torn");
        write(&folder, 0, 3);
        let path = folder.join(FILE);
        let whole = fs::read(&path).unwrap();
        for cut in 1..60 {
            fs::write(&path, &whole[..whole.len() - cut]).unwrap();
            let mut count = 0;
            let (mut journal, recovery) = Journal::open(&folder, |_| count += 1).unwrap();
            assert_eq!(count, 2);
            assert!(recovery.torn.is_some());
            journal.add(Time(1), Actor::Daemon, refused(9));
            assert!(journal.write());
            assert_eq!(read(&path, |_| {}).unwrap().entries, 3);
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn every_change_of_a_byte_is_found() {
        let folder = folder("changed");
        write(&folder, 0, 4);
        let path = folder.join(FILE);
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() - 1 {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            fs::write(&path, &changed).unwrap();
            let line = whole[..at].split(|byte| *byte == b'\n').count() as u64;
            match read(&path, |_| {}) {
                Err(JournalError::Broken { line: found, .. }) => {
                    assert_eq!(found, line, "byte {at}");
                }
                other => panic!("byte {at}: {other:?}"),
            }
        }
        let lines: Vec<_> = whole.split_inclusive(|byte| *byte == b'\n').collect();
        for orders in [
            vec![0, 2, 3],
            vec![1, 2, 3],
            vec![0, 2, 1, 3],
            vec![0, 1, 1, 2, 3],
        ] {
            let text: Vec<_> = orders.iter().flat_map(|at| lines[*at]).copied().collect();
            fs::write(&path, text).unwrap();
            assert!(matches!(
                Journal::open(&folder, |_| {}),
                Err(JournalError::Broken { .. })
            ));
        }
        fs::remove_dir_all(folder).unwrap();
    }
}
