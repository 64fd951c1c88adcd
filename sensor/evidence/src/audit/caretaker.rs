//! What happens to the segments that are closed: they are verified in the background, and the oldest ones are exported and
//! removed when the trail is larger than it may be.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Weak, mpsc},
    thread,
    time::Duration,
};

use sensor_facts::{
    action::{Action, SegmentEnd},
    clock,
    time::Time,
};

use super::{
    checkpoint::PUBLIC_KEY,
    error::JournalError,
    journal::{Before, Journal},
    options::TrailOptions,
    segment::{self, Segment},
    trail::Shared,
    walk::Walk,
};

/// Between two looks at the size of the trail.
const LOOK: Duration = Duration::from_secs(5);
/// Between two looks at whether an entry is on the disk.
const SOON: Duration = Duration::from_millis(50);

/// How the closed segments fare.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Check {
    /// Closed segments that were there at the start.
    pub segments: u64,
    /// Of these, those that were verified.
    pub verified: u64,
    /// The verification is over.
    pub done: bool,
    /// What is wrong with them.
    pub flaw: Option<String>,
    /// Bytes of all segments.
    pub bytes: u64,
    /// Segments removed since the start that were exported before.
    pub exported: u64,
    /// Segments removed since the start that were exported nowhere.
    pub lost: u64,
    /// The last segment that was removed, since the trail began; 0 if none was.
    pub removed_to: u64,
    /// Why the oldest segment can't be exported.
    pub export_failing: Option<String>,
}

/// The thread that looks after closed segments. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Caretaker {
    _end: mpsc::Sender<()>,
}

struct Work {
    folder: PathBuf,
    options: TrailOptions,
    before: Before,
    shared: Weak<Shared>,
    over: mpsc::Receiver<()>,
}

impl Caretaker {
    pub(super) fn start(
        journal: &Journal,
        options: TrailOptions,
        shared: Weak<Shared>,
    ) -> io::Result<Self> {
        let (end, over) = mpsc::channel();
        let work = Work {
            folder: journal.folder().to_owned(),
            options,
            before: journal.before().clone(),
            shared,
            over,
        };
        let closed = journal.segment() - 1;
        thread::Builder::new()
            .name("trail-care".into())
            .spawn(move || {
                sensor_facts::rights::drop_all();
                work.run(closed);
            })?;
        Ok(Self { _end: end })
    }
}

impl Work {
    /// Waits; false if the trail is closed.
    fn wait(&self, time: Duration) -> bool {
        self.over.recv_timeout(time) == Err(mpsc::RecvTimeoutError::Timeout)
    }

    fn check(&self, change: impl FnOnce(&mut Check)) {
        if let Some(shared) = self.shared.upgrade() {
            shared.check(change);
        }
    }

    fn run(&self, last: u64) {
        let whole = match self.verify(last) {
            Ok(whole) => whole,
            Err(error) => {
                tracing::error!("{error}");
                self.check(|check| check.flaw = Some(error.to_string()));
                // What is wrong is evidence: nothing of it is removed.
                return;
            }
        };
        self.check(|check| check.done = whole);
        if !whole {
            return;
        }
        loop {
            if let Err(error) = self.bound() {
                let error = error.to_string();
                let mut new = false;
                self.check(|check| {
                    new = check.export_failing.as_ref() != Some(&error);
                    check.export_failing = Some(error.clone());
                });
                if new {
                    tracing::error!(
                        "the oldest segment of the audit trail can't be exported, so it stays: {error}"
                    );
                }
            }
            if !self.wait(LOOK) {
                return;
            }
        }
    }

    /// Verifies the segments to this one, which are closed; false if the trail was closed meanwhile.
    fn verify(&self, last: u64) -> Result<bool, JournalError> {
        let failed = |source| JournalError::System {
            what: "read",
            path: self.folder.clone(),
            source,
        };
        let mut all = segment::list_closed(&self.folder).map_err(failed)?;
        all.retain(|segment| segment.number <= last);
        let removed = self.before.removed.as_ref().map_or(0, |end| end.segment);
        self.check(|check| {
            check.segments = all.len() as u64;
            check.removed_to = removed;
        });
        let mut walk = Walk::by(self.before.key.as_deref());
        for segment in &all {
            if self.over.try_recv() == Err(mpsc::TryRecvError::Disconnected) {
                return Ok(false);
            }
            walk.step(segment, true, |_| {})?;
            self.check(|check| check.verified += 1);
        }
        self.link(&walk)?;
        Ok(true)
    }

