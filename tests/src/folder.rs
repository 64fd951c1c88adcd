//! Folders and small disks of a test's own.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::Result;
use nix::mount::{MntFlags, MsFlags, mount, umount2};

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
