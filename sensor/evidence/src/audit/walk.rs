//! Reading segment after segment, each of which has to follow the one before it.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
};

use sensor_facts::action::{Action, SegmentEnd};

use super::{
    checkpoint::Checkpoints,
    entry::{Entry, Flaw},
    error::JournalError,
    reading::{Signatures, Summary},
    segment::{self, Header, Segment},
};

/// An entry as it was read.
pub(super) struct Read<'a> {
    pub(super) entry: Entry,
    /// The hash that it follows.
    pub(super) prev: &'a str,
    /// Its own.
    pub(super) own: &'a str,
    /// As it stands there, without line feed.
    pub(super) line: &'a [u8],
}

/// A walk over segments, each of which has to follow the one before it.
#[derive(Debug, Default)]
pub(super) struct Walk {
    summary: Summary,
    signed: Signatures,
    /// What the next segment has to follow.
    end: Option<SegmentEnd>,
    /// What the oldest segment follows, which is not there.
    before: Option<SegmentEnd>,
    /// The last segment that an entry says to be removed.
    removed: Option<SegmentEnd>,
    /// Bytes of a last checkpoint that was not written to its end.
    torn_checkpoint: u64,
}

impl Walk {
    /// A walk in which only what `key` signed counts.
    pub(super) fn by(key: Option<&str>) -> Self {
        Self {
            signed: Signatures {
                key: key.map(str::to_owned),
                ..Signatures::default()
            },
            ..Self::default()
        }
    }

    /// A walk that begins with the segment after `end`.
    pub(super) fn after(end: SegmentEnd) -> Self {
        Self {
            end: Some(end),
            ..Self::default()
        }
    }

    /// Takes the next segment; with `sealed` its checkpoints too.
    pub(super) fn step(
        &mut self,
        segment: &Segment,
        sealed: bool,
        mut on: impl FnMut(Read<'_>),
    ) -> Result<(), JournalError> {
        let expected = match &self.end {
            Some(end) => Some(end.last_entry + 1),
            None => (segment.number == 1).then_some(1),
        };
        let broken = |flaw| JournalError::Broken {
            path: segment.path.clone(),
            line: 1,
            entry: expected,
            flaw,
        };
        let header = match segment::header(&segment.path)? {
            Some(Ok(header)) => header,
            Some(Err(flaw)) => return Err(broken(flaw)),
            // Only the first segment can be without an entry.
            None if segment.number > 1 => return Err(broken(Flaw::Header)),
            None => Header {
                number: 1,
                previous: None,
            },
        };
        let entry = header.before() + 1;
        if let Some(end) = &self.end
            && segment.number != end.segment + 1
        {
            return Err(JournalError::Missing {
                folder: folder_of(&segment.path),
                segment: end.segment + 1,
                entry: Some(end.last_entry + 1),
            });
        }
        let follows = self.end.is_none() || self.end == header.previous;
        if header.number != segment.number || !follows {
            return Err(JournalError::Link {
                path: segment.path.clone(),
                entry: self.end.as_ref().map_or(entry, |end| end.last_entry + 1),
            });
        }
        if self.end.is_none() {
            self.before.clone_from(&header.previous);
            self.summary.first = entry;
        }
        let key = self.signed.key.clone();
        let mut take = |read: Read<'_>| {
            self.notice(&read.entry);
            on(read);
        };
        let summary = if sealed {
            let (summary, checkpoints) = hold(segment, &header, key.as_deref(), take)?;
            self.signed.last = checkpoints.last();
            self.signed.count += checkpoints.len();
            self.torn_checkpoint = checkpoints.torn;
            self.signed.key = checkpoints.key;
            summary
        } else {
            read_file(&segment.path, &header, &mut take)?
        };
        let path = || segment.path.clone();
        if segment.closed && summary.torn > 0 {
            return Err(JournalError::Broken {
                path: path(),
                line: summary.entries - header.before() + 1,
                entry: Some(summary.entries + 1),
                flaw: Flaw::Shape,
            });
        }
        if segment.closed && sealed && self.signed.last < summary.entries {
            return Err(JournalError::Behind {
                path: path(),
                entries: summary.entries,
                signed: self.signed.last,
            });
        }
        self.end = Some(SegmentEnd {
            segment: segment.number,
            last_entry: summary.entries,
            hash: summary.head.clone(),
        });
        self.summary.segments += 1;
        self.summary.entries = summary.entries;
        self.summary.head = summary.head;
        self.summary.bytes += summary.bytes;
        self.summary.torn = summary.torn;
        if summary.entries == 0 {
            self.summary.first = 0;
        }
        Ok(())
    }

