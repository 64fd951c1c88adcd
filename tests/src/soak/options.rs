//! What the phases are run with.

use std::{path::Path, time::Duration};

use anyhow::Result;

/// What is run, and with what.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// The daemon's binary.
    pub daemon: &'a Path,
    /// Files, logs and the disk of the run; made anew.
    pub folder: &'a Path,
    /// What the namespaces' names begin with.
    pub prefix: &'a str,
    /// How long the phases take in all; what settles between them comes on top.
    pub time: Duration,
    /// One phase instead of all.
    pub only: Option<&'a str>,
    /// Asked between two phases whether to go on.
    pub check: &'a dyn Fn() -> Result<()>,
}
