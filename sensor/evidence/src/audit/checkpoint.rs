//! Signed checkpoints of the trail: what its entries were at a moment, under a key that only the daemon has.
//!
//! A chain of hashes finds a change, but who can write the file can also compute the chain anew, or cut it off at
//! its end. A checkpoint names the last entry and its hash and is signed (Ed25519, RFC 8032), so neither goes unseen
//! as long as the key, or one later checkpoint kept elsewhere, is out of reach. They lie beside the trail, one JSON
//! object a line, in a file of their own: the trail stays what containment did.

use std::{collections::BTreeMap, fs, io, path::Path};

use ed25519_dalek::{Signature, VerifyingKey};
use sensor_facts::{hex, time::Time};
use serde::{Deserialize, Serialize};

use super::error::JournalError;

/// Name of the checkpoints' file, beside the trail.
pub const CHECKPOINTS: &str = "audit.checkpoints.jsonl";
/// Name of the public key's file, in hexadecimal digits.
pub const PUBLIC_KEY: &str = "audit.pub";
/// Name of the secret key's file, 32 bytes.
pub(super) const SECRET_KEY: &str = "audit.key";
/// Its name until the first checkpoint is on the disk.
pub(super) const NEW_KEY: &str = "audit.key.new";

/// A signed statement: the trail had so many entries, and the last had this hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// Number of the last entry.
    pub seq: u64,
    /// The entry of the checkpoint before; none of the first.
    pub prev: Option<u64>,
    /// Its hash.
    pub head: String,
    /// When it was signed.
    pub time: Time,
    /// The public key, hexadecimal.
    pub key: String,
    /// Ed25519 over what [`Checkpoint::message`] gives, hexadecimal.
    pub signature: String,
}

/// What is wrong with a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointFlaw {
    /// It is none.
    #[error("it is no checkpoint")]
    Shape,
    /// It is signed by a key other than expected.
    #[error("it is signed by key {found}, not by {expected}")]
    Key {
        /// The key that it names.
        found: String,
        /// The key that was to sign.
        expected: String,
    },
    /// The signature is not one of this content.
    #[error("its content was changed: the signature is not of it")]
    Signature,
    /// It names another one as the one before it, or is older.
    #[error(
        "it does not follow the checkpoint before it: one was removed, inserted or put elsewhere"
    )]
    Order,
}

impl Checkpoint {
    /// What is signed.
    pub(super) fn message(&self) -> Vec<u8> {
        let Self {
            seq, head, time, ..
        } = self;
        let prev = self
            .prev
            .map_or_else(|| "-".to_owned(), |prev| prev.to_string());
        format!("wardtap audit checkpoint v1\n{seq}\n{prev}\n{head}\n{time}").into_bytes()
    }

    /// Reads a line and checks its signature, by `key` if one is given, else by the one that it names.
    ///
    /// # Errors
    /// [`CheckpointFlaw`].
    pub fn parse(line: &[u8], key: Option<&str>) -> Result<Self, CheckpointFlaw> {
        let checkpoint: Self = serde_json::from_slice(line).map_err(|_| CheckpointFlaw::Shape)?;
        // Spaces, escapes and the order of members would be changes that nobody sees.
        if serde_json::to_vec(&checkpoint).ok().as_deref() != Some(line) {
            return Err(CheckpointFlaw::Shape);
        }
        if let Some(expected) = key
            && checkpoint.key != expected
        {
            return Err(CheckpointFlaw::Key {
                found: checkpoint.key,
                expected: expected.to_owned(),
            });
        }
        if !is_signed(
            &checkpoint.key,
            &checkpoint.signature,
            &checkpoint.message(),
        ) {
            return Err(CheckpointFlaw::Signature);
        }
        Ok(checkpoint)
    }
}

/// True if it was signed by the key.
pub(super) fn is_signed(key: &str, signature: &str, message: &[u8]) -> bool {
    let (Some(key), Some(signature)) = (verifying(key), bytes::<64>(signature)) else {
        return false;
    };
    let signature = Signature::from_bytes(&signature);
    key.verify_strict(message, &signature).is_ok()
}

