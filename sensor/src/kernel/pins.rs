//! The directory of pinned maps on the BPF file system.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use nix::mount::{MsFlags, mount};
use sensor_common::ABI_VERSION;

use super::{
    KernelError,
    host::{BPF_FS, has_bpf_fs},
};

/// A directory `v<ABI>` that is removed with its pins when it is dropped.
#[derive(Debug)]
pub(super) struct PinDirectory {
    path: PathBuf,
}

impl PinDirectory {
    /// Makes the directory below `root`, empty, mounting the BPF file system where it is missing.
    ///
    /// Pins of a daemon that died are removed: its programs went with it.
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
        remove(&path).map_err(failed)?;
        fs::create_dir_all(&path).map_err(failed)?;
        Ok(Self { path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for PinDirectory {
    fn drop(&mut self) {
        if let Err(error) = remove(&self.path) {
            tracing::warn!(path = %self.path.display(), "can't remove the pinned maps: {error}");
        }
        // The root goes too if no other version is in it.
        if let Some(root) = self.path.parent() {
            let _ = fs::remove_dir(root);
        }
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
