//! Files of what was learned, in the state directory: postcard, with a version.

use std::{fs, io, path::Path};

use sensor_facts::files;
use serde::{Serialize, de::DeserializeOwned};

/// Reads a file; `is_current` says whether it is of this version. One that can't be used is logged, under the name `what`, and
/// counts as missing.
pub(crate) fn read<T: DeserializeOwned>(
    path: &Path,
    what: &str,
    is_current: impl Fn(&T) -> bool,
) -> Option<T> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => {
            tracing::warn!(path = %path.display(), "{what} can't be read, learning begins anew: {error}");
            return None;
        }
    };
    match postcard::from_bytes(&bytes) {
        Ok(stored) if is_current(&stored) => Some(stored),
        Ok(_) => {
            tracing::warn!(path = %path.display(), "{what} are of another version, learning begins anew");
            None
        }
        Err(error) => {
            tracing::warn!(path = %path.display(), "{what} are damaged, learning begins anew: {error}");
            None
        }
    }
}

/// Writes a file, whole or not at all.
///
/// # Errors
/// When it can't be written.
pub(crate) fn write(path: &Path, stored: &impl Serialize) -> io::Result<()> {
    let bytes = postcard::to_allocvec(stored).map_err(io::Error::other)?;
    files::replace(path, &bytes)
}
