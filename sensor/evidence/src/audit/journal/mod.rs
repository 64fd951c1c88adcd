//! The segment that is written: appended to, synchronised, signed, and closed when it is full.

mod begin;
mod open;

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
};

use nix::fcntl::Flock;
use sensor_facts::{
    action::{Action, SegmentEnd, Standing},
    rule::Actor,
    time::Time,
};

use super::{
    entry::{Entry, GENESIS},
    signer::Signer,
};

/// What was done to open a journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Bytes of a last line that was not written to its end, and the file they are kept in.
    pub torn: Option<(u64, PathBuf)>,
}

/// What is written down, in its order.
#[derive(Clone, Debug)]
pub(super) enum Item {
    /// An entry.
    Entry(Time, Actor, Box<Action>),
    /// The next segment begins, if this one is full.
    Segment(Time, Box<Standing>),
}

/// What the oldest segments that are there follow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Before {
    /// What the segment that is written follows.
    pub(super) previous: Option<SegmentEnd>,
    /// The last segment that an entry in it says to be removed.
    pub(super) removed: Option<SegmentEnd>,
    /// The key that signs.
    pub(super) key: Option<String>,
}

/// The trail, open for writing; nobody else can have it meanwhile.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    path: PathBuf,
    file: File,
    _lock: Flock<File>,
    segment: u64,
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
    waiting: VecDeque<Item>,
    failing: Option<String>,
    before: Before,
    /// An entry says that a segment is removed, and its files may still be there.
    removing: bool,
    /// Set while the disk is to refuse.
    #[cfg(test)]
    pub(super) broken: std::sync::Arc<std::sync::atomic::AtomicBool>,
}

impl Journal {
    /// Takes an entry, to be written with those that wait.
    pub fn add(&mut self, time: Time, actor: Actor, action: Action) {
        self.take(Item::Entry(time, actor, Box::new(action)));
    }

    /// Takes the end of this segment: the next one begins with what is in force now.
    pub fn add_segment(&mut self, time: Time, standing: Standing) {
        self.take(Item::Segment(time, Box::new(standing)));
    }

    pub(super) fn take(&mut self, item: Item) {
        self.waiting.push_back(item);
    }

    /// Writes all that waits, and waits until the disk has it; whether that was so. Where it fails, the
    /// entries go on waiting.
    pub fn write(&mut self) -> bool {
        if self.is_settled() {
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
        loop {
            let entries = self.waiting.iter();
            let run = entries.take_while(|item| matches!(item, Item::Entry(..)));
            let run = run.count();
            self.append(run)?;
            self.sign()?;
            let Some(Item::Segment(time, standing)) = self.waiting.front().cloned() else {
                return Ok(());
            };
            self.begin_segment(time, standing)?;
            self.waiting.pop_front();
        }
    }

    /// Appends the first `count` of what waits, which are entries.
    fn append(&mut self, count: usize) -> io::Result<()> {
        if count == 0 {
            return Ok(());
        }
        #[cfg(test)]
        if self.broken.load(std::sync::atomic::Ordering::Relaxed) {
            return Err(io::Error::other("it is broken"));
        }
        let mut text = String::new();
        let (mut seq, mut head, mut latest) = (self.entries, self.head.clone(), self.latest);
        for item in self.waiting.iter().take(count) {
            let Item::Entry(time, actor, action) = item else {
                break;
            };
            seq += 1;
            latest = *time;
            let entry = Entry {
                seq,
                time: *time,
                actor: actor.clone(),
                action: (**action).clone(),
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
        (self.entries, self.head, self.latest) = (seq, head, latest);
        self.bytes += text.len() as u64;
        let written = self.waiting.drain(..count);
        let mut removed = written.filter_map(|item| match item {
            Item::Entry(_, _, action) => match *action {
                Action::SegmentRemoved { removed, .. } => Some(removed),
                _ => None,
            },
            Item::Segment(..) => None,
        });
        if let Some(removed) = removed.next_back() {
            self.before.removed = Some(removed);
            self.removing = true;
        }
        Ok(())
    }

    fn sign(&mut self) -> io::Result<()> {
        if self.signed != Some(self.entries) {
            let signer = match &mut self.signer {
                Some(signer) => signer,
                none => none.insert(Signer::open(&self.folder, self.torn_checkpoint)?),
            };
            signer.sign(self.entries, self.signed, &self.head, self.latest)?;
            self.signed = Some(self.entries);
        }
        // Only when the entry that says so is signed.
        self.finish_removal();
        Ok(())
    }

    /// Where this segment ends now.
    pub(super) fn end(&self) -> SegmentEnd {
        SegmentEnd {
            segment: self.segment,
            last_entry: self.entries,
            hash: if self.entries == 0 {
                GENESIS.to_owned()
            } else {
                self.head.clone()
            },
        }
    }

    /// What the oldest segments that are there follow.
    pub(super) const fn before(&self) -> &Before {
        &self.before
    }

    /// The number of the segment that is written.
    #[must_use]
    pub const fn segment(&self) -> u64 {
        self.segment
    }

    /// Bytes of this segment with its checkpoints.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes + self.signer.as_ref().map_or(0, Signer::bytes)
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
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

    /// What waits for the disk.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Why the trail can't be written now; `None` while it can.
    #[must_use]
    pub fn failing(&self) -> Option<&str> {
        self.failing.as_deref()
    }
}
