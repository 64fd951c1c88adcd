//! What a suite says of captures, and the files of a suite.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;

use super::conversation::Conversation;

/// What a suite says of captures.
pub(super) struct Case {
    pub(super) captures: Vec<PathBuf>,
    pub(super) expected: Vec<Conversation>,
}

/// All files below a folder, sorted; links to folders are not followed.
pub(super) fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                open.push(entry.path());
            } else {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

pub(super) fn is_capture(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default().to_string_lossy();
    path.is_file() && matches!(&*ending, "pcap" | "pcapng" | "cap" | "trace")
}
