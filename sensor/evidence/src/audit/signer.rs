//! The key that signs checkpoints, and the file that they are appended to.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use ed25519_dalek::{Signer as _, SigningKey};
use sensor_facts::{hex, time::Time};

use super::checkpoint::{CHECKPOINTS, Checkpoint, NEW_KEY, PUBLIC_KEY, SECRET_KEY};

/// Signs something else with the trail's key: the public key and the signature, hexadecimal.
pub(super) fn sign(folder: &Path, message: &[u8]) -> io::Result<(String, String)> {
    let key = secret(folder)?;
    let public = hex::encode(key.verifying_key().as_bytes());
    Ok((public, hex::encode(&key.sign(message).to_bytes())))
}

/// Who signs: the key, and the file of checkpoints, open.
#[derive(Debug)]
pub(super) struct Signer {
    folder: PathBuf,
    key: SigningKey,
    public: String,
    file: File,
    bytes: u64,
}

impl Signer {
    /// True if nothing was signed yet, and there is no key that could have been.
    pub(super) fn is_new(folder: &Path) -> bool {
        !folder.join(SECRET_KEY).exists() && !folder.join(CHECKPOINTS).exists()
    }

    /// Takes the key in `folder`, or makes one, and goes on after the checkpoints that are there. A last line that
    /// was not written to its end is cut off: it never was a checkpoint.
    pub(super) fn open(folder: &Path, torn: u64) -> io::Result<Self> {
        let key = secret(folder)?;
        let public = hex::encode(key.verifying_key().as_bytes());
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(folder.join(CHECKPOINTS))?;
        let bytes = file.metadata()?.len().saturating_sub(torn);
        file.set_len(bytes)?;
        Ok(Self {
            folder: folder.to_owned(),
            key,
            public,
            file,
            bytes,
        })
    }

    /// Signs what the trail is, and waits until the disk has it.
    pub(super) fn sign(
        &mut self,
        seq: u64,
        prev: Option<u64>,
        head: &str,
        time: Time,
    ) -> io::Result<()> {
        let line = self.line(seq, prev, head, time)?;
        let first = self.bytes == 0;
        let written = self
            .file
            .write_all(&line)
            .and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            self.file.set_len(self.bytes)?;
            return Err(error);
        }
        self.bytes += line.len() as u64;
        if first {
            self.settle()?;
        }
        Ok(())
    }

    /// A checkpoint as a line.
    pub(super) fn line(
        &self,
        seq: u64,
        prev: Option<u64>,
        head: &str,
        time: Time,
    ) -> io::Result<Vec<u8>> {
        let mut checkpoint = Checkpoint {
            seq,
            prev,
            head: head.to_owned(),
            time,
            key: self.public.clone(),
            signature: String::new(),
        };
        checkpoint.signature = hex::encode(&self.key.sign(&checkpoint.message()).to_bytes());
        let mut line = serde_json::to_vec(&checkpoint)?;
        line.push(b'\n');
        Ok(line)
    }

    /// The public key, hexadecimal.
    #[cfg(test)]
    pub(super) fn public(&self) -> &str {
        &self.public
    }

    /// Bytes of the checkpoints' file.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Goes on with the file that has the name now.
    pub(super) fn reopen(&mut self) -> io::Result<()> {
        let path = self.folder.join(CHECKPOINTS);
        self.file = OpenOptions::new().append(true).open(path)?;
        self.bytes = self.file.metadata()?.len();
        Ok(())
    }

    /// Gives the key its name, once there is a checkpoint of it: a key without one says that they were removed.
    fn settle(&self) -> io::Result<()> {
        fs::write(self.folder.join(PUBLIC_KEY), format!("{}\n", self.public))?;
        let new = self.folder.join(NEW_KEY);
        if new.exists() {
            fs::rename(new, self.folder.join(SECRET_KEY))?;
        }
        File::open(&self.folder)?.sync_all()
    }
}

/// The public key of the secret one in a folder, where there is one.
pub(super) fn public_key(folder: &Path) -> io::Result<String> {
    Ok(hex::encode(secret(folder)?.verifying_key().as_bytes()))
}

/// The secret key; made under its first name if there is none, readable by its owner only. One that is there is
/// never replaced.
fn secret(folder: &Path) -> io::Result<SigningKey> {
    for name in [SECRET_KEY, NEW_KEY] {
        let path = folder.join(name);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(named(&path, &error.to_string())),
        };
        match <[u8; 32]>::try_from(bytes.as_slice()) {
            Ok(_) if fs::metadata(&path)?.permissions().mode() & 0o077 != 0 => {
                return Err(named(&path, "others can read it; run chmod 600 on it"));
            }
            Ok(bytes) => return Ok(SigningKey::from_bytes(&bytes)),
            // It was not written to its end, and nothing is signed with it.
            Err(_) if name == NEW_KEY => {}
            Err(_) => return Err(named(&path, "it is no key of 32 bytes")),
        }
    }
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| io::Error::other(format!("no random numbers for a key: {error}")))?;
    let path = folder.join(NEW_KEY);
    let _ = fs::remove_file(&path);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    Ok(SigningKey::from_bytes(&bytes))
}

fn named(path: &Path, trouble: &str) -> io::Error {
    io::Error::other(format!("{}: {trouble}", path.display()))
}
