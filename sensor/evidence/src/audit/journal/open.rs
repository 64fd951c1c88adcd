//! The start: the last segment is verified, and what a killed daemon left is put right.

use std::{
    collections::VecDeque,
    fs::{self, File, OpenOptions},
    io::{self, Seek, SeekFrom},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
};
use sensor_facts::time::Time;

use super::{Before, Journal, Recovery};
use crate::audit::{
    FILE,
    checkpoint::CHECKPOINTS,
    entry::Entry,
    error::JournalError,
    segment::{self, Segment},
    signer::{self, Signer},
    walk::Walk,
};

/// Held by the one who writes the trail.
const LOCK: &str = "audit.lock";

impl Journal {
    /// Opens the trail in `folder`, or begins one. The last segment is verified; `on` gets every entry of it, of which the
    /// first says what was in force before. What was not written to its end, because the daemon was killed or the disk was
    /// full, nobody was told to be done: it is put aside.
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
        let lock = lock(folder, &path)?;
        segment::recover(folder).map_err(failed("put right the files in", folder))?;
        let closed = segment::list_closed(folder).map_err(failed("read", folder))?;
        if let Some(last) = closed.last()
            && !path.exists()
        {
            return Err(JournalError::Missing {
                folder: folder.to_owned(),
                segment: last.number + 1,
                entry: None,
            });
        }
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path)
            .map_err(failed("open", &path))?;
        let mut latest = Time::default();
        // A trail of a version that made no checkpoints is signed from now on, as it is.
        let sealed = !Signer::is_new(folder);
        let key = sealed
            .then(|| signer::public_key(folder))
            .transpose()
            .map_err(failed("read the signing key in", folder))?;
        let mut walk = Walk::by(key.as_deref());
        let active = segment::list(folder)?.pop().unwrap_or(Segment {
            number: 1,
            path: path.clone(),
            checkpoints: folder.join(CHECKPOINTS),
            closed: false,
        });
        walk.step(&active, sealed, |read| {
            latest = read.entry.time;
            on(read.entry);
        })?;
        let summary = walk.summary();
        let mut journal = Self {
            folder: folder.to_owned(),
            path,
            file,
            _lock: lock,
            segment: active.number,
            entries: summary.entries,
            head: summary.head.clone(),
            bytes: summary.bytes,
            signer: None,
            torn_checkpoint: walk.torn_checkpoint(),
            signed: (!walk.signed().is_empty()).then(|| walk.signed().last()),
            latest,
            waiting: VecDeque::new(),
            failing: None,
            before: Before {
                previous: walk.before().cloned(),
                removed: walk.removed().cloned(),
                key,
            },
            removing: walk.removed().is_some(),
            #[cfg(test)]
            broken: std::sync::Arc::default(),
        };
        let mut recovery = Recovery::default();
        let torn = summary.torn;
        if torn > 0 {
            let aside = journal
                .put_aside()
                .map_err(failed("put aside the torn end of", &journal.path))?;
            recovery.torn = Some((torn, aside));
        }
        journal.finish_removal();
        // What can't be signed now is so with the next write.
        journal.write();
        // The file's name has to be on the disk as well.
        segment::sync(folder).map_err(failed("synchronise", folder))?;
        Ok((journal, recovery))
    }

    fn put_aside(&mut self) -> io::Result<PathBuf> {
        let mut aside = self.path.clone();
        aside.set_extension(format!("torn-{}", self.entries + 1));
        let mut rest = Vec::new();
        self.file.seek(SeekFrom::Start(self.bytes))?;
        io::Read::read_to_end(&mut self.file, &mut rest)?;
        fs::write(&aside, rest)?;
        self.file.set_len(self.bytes)?;
        self.file.sync_data()?;
        Ok(aside)
    }

    /// Removes what an entry says to be removed, if the daemon was killed in between.
    pub(super) fn finish_removal(&mut self) {
        let Some(removed) = self.before.removed.as_ref().filter(|_| self.removing) else {
            return;
        };
        self.removing = false;
        for segment in segment::list_closed(&self.folder).unwrap_or_default() {
            if segment.number <= removed.segment {
                // Else it is tried again at the next start.
                remove(&segment);
            }
        }
    }
}

/// Takes the trail for one process.
fn lock(folder: &Path, path: &Path) -> Result<Flock<File>, JournalError> {
    let lock = folder.join(LOCK);
    let failed = |what| {
        let path = lock.clone();
        move |source| JournalError::System { what, path, source }
    };
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&lock)
        .map_err(failed("open"))?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(file) => Ok(file),
        Err((_, Errno::EWOULDBLOCK)) => Err(JournalError::Held {
            path: path.to_owned(),
        }),
        Err((_, error)) => Err(failed("lock")(error.into())),
    }
}

/// Removes a segment's files: first the entries, so that none is left without its checkpoints.
fn remove(segment: &Segment) {
    for path in [&segment.path, &segment.checkpoints] {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::error!(path = %path.display(), "a segment of the trail can't be removed, it is tried again: {error}");
                return;
            }
            _ => {}
        }
    }
}
