//! The suites: where they come from, which files are there, which version it is.

use std::{fs, path::Path};

use anyhow::Result;

use super::{cases::Case, community, ndpi, suricata, zeek};
use crate::workspace::output;

pub(super) struct Suite {
    /// Its folder in the one that is given.
    pub(super) folder: &'static str,
    pub(super) title: &'static str,
    pub(super) source: &'static str,
    /// Where its captures are.
    pub(super) captures: &'static str,
    pub(super) cases: fn(&Path) -> Result<Vec<Case>>,
}

pub(super) const SUITES: [Suite; 4] = [
    Suite {
        folder: "zeek",
        title: "Zeek",
        source: "https://github.com/zeek/zeek",
        captures: zeek::CAPTURES,
        cases: zeek::cases,
    },
    Suite {
        folder: "suricata-verify",
        title: "suricata-verify",
        source: "https://github.com/OISF/suricata-verify",
        captures: suricata::CAPTURES,
        cases: suricata::cases,
    },
    Suite {
        folder: "nDPI",
        title: "nDPI",
        source: "https://github.com/ntop/nDPI",
        captures: ndpi::CAPTURES,
        cases: ndpi::cases,
    },
    Suite {
        folder: "community-id",
        title: "Community ID",
        source: "https://github.com/corelight/community-id-spec",
        captures: community::CAPTURES,
        cases: community::cases,
    },
];

/// The commit of a checkout, or what its file `COMMIT` says where it was unpacked without git.
pub(super) fn version(folder: &Path) -> String {
    if let Ok(text) = fs::read_to_string(folder.join("COMMIT")) {
        return text.trim().to_owned();
    }
    // Asked only where the folder is a checkout itself, or git would answer for a folder above.
    let place = folder.display().to_string();
    let said = folder
        .join(".git")
        .exists()
        .then(|| output("git", &["-C", &place, "log", "-1", "--format=%H %cs"]));
    said.flatten().map_or_else(
        || "unknown version".to_owned(),
        |text| text.trim().to_owned(),
    )
}
