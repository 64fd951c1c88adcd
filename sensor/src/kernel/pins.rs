//! The directory of pinned maps on the BPF file system.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
    mount::{MsFlags, mount},
};
use sensor_common::ABI_VERSION;

use super::{
    KernelError,
    host::{BPF_FS, has_bpf_fs},
};

/// A directory `v<ABI>`, locked, that is removed with its pins when it is dropped.
#[derive(Debug)]
pub(super) struct PinDirectory {
    path: PathBuf,
    // Gone with its process, however that ends.
    _lock: Flock<File>,
}

impl PinDirectory {
    /// Makes the directory below `root`, empty, mounting the BPF file system where it is missing.
    ///
    /// Pins of a daemon that died are removed: its programs went with it. Those of one that lives are
    /// its own.
    pub(super) fn create(root: &Path) -> Result<Self, KernelError> {
        let failed = |source| KernelError::BpfFs {
            path: root.to_owned(),
            source,
        };
        if root.starts_with(BPF_FS) && !has_bpf_fs() {
            mount(
                Some("bpf"),
                BPF_FS,
                Some("bpf"),
                MsFlags::empty(),
                None::<&str>,
            )
            .map_err(|error| failed(error.into()))?;
            tracing::info!("mounted the BPF file system at {BPF_FS}");
        }
        let path = root.join(format!("v{ABI_VERSION}"));
        fs::create_dir_all(&path).map_err(failed)?;
        let directory = File::open(&path).map_err(failed)?;
        let lock = match Flock::lock(directory, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => lock,
            Err((_, Errno::EWOULDBLOCK)) => return Err(KernelError::PinsHeld { path }),
            Err((_, error)) => return Err(failed(error.into())),
        };
        empty(&path).map_err(failed)?;
        Ok(Self { path, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for PinDirectory {
    fn drop(&mut self) {
        if let Err(error) = empty(&self.path).and_then(|()| fs::remove_dir(&self.path)) {
            tracing::warn!(path = %self.path.display(), "can't remove the pinned maps: {error}");
        }
        // The root goes too if no other version is in it.
        if let Some(root) = self.path.parent() {
            let _ = fs::remove_dir(root);
        }
    }
}

fn empty(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        fs::remove_file(entry?.path())?;
    }
    Ok(())
}