    /// The segment that was verified at the start has to follow these, and what is missing before them has to be removed.
    fn link(&self, walk: &Walk) -> Result<(), JournalError> {
        let missing = |end: &SegmentEnd| JournalError::Missing {
            folder: self.folder.clone(),
            segment: end.segment,
            entry: None,
        };
        let removed = self.before.removed.as_ref().or(walk.removed());
        self.check(|check| check.removed_to = removed.map_or(0, |end| end.segment));
        match (walk.end(), &self.before.previous) {
            (Some(end), Some(previous)) if end == previous => {}
            (Some(end), Some(previous)) if end.segment == previous.segment => {
                return Err(JournalError::Link {
                    path: self.folder.join(super::FILE),
                    entry: previous.last_entry + 1,
                });
            }
            (_, None) => {}
            (None, Some(previous)) if removed == Some(previous) => return Ok(()),
            (_, Some(previous)) => return Err(missing(previous)),
        }
        match walk.before() {
            Some(before) if removed != Some(before) => Err(missing(before)),
            _ => Ok(()),
        }
    }

    /// Removes the oldest segments while all of them are larger than they may be.
    fn bound(&self) -> io::Result<()> {
        loop {
            let closed = segment::list_closed(&self.folder)?;
            let all = segment::list(&self.folder).unwrap_or_default();
            let bytes: u64 = all.iter().map(Segment::bytes).sum();
            self.check(|check| check.bytes = bytes);
            // The last closed one stays, as what the one that is written follows.
            let oldest = match closed.as_slice() {
                [oldest, _, ..] if bytes > self.options.max_bytes => oldest,
                _ => {
                    self.check(|check| check.export_failing = None);
                    return Ok(());
                }
            };
            let end = end_of(oldest)?;
            let exported = match &self.options.export {
                Some(folder) => {
                    export(oldest, folder, &end, &self.folder)?;
                    Some(folder.display().to_string())
                }
                None => None,
            };
            if !self.remove(oldest, end, exported) {
                return Ok(());
            }
        }
    }

    /// Has the removal written down, which the trail's thread then carries out; false if the trail was closed meanwhile.
    fn remove(&self, segment: &Segment, removed: SegmentEnd, exported: Option<String>) -> bool {
        let kept = exported.is_some();
        let action = Action::SegmentRemoved {
            removed,
            bytes: segment.bytes(),
            exported,
        };
        tracing::warn!("{action}");
        let Some(shared) = self.shared.upgrade() else {
            return false;
        };
        let now = clock::now();
        let number = shared.record_own(Time(now.0 - now.0.rem_euclid(1_000)), action);
        drop(shared);
        loop {
            let reached = self.shared.upgrade().map(|shared| shared.reached(number));
            match reached {
                None => return false,
                Some((_, true)) => break,
                Some(_) if !self.wait(SOON) => return false,
                Some(_) => {}
            }
        }
        self.check(|check| {
            if kept {
                check.exported += 1;
            } else {
                check.lost += 1;
            }
            check.removed_to = segment.number;
        });
        true
    }
}

/// Where a closed segment ends.
fn end_of(segment: &Segment) -> io::Result<SegmentEnd> {
    let mut walk = Walk::default();
    walk.step(segment, true, |_| {}).map_err(io::Error::other)?;
    let end = walk.end().cloned();
    end.ok_or_else(|| io::Error::other("it has no end"))
}

/// Copies a segment with its checkpoints and the public key, and reads the copy again.
fn export(segment: &Segment, to: &Path, end: &SegmentEnd, state: &Path) -> io::Result<()> {
    let copy = segment::closed(to, segment.number);
    for (from, to) in [
        (state.join(PUBLIC_KEY), to.join(PUBLIC_KEY)),
        (segment.checkpoints.clone(), copy.checkpoints.clone()),
        (segment.path.clone(), copy.path.clone()),
    ] {
        put(&from, &to)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", to.display())))?;
    }
    segment::sync(to)?;
    if end_of(&copy)? != *end {
        return Err(io::Error::other("the copy is not what was copied"));
    }
    Ok(())
}

/// Copies a file, under another name until it is whole.
fn put(from: &Path, to: &Path) -> io::Result<()> {
    let mut part = to.as_os_str().to_owned();
    part.push(".part");
    let mut file = fs::File::create(&part)?;
    io::copy(&mut fs::File::open(from)?, &mut file)?;
    file.flush()?;
    file.sync_all()?;
    fs::rename(part, to)
}
