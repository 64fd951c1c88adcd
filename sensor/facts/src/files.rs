//! Small state files in JSON: read with care, written whole or not at all.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

/// Reads a file of what was learnt. One that can't be read is logged and treated as empty.
pub fn read<T: Default + for<'de> Deserialize<'de>>(path: &Path) -> T {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return T::default(),
        Err(error) => {
            tracing::warn!(path = %path.display(), "what was kept can't be read, it begins anew: {error}");
            return T::default();
        }
    };
    serde_json::from_slice(&text).unwrap_or_else(|error| {
        tracing::warn!(path = %path.display(), "what was kept is damaged, it begins anew: {error}");
        T::default()
    })
}

/// Writes a file whole or not at all.
///
/// # Errors
///
/// If the content can't be serialised, or the file can't be written.
pub fn write<T: Serialize>(path: &Path, content: &T) -> io::Result<()> {
    replace(path, &serde_json::to_vec(content)?)
}

/// Writes bytes as a file, whole or not at all; after a power failure the file may be the old one.
///
/// # Errors
///
/// If the file can't be written.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let new = new_name(path);
    fs::write(&new, content)?;
    fs::rename(new, path)
}

/// Writes bytes as a file, whole or not at all; they are on the disk when it returns.
///
/// # Errors
///
/// If the file can't be written.
pub fn write_bytes(path: &Path, content: &[u8]) -> io::Result<()> {
    let new = new_name(path);
    let mut file = fs::File::create(&new)?;
    io::Write::write_all(&mut file, content)?;
    file.sync_all()?;
    fs::rename(new, path)
}

/// Where a file is written before it gets its name.
fn new_name(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    name.into()
}
