//! Rotation of a file by renaming: `events.jsonl` becomes `events.jsonl.1`, what was that becomes `.2`, and so on, as
//! logrotate(8) has it; the oldest beyond those that are kept goes.
//!
//! Each step is one rename, so every line is in exactly one file at each moment. A crash between two steps leaves a
//! gap in the numbers, which the next rotation closes.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// When a file is rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// Before it would have more bytes.
    pub size: u64,
    /// Rotated files that are kept, at least one.
    pub keep: u32,
}

/// Moves the file at `path` away; a new one can be made in its place.
///
/// # Errors
/// When a rename fails; nothing is lost then.
pub(super) fn rotate(path: &Path, keep: u32) -> io::Result<()> {
    let keep = keep.max(1);
    let gap = (1..keep)
        .find(|number| !numbered(path, *number).exists())
        .unwrap_or(keep);
    for number in (1..gap).rev() {
        fs::rename(numbered(path, number), numbered(path, number + 1))?;
    }
    fs::rename(path, numbered(path, 1))?;
    // More were kept once.
    for number in keep + 1.. {
        if fs::remove_file(numbered(path, number)).is_err() {
            break;
        }
    }
    Ok(())
}

/// Takes the last rotation back, since no new file can be made.
pub(super) fn undo(path: &Path) -> io::Result<()> {
    fs::rename(numbered(path, 1), path)
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Folder;

    fn write(path: &Path, text: &str) {
        fs::write(path, text).expect("a file");
    }

    fn read(path: &Path, number: u32) -> Option<String> {
        fs::read_to_string(numbered(path, number)).ok()
    }

    #[test]
    fn the_oldest_goes_and_gaps_are_closed() {
        let folder = Folder::create("rotate");
        let path = folder.0.join("events.jsonl");
        for round in 1..=4 {
            write(&path, &round.to_string());
            rotate(&path, 3).expect("a rotation");
        }
        let numbers = [1, 2, 3, 4].map(|number| read(&path, number));
        assert_eq!(
            numbers,
            [
                Some("4".to_owned()),
                Some("3".to_owned()),
                Some("2".to_owned()),
                None
            ]
        );
        // As a crash after the second rename leaves it.
        fs::rename(numbered(&path, 3), numbered(&path, 4)).expect("a rename");
        fs::rename(numbered(&path, 2), numbered(&path, 3)).expect("a rename");
        write(&path, "5");
        rotate(&path, 4).expect("a rotation");
        let numbers = [1, 2, 3, 4].map(|number| read(&path, number).expect("a file"));
        assert_eq!(numbers, ["5", "4", "3", "2"]);
        // Fewer are kept from now on.
        write(&path, "6");
        rotate(&path, 2).expect("a rotation");
        let numbers = [1, 2, 3, 4].map(|number| read(&path, number));
        assert_eq!(
            numbers,
            [Some("6".to_owned()), Some("5".to_owned()), None, None]
        );
    }

    #[test]
    fn what_can_not_be_moved_stays() {
        let folder = Folder::create("rotate-none");
        let path = folder.0.join("events.jsonl");
        assert!(rotate(&path, 3).is_err());
        write(&path, "1");
        rotate(&path, 1).expect("a rotation");
        undo(&path).expect("back");
        assert_eq!(fs::read_to_string(&path).expect("a file"), "1");
    }
}
