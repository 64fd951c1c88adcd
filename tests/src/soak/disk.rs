//! A disk of the run's own, in a file, that can be made slow.
//!
//! There is no device here that delays (dm-delay is not in every kernel). A file system that is frozen (`fsfreeze`)
//! holds every write up until it is thawed, as a disk does that does not answer.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result};
use nix::mount::{MntFlags, umount2};

use crate::{netns::run, program::Program};

/// Bytes of the file, which has holes: what is not written takes no room.
const SIZE: u64 = 3 << 30;
const MOUNT: &str = "disk";

/// The mounted file system; taken off when dropped.
#[derive(Debug)]
pub(super) struct Disk {
    pub(super) path: PathBuf,
}

impl Disk {
    /// Makes it below `folder`.
    pub(super) fn create(folder: &Path) -> Result<Self> {
        let image = folder.join("disk.img");
        File::create(&image)
            .and_then(|file| file.set_len(SIZE))
            .with_context(|| image.display().to_string())?;
        run(Command::new("mkfs.ext4").arg("-q").arg(&image))?;
        let path = folder.join(MOUNT);
        fs::create_dir_all(&path)?;
        run(Command::new("mount")
            .args(["-o", "loop"])
            .args([&image, &path]))?;
        Ok(Self { path })
    }

    /// Has the disk take nothing for `stop`, then work for `go`, `times` times; it works again whatever becomes of this
    /// process.
    pub(super) fn stutter(
        &self,
        logs: &Path,
        stop: Duration,
        go: Duration,
        times: u64,
    ) -> Result<Program> {
        let script = "trap 'fsfreeze --unfreeze \"$0\"' TERM EXIT; i=0; while [ $i -lt $3 ]; do \
             fsfreeze --freeze \"$0\" && sleep $1; fsfreeze --unfreeze \"$0\"; sleep $2; i=$((i+1)); done; trap - EXIT";
        let mut command = Command::new("sh");
        command.args(["-c", script]).arg(&self.path);
        command.args([stop, go].map(|time| time.as_secs_f64().to_string()));
        command.arg(times.to_string());
        // It also dies with this thread, and then leaves the file system frozen: the file system goes with the run's
        // folder, and the next run thaws it.
        Program::start("stutter", command, logs)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        release(&self.path);
    }
}

fn release(path: &Path) {
    // Nothing is frozen, as a rule, and it says so.
    let _ = Command::new("fsfreeze")
        .arg("--unfreeze")
        .arg(path)
        .output();
    // Who still has a file open there is about to end.
    if let Err(error) = umount2(path, MntFlags::MNT_DETACH) {
        eprintln!("{}: {error}", path.display());
    }
}

/// Takes off what a run that was killed left mounted below `folder`.
pub fn remove_leftovers(folder: &Path) {
    let path = folder.join(MOUNT);
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    let mounted = |line: &str| line.split(' ').nth(1) == path.to_str();
    if mounts.lines().any(mounted) {
        release(&path);
    }
}
