//! Folders and small disks of a test's own.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;
use nix::mount::{MntFlags, MsFlags, mount, umount2};

use crate::netns::run;

/// A folder of the test's own, removed with what is mounted in it.
#[derive(Debug)]
pub struct Folder {
    /// Where it is.
    pub path: PathBuf,
    disk: Option<SmallDisk>,
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(self.disk.take());
        let _ = fs::remove_dir_all(&self.path);
    }
}

impl Folder {
    /// A new one, named for a test.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn create(name: &str) -> Result<Self> {
        let path = env::temp_dir().join(format!("wardtap-{name}-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self { path, disk: None })
    }

    /// A file system of `size` bytes below it.
    ///
    /// # Errors
    /// When it can't be mounted.
    pub fn small_disk(&mut self, size: u32) -> Result<PathBuf> {
        let path = self.path.join("disk");
        self.disk = Some(SmallDisk::mount(&path, size)?);
        Ok(path)
    }
}

/// A file system in memory with little room. Unmounted when dropped.
#[derive(Debug)]
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts one of `size` bytes at `path`, which is made.
    ///
    /// # Errors
    /// When it can't be mounted.
    pub fn mount(path: &Path, size: u32) -> Result<Self> {
        fs::create_dir_all(path)?;
        let options = format!("size={size}");
        mount(
            Some("tmpfs"),
            path,
            Some("tmpfs"),
            MsFlags::empty(),
            Some(options.as_str()),
        )?;
        Ok(Self(path.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = umount2(&self.0, MntFlags::MNT_DETACH);
    }
}

/// A file system on a file, which can stand still as a disk that gives no answer. Goes on and is unmounted when dropped.
#[derive(Debug)]
pub struct StillDisk {
    path: PathBuf,
    file: PathBuf,
}

impl StillDisk {
    /// Mounts an ext4 of `size` bytes at `path`, which is made.
    ///
    /// # Errors
    /// When it can't be mounted.
    pub fn mount(path: &Path, size: u64) -> Result<Self> {
        fs::create_dir_all(path)?;
        let file = path.with_extension("image");
        fs::File::create(&file)?.set_len(size)?;
        run(Command::new("mkfs.ext4").arg("-q").arg(&file))?;
        run(Command::new("mount")
            .args(["-o", "loop"])
            .arg(&file)
            .arg(path))?;
        Ok(Self {
            path: path.to_owned(),
            file,
        })
    }

    /// Whoever writes waits from now on.
    ///
    /// # Errors
    /// When it can't.
    pub fn stop(&self) -> Result<()> {
        run(Command::new("fsfreeze").arg("--freeze").arg(&self.path)).map(|_| ())
    }

    /// It goes on.
    ///
    /// # Errors
    /// When it can't.
    pub fn go_on(&self) -> Result<()> {
        run(Command::new("fsfreeze").arg("--unfreeze").arg(&self.path)).map(|_| ())
    }
}

impl Drop for StillDisk {
    fn drop(&mut self) {
        let _ = self.go_on();
        let _ = umount2(&self.path, MntFlags::MNT_DETACH);
        let _ = fs::remove_file(&self.file);
    }
}
