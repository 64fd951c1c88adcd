//! The next segment: complete on the disk before it has a name.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use sensor_facts::{
    action::{Action, SegmentEnd, Standing},
    rule::Actor,
    time::Time,
};

use super::Journal;
use crate::audit::{
    checkpoint::CHECKPOINTS,
    entry::Entry,
    segment::{self, NEXT, NEXT_CHECKPOINTS, Segment},
    signer::Signer,
    walk::Walk,
};

impl Journal {
    /// Closes this segment, all of which is written and signed, and begins the next one.
    pub(super) fn begin_segment(&mut self, time: Time, standing: Box<Standing>) -> io::Result<()> {
        if self.entries == 0 || self.signed != Some(self.entries) {
            return Ok(());
        }
        let previous = self.end();
        let entry = Entry {
            seq: self.entries + 1,
            time,
            actor: Actor::Daemon,
            action: Action::SegmentBegun {
                segment: self.segment + 1,
                previous: previous.clone(),
                standing,
            },
        };
        // What an attempt before this one left.
        segment::recover(&self.folder)?;
        let there = segment::header(&self.path).ok().flatten();
        let begun =
            matches!(there, Some(Ok(header)) if header.previous.as_ref() == Some(&previous));
        if !begun {
            let (mut line, own) = entry.line(&self.head)?;
            line.push('\n');
            let signer = match &mut self.signer {
                Some(signer) => signer,
                none => none.insert(Signer::open(&self.folder, self.torn_checkpoint)?),
            };
            let signature = signer.line(entry.seq, self.signed, &own, time)?;
            create(&self.folder.join(NEXT), line.as_bytes())?;
            create(&self.folder.join(NEXT_CHECKPOINTS), &signature)?;
            segment::sync(&self.folder)?;
            segment::exchange(&self.folder, self.segment)?;
        }
        self.go_on(previous)
    }

    /// Goes on with the segment that has the name now.
    fn go_on(&mut self, previous: SegmentEnd) -> io::Result<()> {
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .open(&self.path)?;
        let active = Segment {
            number: self.segment + 1,
            path: self.path.clone(),
            checkpoints: self.folder.join(CHECKPOINTS),
            closed: false,
        };
        let mut walk = Walk::after(previous.clone());
        walk.step(&active, true, |_| {}).map_err(io::Error::other)?;
        match &mut self.signer {
            Some(signer) => signer.reopen()?,
            none => *none = Some(Signer::open(&self.folder, 0)?),
        }
        let summary = walk.summary();
        self.file = file;
        self.segment += 1;
        (self.entries, self.head) = (summary.entries, summary.head.clone());
        self.bytes = summary.bytes;
        self.signed = Some(walk.signed().last());
        self.before.previous = Some(previous);
        Ok(())
    }
}

/// Writes a file that is on the disk when it returns.
fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
