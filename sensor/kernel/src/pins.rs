//! What outlives the daemon on the BPF file system.
//!
//! Below a root there is a directory `v<ABI>`, locked by the daemon that uses it. In it are pinned
//!
//! - the maps that daemons hand on: rules, never-block list, flows, settings;
//! - the links that hold the programs on their interfaces, `link-MODE-BUFFERS-NAMESPACE-INDEX`;
//! - a directory `life-N` for each daemon's own: its ring buffer and its counters ([`super::life`]).
//!
//! As long as they are pinned, programs and rules stay in force without a daemon.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
    mount::{MsFlags, mount},
};
use sensor_common::ABI_VERSION;

use super::{
    KernelError, Mode,
    host::{BPF_FS, has_bpf_fs},
};

/// The directory of this version, locked.
#[derive(Debug)]
pub(super) struct PinDirectory {
    path: PathBuf,
    /// Left as it is when this is dropped; otherwise removed.
    stays: bool,
    // Gone with its process, however that ends.
    _lock: Flock<File>,
}

/// A pinned link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LinkPin {
    pub(super) path: PathBuf,
    pub(super) mode: Mode,
    pub(super) frags: bool,
    pub(super) interface: InterfaceId,
}

/// An interface beyond its name, which another may get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct InterfaceId {
    /// Inode of the network namespace.
    pub(super) namespace: u64,
    /// Interface index in it.
    pub(super) index: u32,
}

impl InterfaceId {
    /// Of interface `index` in this thread's network namespace.
    pub(super) fn here(index: u32) -> Result<Self, KernelError> {
        let namespace = fs::metadata("/proc/thread-self/ns/net");
        Ok(Self {
            namespace: namespace
                .map_err(|source| KernelError::System {
                    call: "stat of the network namespace",
                    source,
                })?
                .ino(),
            index,
        })
    }
}

impl LinkPin {
    pub(super) fn new(folder: &Path, mode: Mode, frags: bool, interface: InterfaceId) -> Self {
        // The BPF file system allows no dot in a name.
        let name = format!(
            "link-{}-{}-{}-{}",
            mode.label(),
            if frags { "frags" } else { "whole" },
            interface.namespace,
            interface.index
        );
        Self {
            path: folder.join(name),
            mode,
            frags,
            interface,
        }
    }

    fn parse(path: PathBuf) -> Option<Self> {
        let name = path.file_name()?.to_str()?.strip_prefix("link-")?;
        let mut parts = name.split('-');
        let mode = match parts.next()? {
            "driver" => Mode::Driver,
            "generic" => Mode::Generic,
            _ => return None,
        };
        let frags = parts.next()? == "frags";
        let interface = InterfaceId {
            namespace: parts.next()?.parse().ok()?,
            index: parts.next()?.parse().ok()?,
        };
        Some(Self {
            path,
            mode,
            frags,
            interface,
        })
    }
}

impl PinDirectory {
    /// Opens the directory below `root`, with what a daemon before left in it; mounts the BPF file system
    /// where it is missing.
    pub(super) fn open(root: &Path) -> Result<Self, KernelError> {
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
        let lock = lock(&path)?;
        Ok(Self {
            path,
            stays: false,
            _lock: lock,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// From now on everything stays when the daemon goes.
    pub(super) fn keep(&mut self) {
        self.stays = true;
    }

    /// Whether everything stays when the daemon goes.
    pub(super) fn stays(&mut self, stays: bool) {
        self.stays = stays;
    }

    pub(super) const fn is_kept(&self) -> bool {
        self.stays
    }

    /// Directories of daemons' lives, the oldest first.
    pub(super) fn lives(&self) -> Vec<(u32, PathBuf)> {
        let mut lives: Vec<_> = entries(&self.path)
            .filter_map(|path| {
                let name = path.file_name()?.to_str()?;
                Some((name.strip_prefix("life-")?.parse().ok()?, path))
            })
            .collect();
        lives.sort_unstable();
        lives
    }

    /// A directory for this daemon's life.
    pub(super) fn begin_life(&self) -> Result<PathBuf, KernelError> {
        let last = self.lives().last().map_or(0, |(number, _)| *number);
        let path = self.path.join(format!("life-{}", last + 1));
        fs::create_dir(&path).map_err(|source| KernelError::BpfFs {
            path: path.clone(),
            source,
        })?;
        Ok(path)
    }

    /// The pinned links, those of other versions too.
    pub(super) fn links(&self) -> Vec<LinkPin> {
        self.versions()
            .flat_map(|version| entries(&version))
            .filter_map(LinkPin::parse)
            .collect()
    }

    /// This version's directory and those of others.
    fn versions(&self) -> impl Iterator<Item = PathBuf> {
        self.path.parent().into_iter().flat_map(entries)
    }

    /// Removes what other versions left, links excepted: they are taken over or removed one by one.
    pub(super) fn remove_other_versions(&self) {
        for version in self.versions().filter(|path| *path != self.path) {
            if let Err(error) = remove(&version) {
                tracing::warn!(path = %version.display(), "can't remove the pins of another version: {error}");
            }
        }
    }
}

impl Drop for PinDirectory {
    fn drop(&mut self) {
        if self.stays {
            return;
        }
        if let Err(error) = remove(&self.path) {
            tracing::warn!(path = %self.path.display(), "can't remove the pins: {error}");
        }
        // The root goes too if no other version is in it.
        if let Some(root) = self.path.parent() {
            let _ = fs::remove_dir(root);
        }
    }
}

/// Removes all that daemons left below `root`: programs leave their interfaces, rules are no more. How many
/// links that were.
///
/// # Errors
/// When a daemon uses it, or the file system refuses.
pub fn unload(root: &Path) -> Result<usize, KernelError> {
    let mut links = 0;
    match fs::read_dir(root) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            return Err(KernelError::BpfFs {
                path: root.to_owned(),
                source,
            });
        }
        _ => {}
    }
    for version in entries(root) {
        let _lock = lock(&version)?;
        links += entries(&version).filter_map(LinkPin::parse).count();
        remove(&version).map_err(|source| KernelError::BpfFs {
            path: version.clone(),
            source,
        })?;
    }
    let _ = fs::remove_dir(root);
    Ok(links)
}

fn lock(path: &Path) -> Result<Flock<File>, KernelError> {
    let failed = |source| KernelError::BpfFs {
        path: path.to_owned(),
        source,
    };
    let directory = File::open(path).map_err(failed)?;
    match Flock::lock(directory, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => Ok(lock),
        Err((_, Errno::EWOULDBLOCK)) => Err(KernelError::PinsHeld {
            path: path.to_owned(),
        }),
        Err((_, error)) => Err(failed(error.into())),
    }
}

/// What is in a directory; of one that can't be read nothing.
fn entries(path: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    fs::read_dir(path)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
}

/// Removes a directory and what is in it, links first: so no program runs on maps that are half gone.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    let mut inside: Vec<_> = entries(path).collect();
    inside.sort_by_key(|path| LinkPin::parse(path.clone()).is_none());
    for one in inside {
        if one.is_dir() {
            remove(&one)?;
        } else {
            fs::remove_file(one)?;
        }
    }
    fs::remove_dir(path)
}