fn verifying(key: &str) -> Option<VerifyingKey> {
    VerifyingKey::from_bytes(&bytes::<32>(key)?).ok()
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    hex::decode(text)?.try_into().ok()
}

/// The checkpoints of a trail, by the number of their entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkpoints {
    /// The public key that signed them, hexadecimal; none without checkpoints.
    pub key: Option<String>,
    heads: BTreeMap<u64, String>,
    /// The last entry of the segment before, which its last checkpoint signed; 0 for the first segment.
    base: u64,
    /// Bytes of a last line that was not written to its end.
    pub torn: u64,
}

impl Checkpoints {
    /// Reads the checkpoints of one segment; no file is none. All have to be signed by `key`, or else by one and the
    /// same key. `base` is the last entry of the segment before, 0 for the first segment.
    ///
    /// # Errors
    /// [`JournalError::Checkpoint`] names the first bad line.
    pub fn read(path: &Path, key: Option<&str>, base: u64) -> Result<Self, JournalError> {
        let path = path.to_owned();
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(source) => {
                return Err(JournalError::System {
                    what: "read",
                    path,
                    source,
                });
            }
        };
        let mut this = Self {
            key: key.map(str::to_owned),
            base,
            ..Self::default()
        };
        for (number, line) in (1..).zip(text.split_inclusive(|byte| *byte == b'\n')) {
            let Some(line) = line.strip_suffix(b"\n") else {
                this.torn = line.len() as u64;
                break;
            };
            let checkpoint = Checkpoint::parse(line, this.key.as_deref()).and_then(|one| {
                let before = (!this.is_empty() || base > 0).then(|| this.last());
                if one.prev == before && before.is_none_or(|before| one.seq > before) {
                    Ok(one)
                } else {
                    Err(CheckpointFlaw::Order)
                }
            });
            let checkpoint = checkpoint.map_err(|flaw| JournalError::Checkpoint {
                path: path.clone(),
                line: number,
                flaw,
            })?;
            this.key.get_or_insert(checkpoint.key);
            this.heads.insert(checkpoint.seq, checkpoint.head);
        }
        Ok(this)
    }

    /// What was signed to be the hash of an entry, if there is a checkpoint of it.
    #[must_use]
    pub fn head(&self, seq: u64) -> Option<&str> {
        self.heads.get(&seq).map(String::as_str)
    }

    /// The last entry that was signed; without checkpoints that of the segment before, or 0.
    #[must_use]
    pub fn last(&self) -> u64 {
        let last = self.heads.last_key_value();
        last.map_or(self.base, |(seq, _)| *seq)
    }

    /// The last signed entry before `seq`; 0 if there is none.
    #[must_use]
    pub fn before(&self, seq: u64) -> u64 {
        self.heads
            .range(..seq)
            .next_back()
            .map_or(self.base, |(seq, _)| *seq)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.heads.len()
    }

    /// True without any.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::signer::Signer, *};

    fn line(seq: u64) -> (Vec<u8>, String) {
        let folder =
            std::env::temp_dir().join(format!("wardtap-checkpoint-{seq}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let mut signer = Signer::open(&folder, 0).expect("a signer");
        signer
            .sign(seq, None, &"a".repeat(64), Time(5_000))
            .expect("signed");
        let public = signer.public().to_owned();
        let mut line = fs::read(folder.join(CHECKPOINTS)).expect("a file");
        line.pop();
        fs::remove_dir_all(folder).expect("removed");
        (line, public)
    }

    #[test]
    fn no_byte_of_a_checkpoint_can_be_changed() {
        let (line, public) = line(7);
        let read = Checkpoint::parse(&line, Some(&public)).expect("it is whole");
        assert_eq!((read.seq, read.time), (7, Time(5_000)));
        for at in 0..line.len() {
            let mut changed = line.clone();
            changed[at] ^= 1;
            assert!(Checkpoint::parse(&changed, None).is_err(), "byte {at}");
        }
    }

    #[test]
    fn another_key_is_another_signer() {
        let (line, _) = line(8);
        let other = "0".repeat(64);
        let flaw = Checkpoint::parse(&line, Some(&other)).expect_err("not by that key");
        assert!(matches!(flaw, CheckpointFlaw::Key { .. }), "{flaw:?}");
    }
}
