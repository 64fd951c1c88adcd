//! The command line in the hands of a user without rights.

use std::{
    fs,
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Output},
};

use anyhow::Result;

use crate::sensor::binary;

/// What `wardtap` says to a user who is neither root nor in the group, at the daemon's socket in `folder`.
///
/// # Errors
/// When it can't be started.
pub fn ask_as_nobody(folder: &Path, arguments: &[&str]) -> Result<Output> {
    // The binary may lie where nobody else can read.
    let copy = folder.join("wardtap");
    fs::copy(binary()?, &copy)?;
    Ok(Command::new("/bin/sh")
        .args(["-c", "exec \"$0\" \"$@\""])
        .arg(copy)
        .args(arguments)
        .env("WARDTAP_SOCKET", folder.join("control.sock"))
        .uid(65_534)
        .gid(65_534)
        .output()?)
}
