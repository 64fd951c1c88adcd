//! The files of a trail: one segment that is written, and the closed ones before it.
//!
//! `audit.jsonl` and `audit.checkpoints.jsonl` are the segment that is written. When it is full it is closed: both get its
//! number (`audit.000001.jsonl`), and a new pair begins. The new pair is complete on the disk under other names before the
//! first file is renamed, so whatever moment a daemon is killed at, [`recover`] finds either the old pair or the new one.

use std::{
    fs::{self, File},
    io::{self, BufRead as _, BufReader},
    path::{Path, PathBuf},
};

use sensor_facts::action::{Action, SegmentEnd};

use super::{
    FILE,
    checkpoint::CHECKPOINTS,
    entry::{Entry, Flaw, GENESIS},
    error::JournalError,
};

/// The segment to come, until its names are free.
pub(super) const NEXT: &str = "audit.next.jsonl";
/// Its checkpoints.
pub(super) const NEXT_CHECKPOINTS: &str = "audit.next.checkpoints.jsonl";

/// The files of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// Its number, by the name of its file or by its first entry.
    pub(super) number: u64,
    /// Its entries.
    pub(super) path: PathBuf,
    /// Their checkpoints.
    pub(super) checkpoints: PathBuf,
    /// A segment after it exists, so nothing is added to it.
    pub(super) closed: bool,
}

/// The files of a closed segment in a folder.
pub(super) fn closed(folder: &Path, number: u64) -> Segment {
    Segment {
        number,
        path: folder.join(format!("audit.{number:06}.jsonl")),
        checkpoints: folder.join(format!("audit.{number:06}.checkpoints.jsonl")),
        closed: true,
    }
}

/// The number in the name of a closed segment's file of entries.
pub(super) fn number_in(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("audit.")?.strip_suffix(".jsonl")?;
    let whole = digits.len() >= 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| whole)
}

impl Segment {
    /// Bytes of both files.
    pub(super) fn bytes(&self) -> u64 {
        let of = |path: &Path| fs::metadata(path).map_or(0, |meta| meta.len());
        of(&self.path) + of(&self.checkpoints)
    }
}

/// The closed segments in a folder, the oldest first.
pub(super) fn list_closed(folder: &Path) -> io::Result<Vec<Segment>> {
    let mut numbers = Vec::new();
    for file in fs::read_dir(folder)? {
        numbers.extend(file?.file_name().to_str().and_then(number_in));
    }
    numbers.sort_unstable();
    Ok(numbers
        .into_iter()
        .map(|number| closed(folder, number))
        .collect())
}

/// All segments of a folder, the oldest first; the last one is that which is written, if it is there.
pub(super) fn list(folder: &Path) -> Result<Vec<Segment>, JournalError> {
    let failed = |source| JournalError::System {
        what: "read",
        path: folder.to_owned(),
        source,
    };
    let mut all = list_closed(folder).map_err(failed)?;
    let [active, next] = [FILE, NEXT].map(|name| folder.join(name));
    // A daemon that was killed between two renames.
    let path = if active.exists() || !next.exists() {
        active
    } else {
        next
    };
    if !path.exists() {
        return Ok(all);
    }
    let last = all.last().map_or(0, |segment| segment.number);
    // What is wrong with a first entry is found when it is read.
    let number = match header(&path)? {
        Some(Ok(header)) => header.number,
        _ => last + 1,
    };
    let names = [
        folder.join(CHECKPOINTS),
        folder.join(NEXT_CHECKPOINTS),
        closed(folder, number).checkpoints,
    ];
    let is_next = path.ends_with(NEXT);
    let mut wanted: Vec<_> = names.into_iter().collect();
    if is_next {
        wanted.swap(0, 1);
    } else {
        wanted.swap(1, 2);
    }
    let found = wanted.iter().take(2).find(|path| path.exists());
    let checkpoints = found.unwrap_or(&wanted[0]).clone();
    all.push(Segment {
        number,
        path,
        checkpoints,
        closed: false,
    });
    Ok(all)
}

/// How a segment begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The segment's number.
    pub(super) number: u64,
    /// What it follows; none for the first.
    pub(super) previous: Option<SegmentEnd>,
}

impl Header {
    /// What a first entry says of its segment; `prev` is the hash that it follows.
    fn of(entry: &Entry, prev: &str) -> Result<Self, Flaw> {
        if let Action::SegmentBegun {
            segment, previous, ..
        } = &entry.action
        {
            let follows = previous.last_entry + 1 == entry.seq
                && previous.hash == prev
                && previous.segment + 1 == *segment;
            return if follows {
                Ok(Self {
                    number: *segment,
                    previous: Some(previous.clone()),
                })
            } else {
                Err(Flaw::Header)
            };
        }
        if entry.seq != 1 {
            return Err(Flaw::Number {
                found: entry.seq,
                expected: 1,
            });
        }
        if prev != GENESIS {
            return Err(Flaw::Chain);
        }
        Ok(Self {
            number: 1,
            previous: None,
        })
    }

    /// The number of the entry before the first one.
    pub(super) fn before(&self) -> u64 {
        self.previous.as_ref().map_or(0, |end| end.last_entry)
    }

    /// The hash that the first entry follows.
    pub(super) fn hash(&self) -> &str {
        self.previous.as_ref().map_or(GENESIS, |end| &end.hash)
    }
}

/// How the segment in a file begins, or what is wrong with its first entry; none if the file has no whole entry yet.
pub(super) fn header(path: &Path) -> Result<Option<Result<Header, Flaw>>, JournalError> {
    let failed = |source| JournalError::System {
        what: "read",
        path: path.to_owned(),
        source,
    };
    let mut line = Vec::new();
    let file = File::open(path).map_err(failed)?;
    BufReader::new(file)
        .read_until(b'\n', &mut line)
        .map_err(failed)?;
    if line.pop() != Some(b'\n') {
        return Ok(None);
    }
    let read = Entry::parse_any(&line).and_then(|(entry, prev, _)| Header::of(&entry, &prev));
    Ok(Some(read))
}

/// Gives a complete next segment its names: the old pair gets its number, the new one takes its place.
pub(super) fn exchange(folder: &Path, old: u64) -> io::Result<()> {
    let old = closed(folder, old);
    let rename = |from: &str, to: &Path| fs::rename(folder.join(from), to);
    rename(CHECKPOINTS, &old.checkpoints)?;
    rename(FILE, &old.path)?;
    rename(NEXT_CHECKPOINTS, &folder.join(CHECKPOINTS))?;
    rename(NEXT, &folder.join(FILE))?;
    sync(folder)
}

/// Puts right what a daemon left that was killed while a segment began: one that had not got a name is taken back, else
/// its files get the names that they lack.
pub(super) fn recover(folder: &Path) -> io::Result<()> {
    let next = folder.join(NEXT);
    let next_checkpoints = folder.join(NEXT_CHECKPOINTS);
    let whole = match header(&next) {
        Ok(Some(Ok(header))) => header.previous.map(|end| closed(folder, end.segment)),
        _ => None,
    };
    let begun = whole.filter(|old| old.checkpoints.exists());
    let Some(old) = begun else {
        for path in [next, next_checkpoints] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        return Ok(());
    };
    if !old.path.exists() {
        fs::rename(folder.join(FILE), old.path)?;
    }
    if next_checkpoints.exists() {
        fs::rename(next_checkpoints, folder.join(CHECKPOINTS))?;
    }
    fs::rename(next, folder.join(FILE))?;
    sync(folder)
}

/// Waits until the disk has the names in a folder.
pub(super) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
