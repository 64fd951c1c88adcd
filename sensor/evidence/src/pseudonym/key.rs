//! The site's key, in a file that only its owner reads.

use std::{
    fmt,
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// The file's name in the state directory.
const FILE: &str = "site.key";
/// Bytes of a key.
const LENGTH: usize = 32;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file system refuses.
    #[error("can't {what} the site's key {path:?}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The answer.
        source: io::Error,
    },
    /// The file is not one of ours.
    #[error(
        "{path:?} is no site key: it has {length} bytes, not 32. Put the right one back; with another key, pseudonyms differ from all that were given before"
    )]
    Length {
        /// The file.
        path: PathBuf,
        /// Its length.
        length: usize,
    },
    /// Others can read it.
    #[error("{path:?} can be read by others than its owner: run chmod 600 on it")]
    Open {
        /// The file.
        path: PathBuf,
    },
}

/// A site's key.
pub struct SiteKey([u8; LENGTH]);

impl fmt::Debug for SiteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SiteKey(..)")
    }
}

impl SiteKey {
    /// These bytes.
    #[must_use]
    pub const fn of(bytes: [u8; LENGTH]) -> Self {
        Self(bytes)
    }

    /// The key in the state directory; where there is none it is made, readable by its owner only.
    ///
    /// # Errors
    /// [`KeyError`]. A file that is there is never replaced.
    pub fn open(folder: &Path) -> Result<Self, KeyError> {
        let path = folder.join(FILE);
        match Self::read(&path) {
            Err(KeyError::System { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                match make(folder, &path) {
                    // Another process was faster.
                    Err(KeyError::System { source, .. })
                        if source.kind() == io::ErrorKind::AlreadyExists =>
                    {
                        Self::read(&path)
                    }
                    made => made,
                }
            }
            read => read,
        }
    }

    /// Reads a key.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let failed = failed("read", path);
        let metadata = fs::metadata(path).map_err(&failed)?;
        if metadata.permissions().mode() & 0o077 != 0 {
            return Err(KeyError::Open {
                path: path.to_owned(),
            });
        }
        let bytes = fs::read(path).map_err(&failed)?;
        <[u8; LENGTH]>::try_from(bytes.as_slice())
            .map(Self)
            .map_err(|_| KeyError::Length {
                path: path.to_owned(),
                length: bytes.len(),
            })
    }

    pub(super) const fn bytes(&self) -> &[u8; LENGTH] {
        &self.0
    }
}

/// Makes a key under another name first, so that the file is whole or not there.
fn make(folder: &Path, path: &Path) -> Result<SiteKey, KeyError> {
    let failed = failed("make", path);
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).map_err(|error| failed(io::Error::other(error.to_string())))?;
    let new = folder.join(format!("{FILE}.{}", std::process::id()));
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&new)
        .and_then(|mut file| {
            file.write_all(&bytes)?;
            file.sync_all()
        })
        // Unlike a rename it does not replace.
        .and_then(|()| fs::hard_link(&new, path));
    let _ = fs::remove_file(&new);
    made.map_err(failed)?;
    Ok(SiteKey(bytes))
}

fn failed(what: &'static str, path: &Path) -> impl Fn(io::Error) -> KeyError {
    let path = path.to_owned();
    move |source| KeyError::System {
        what,
        path: path.clone(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_only_its_owner_reads_it() {
        let folder = std::env::temp_dir().join(format!("wardtap-key-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join(FILE);
        let first = SiteKey::open(&folder).expect("a key");
        let again = SiteKey::open(&folder).expect("the key");
        assert_eq!(first.bytes(), again.bytes());
        assert_ne!(first.bytes(), &[0; LENGTH]);
        let mode = |path: &Path| fs::metadata(path).expect("a file").permissions().mode();
        assert_eq!(mode(&path) & 0o777, 0o600);
        assert_eq!(fs::read_dir(&folder).expect("a folder").count(), 1);

        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("rights");
        assert!(matches!(SiteKey::open(&folder), Err(KeyError::Open { .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("rights");
        fs::write(&path, b"short").expect("a file");
        let error = SiteKey::open(&folder).expect_err("it is no key");
        assert!(error.to_string().contains("5 bytes"), "{error}");
        assert_eq!(fs::read(&path).expect("it stays"), b"short");
        fs::remove_dir_all(folder).expect("removed");
    }
}