    /// What an entry says of segments that are not there any more.
    pub(super) fn notice(&mut self, entry: &Entry) {
        if let Action::SegmentRemoved { removed, .. } = &entry.action {
            self.removed = Some(removed.clone());
        }
    }

    /// The last segment that an entry says to be removed.
    pub(super) const fn removed(&self) -> Option<&SegmentEnd> {
        self.removed.as_ref()
    }

    /// What the oldest segment follows, which is not there.
    pub(super) const fn before(&self) -> Option<&SegmentEnd> {
        self.before.as_ref()
    }

    /// What was read so far.
    pub(super) const fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Who signed it.
    pub(super) const fn signed(&self) -> &Signatures {
        &self.signed
    }

    /// Bytes of a last checkpoint that was not written to its end.
    pub(super) const fn torn_checkpoint(&self) -> u64 {
        self.torn_checkpoint
    }

    /// What the next segment has to follow.
    pub(super) const fn end(&self) -> Option<&SegmentEnd> {
        self.end.as_ref()
    }

    /// Ends it: what is not there before the oldest segment has to be named by an entry as removed.
    pub(super) fn done(mut self, folder: &Path) -> Result<(Summary, Signatures), JournalError> {
        if let Some(before) = &self.before {
            if self.removed.as_ref() != Some(before) {
                return Err(JournalError::Missing {
                    folder: folder.to_owned(),
                    segment: before.segment,
                    entry: None,
                });
            }
            self.summary.removed = before.segment;
        }
        Ok((self.summary, self.signed))
    }
}

/// The folder of a file.
pub(super) fn folder_of(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new(".")).to_owned()
}

/// One segment and its checkpoints; entries at the end need not be signed yet.
fn hold(
    segment: &Segment,
    header: &Header,
    key: Option<&str>,
    mut on: impl FnMut(Read<'_>),
) -> Result<(Summary, Checkpoints), JournalError> {
    let checkpoints = Checkpoints::read(&segment.checkpoints, key, header.before())?;
    let mut rewritten = None;
    let summary = read_file(&segment.path, header, &mut |read: Read<'_>| {
        let seq = read.entry.seq;
        if rewritten.is_none() && checkpoints.head(seq).is_some_and(|head| head != read.own) {
            rewritten = Some((checkpoints.before(seq) + 1, seq));
        }
        on(read);
    })?;
    let path = segment.path.clone();
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
    let some = summary.entries > header.before();
    // What a segment follows is signed before it is a segment.
    let linked = header.previous.is_none() || checkpoints.head(header.before() + 1).is_some();
    if some && (checkpoints.is_empty() || !linked) {
        return Err(JournalError::Unsigned { path });
    }
    Ok((summary, checkpoints))
}

/// Reads the file of one segment.
fn read_file(
    path: &Path,
    header: &Header,
    on: &mut dyn FnMut(Read<'_>),
) -> Result<Summary, JournalError> {
    let failed = |source| JournalError::System {
        what: "read",
        path: path.to_owned(),
        source,
    };
    let mut reader = BufReader::new(File::open(path).map_err(failed)?);
    let mut summary = Summary {
        entries: header.before(),
        head: header.hash().to_owned(),
        ..Summary::default()
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
        let parsed = Entry::parse(&line, &summary.head, number);
        let (entry, own) = parsed.map_err(|flaw| JournalError::Broken {
            path: path.to_owned(),
            line: number - header.before(),
            entry: Some(number),
            flaw,
        })?;
        on(Read {
            entry,
            prev: &summary.head,
            own: &own,
            line: &line,
        });
        summary.entries = number;
        summary.head = own;
        summary.bytes += length;
    }
}
