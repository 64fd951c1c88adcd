//! The unix socket: it is made and locked by one daemon, and its mode says who may use it.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Read, Seek, Write},
    os::unix::{
        fs::{FileTypeExt, OpenOptionsExt, PermissionsExt},
        net::UnixListener,
    },
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
    sys::stat::{Mode, umask},
    unistd::{Group, chown},
};

/// Mode of the socket.
const MODE: u32 = 0o660;

/// Why there is no control socket.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// Another daemon holds it.
    #[error(
        "another wardtap (process {process}) holds the control socket {path:?}: stop it first, or name another socket in the configuration"
    )]
    Held {
        /// The socket.
        path: PathBuf,
        /// Id of the process that holds it.
        process: String,
    },
    /// Something else is at its path.
    #[error("{path:?} is not a socket: move it away, or name another socket in the configuration")]
    NotASocket {
        /// The path.
        path: PathBuf,
    },
    /// The system refuses.
    #[error("can't {what} {path:?}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// The answer.
        source: io::Error,
    },
}

/// The socket, held: as long as this lives no other daemon can have it. Dropping it removes the socket.
#[derive(Debug)]
pub struct ControlSocket {
    path: PathBuf,
    // A lock is gone with its process, however that ends; the socket's file is not.
    _lock: Flock<File>,
}

impl ControlSocket {
    /// Takes the socket at `path`, for root and for `group` where there is such a group. What a dead
    /// daemon has left there is replaced.
    ///
    /// # Errors
    /// [`SocketError`].
    pub fn take(path: &Path, group: &str) -> Result<(Self, UnixListener), SocketError> {
        let failed = |what, path: &Path| {
            let path = path.to_owned();
            move |source| SocketError::System { what, path, source }
        };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed("make the folder", folder))?;
        }
        let lock = lock(path)?;
        match fs::symlink_metadata(path) {
            Ok(meta) if meta.file_type().is_socket() => {
                fs::remove_file(path).map_err(failed("remove the stale socket", path))?;
            }
            Ok(_) => return Err(SocketError::NotASocket { path: path.into() }),
            Err(_) => {}
        }
        // Between bind and chmod it must not be open to all.
        let old = umask(Mode::from_bits_truncate(0o177));
        let bound = UnixListener::bind(path);
        umask(old);
        let listener = bound.map_err(failed("listen at", path))?;
        let socket = Self {
            path: path.into(),
            _lock: lock,
        };
        give_to(path, group);
        fs::set_permissions(path, Permissions::from_mode(MODE))
            .map_err(failed("set the permissions of", path))?;
        listener
            .set_nonblocking(true)
            .map_err(failed("listen at", path))?;
        Ok((socket, listener))
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), "can't remove the control socket: {error}");
        }
    }
}

/// Locks `PATH.lock`. The file stays for good: removing it would let two daemons lock two files.
fn lock(socket: &Path) -> Result<Flock<File>, SocketError> {
    let mut path = socket.as_os_str().to_owned();
    path.push(".lock");
    let path = PathBuf::from(path);
    let failed = |source| SocketError::System {
        what: "lock",
        path: path.clone(),
        source,
    };
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(failed)?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(mut lock) => {
            lock.set_len(0)
                .and_then(|()| lock.rewind())
                .and_then(|()| writeln!(lock, "{}", std::process::id()))
                .map_err(failed)?;
            Ok(lock)
        }
        Err((mut file, Errno::EWOULDBLOCK)) => {
            let mut process = String::new();
            let _ = file.read_to_string(&mut process);
            Err(SocketError::Held {
                path: socket.to_owned(),
                process: process.trim().to_owned(),
            })
        }
        Err((_, error)) => Err(failed(error.into())),
    }
}

fn give_to(path: &Path, group: &str) {
    let done = match Group::from_name(group) {
        Ok(Some(group)) => chown(path, None, Some(group.gid)).map_err(|error| error.to_string()),
        Ok(None) => Err("there is no such group".to_owned()),
        Err(error) => Err(error.to_string()),
    };
    if let Err(why) = done {
        tracing::warn!(group, "the control socket is for root alone: {why}");
    }
}
