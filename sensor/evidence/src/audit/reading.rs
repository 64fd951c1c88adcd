//! The trail, read from its begin: what it holds, and the first entry that is not what it was.
//!
//! A path that ends in `audit.jsonl`, or a folder, means all segments of a trail; any other file is read by itself.

use std::{collections::VecDeque, io, path::Path, thread, time::Duration};

use super::{
    FILE,
    checkpoint::CHECKPOINTS,
    entry::Entry,
    error::JournalError,
    segment::{self, Segment},
    walk::{Read, Walk, folder_of},
};

/// What a trail holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// Number of the last entry; of a trail of which nothing was removed, how many there are.
    pub entries: u64,
    /// Number of the first entry that is there: 1 unless segments were removed or one was read alone; 0 without any.
    pub first: u64,
    /// Segments that were read.
    pub segments: u64,
    /// Segments before them, which were removed.
    pub removed: u64,
    /// Hash of the last entry.
    pub head: String,
    /// Length of the whole lines, bytes.
    pub bytes: u64,
    /// Bytes after them, of a line that was not written to its end.
    pub torn: u64,
}

/// Who signed a trail, and how far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signatures {
    /// The public key, hexadecimal; none without checkpoints.
    pub key: Option<String>,
    pub(super) last: u64,
    pub(super) count: usize,
}

impl Signatures {
    /// The last entry that was signed; 0 without checkpoints.
    #[must_use]
    pub const fn last(&self) -> u64 {
        self.last
    }

    /// How many checkpoints there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// True without any.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }
}

/// The segments that a path means: all of a folder's, or one file alone.
pub(super) fn segments(path: &Path) -> Result<Vec<Segment>, JournalError> {
    let folder = if path.is_dir() {
        path
    } else {
        path.parent().unwrap_or(Path::new("."))
    };
    if path.is_dir() || path.file_name().is_some_and(|name| name == FILE) {
        let all = segment::list(folder)?;
        match all.last() {
            Some(last) if last.closed && !path.is_dir() => {
                return Err(JournalError::Missing {
                    folder: folder.to_owned(),
                    segment: last.number + 1,
                    entry: None,
                });
            }
            Some(_) => return Ok(all),
            None => {}
        }
    }
    let name = path.file_name().and_then(|name| name.to_str());
    Ok(vec![match name.and_then(segment::number_in) {
        Some(number) => segment::closed(folder, number),
        None => Segment {
            number: match segment::header(path)? {
                Some(Ok(header)) => header.number,
                _ => 1,
            },
            path: path.to_owned(),
            checkpoints: folder.join(CHECKPOINTS),
            closed: false,
        },
    }])
}

/// Reads a trail from its begin and holds it against the checkpoints beside it, of which the last has to be of its
/// last entry; `on` gets every entry. With `key` only checkpoints that it signed count. Every segment has to follow the
/// one before it, and segments that are missing at the begin have to be named as removed.
///
/// # Errors
/// [`JournalError`] names the first entry that is not what it was. A trail that is being written can be
/// [`JournalError::Behind`] for a moment.
pub fn verify(
    path: &Path,
    key: Option<&str>,
    mut on: impl FnMut(Entry),
) -> Result<(Summary, Signatures), JournalError> {
    let segments = segments(path)?;
    // A segment that is read alone says itself what it follows.
    let alone = !path.is_dir() && path.file_name().is_none_or(|name| name != FILE);
    let mut walk = Walk::by(key);
    for segment in &segments {
        walk.step(segment, true, |read| on(read.entry))?;
    }
    let (entries, signed) = (walk.summary().entries, walk.signed().last());
    if signed < entries {
        let path = segments.last().map_or(path, |segment| &segment.path);
        return Err(JournalError::Behind {
            path: path.to_owned(),
            entries,
            signed,
        });
    }
    if alone {
        return Ok((walk.summary().clone(), walk.signed().clone()));
    }
    walk.done(&folder_of(&segments[0].path))
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
) -> (T, Result<(Summary, Signatures), JournalError>) {
    let mut tries = 0;
    loop {
        let mut taken = begin();
        let verified = verify(path, key, |entry| take(&mut taken, entry));
        // The daemon may also be about to begin a segment, or to remove one.
        let passing = match &verified {
            Err(JournalError::Behind { .. } | JournalError::Missing { .. }) => true,
            Err(JournalError::System { source, .. }) => source.kind() == io::ErrorKind::NotFound,
            _ => false,
        };
        if tries == TRIES || !passing {
            return (taken, verified);
        }
        tries += 1;
        thread::sleep(AGAIN);
    }
}

/// Reads a trail from its begin; `on` gets every entry. Only the chain is looked at.
///
/// # Errors
/// [`JournalError::Broken`] names the first bad line.
pub fn read(path: &Path, mut on: impl FnMut(Entry)) -> Result<Summary, JournalError> {
    read_each(path, |read| on(read.entry))
}

/// The last entries of a trail, at most `count`, by the chain alone. Segments before them are not read.
///
/// # Errors
/// As [`read`].
pub fn last(path: &Path, count: usize) -> Result<VecDeque<Entry>, JournalError> {
    last_of(path, count, |_| true)
}

/// The last entries of a trail that are wanted, at most `count`, as [`last`] gives them.
///
/// # Errors
/// As [`read`].
pub fn last_of(
    path: &Path,
    count: usize,
    wanted: impl Fn(&Entry) -> bool,
) -> Result<VecDeque<Entry>, JournalError> {
    let segments = segments(path)?;
    let mut entries = VecDeque::new();
    for segment in segments.iter().rev() {
        if entries.len() >= count {
            break;
        }
        let room = count - entries.len();
        let mut here = VecDeque::new();
        Walk::default().step(segment, false, |read| {
            if !wanted(&read.entry) {
                return;
            }
            if here.len() == room {
                here.pop_front();
            }
            here.push_back(read.entry);
        })?;
        here.append(&mut entries);
        entries = here;
    }
    Ok(entries)
}

/// The same; `on` gets the hashes and the line too.
pub(super) fn read_each(
    path: &Path,
    mut on: impl FnMut(Read<'_>),
) -> Result<Summary, JournalError> {
    let mut walk = Walk::default();
    for segment in segments(path)? {
        walk.step(&segment, false, &mut on)?;
    }
    Ok(walk.summary().clone())
}
