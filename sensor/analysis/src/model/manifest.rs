//! A model's file with its manifest: what it is, unchanged, and by whom.

use std::{
    ffi::OsStr,
    fmt, fs,
    io::{self, Read},
    path::{Path, PathBuf},
    str::FromStr,
};

use ed25519_dalek::{Signature, VerifyingKey};
use sensor_facts::hex;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Refusal, SCHEMA};

/// Bytes that a model may have.
pub const SIZE_MAX: usize = 32 << 20;
/// Bytes that a manifest may have.
const MANIFEST_MAX: usize = 1 << 20;

/// A model's bytes, read and not yet believed.
#[derive(Clone, Debug)]
pub struct ModelFile {
    /// The name under which it was given, without folders.
    pub name: String,
    /// The ONNX file.
    pub graph: Vec<u8>,
    /// Its manifest, JSON.
    pub manifest: Vec<u8>,
}

impl ModelFile {
    /// Reads `NAME.onnx` and `NAME.manifest.json` beside it.
    ///
    /// # Errors
    /// [`Refusal`] of the checks `file` and `size`.
    pub fn read(path: &Path) -> Result<Self, Refusal> {
        let name = path.file_name().unwrap_or(path.as_os_str());
        Ok(Self {
            name: name.to_string_lossy().into_owned(),
            graph: read(path, SIZE_MAX)?,
            manifest: read(&manifest_path(path), MANIFEST_MAX)?,
        })
    }

    /// SHA-256 of the ONNX file, in hex.
    #[must_use]
    pub fn sha256(&self) -> String {
        hex::encode(&Sha256::digest(&self.graph))
    }
}

/// Where the manifest of the model at `path` is.
#[must_use]
pub fn manifest_path(path: &Path) -> PathBuf {
    path.with_extension("manifest.json")
}

fn read(path: &Path, most: usize) -> Result<Vec<u8>, Refusal> {
    let failed = |source| Refusal::Read {
        path: path.to_owned(),
        source,
    };
    let mut file = fs::File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.is_dir() {
        return Err(failed(io::ErrorKind::IsADirectory.into()));
    }
    let mut bytes = Vec::new();
    let limit = most as u64 + 1;
    file.by_ref()
        .take(limit)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() <= most {
        Ok(bytes)
    } else if path.extension() == Some(OsStr::new("json")) {
        Err(Refusal::Manifest("it is far too long".to_owned()))
    } else {
        Err(Refusal::TooLarge)
    }
}

/// A public key (ed25519, RFC 8032) whose holder may sign models; 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        hex::decode(text)
            .and_then(|bytes| bytes.try_into().ok())
            .filter(|bytes| VerifyingKey::from_bytes(bytes).is_ok())
            .map(Self)
            .ok_or_else(|| format!("{text:?} is no ed25519 public key: 64 hex digits of one"))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The part of a manifest that is looked at.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Manifest {
    /// For which rows it is.
    pub schema: String,
    /// SHA-256 of the ONNX file, in hex.
    pub sha256: String,
    /// When it was made, as its maker wrote it.
    #[serde(default)]
    pub created: String,
    /// `sklearn` or `keras`.
    #[serde(default)]
    pub trainer: String,
    #[serde(default)]
    signature: Option<String>,
    #[serde(default)]
    key: Option<String>,
}

impl Manifest {
    /// Reads the manifest of a file and holds the file to it.
    ///
    /// # Errors
    /// [`Refusal`] of the checks `manifest`, `schema` and `hash`.
    pub fn of(file: &ModelFile) -> Result<Self, Refusal> {
        Self::of_schema(file, SCHEMA)
    }

    /// The same for a model of other rows.
    pub(super) fn of_schema(file: &ModelFile, schema: &str) -> Result<Self, Refusal> {
        let manifest: Self = serde_json::from_slice(&file.manifest)
            .map_err(|error| Refusal::Manifest(error.to_string()))?;
        if manifest.schema != schema {
            return Err(Refusal::Schema {
                found: manifest.schema,
            });
        }
        let found = file.sha256();
        if !manifest.sha256.eq_ignore_ascii_case(&found) {
            return Err(Refusal::Hash {
                found,
                expected: manifest.sha256,
            });
        }
        Ok(manifest)
    }

    /// Who signed it, in words. With trusted keys, one of them must have; a signature that is there must be right in
    /// any case.
    ///
    /// # Errors
    /// [`Refusal::Signature`].
    pub fn signed(&self, file: &ModelFile, trusted: &[Key]) -> Result<String, Refusal> {
        let refuse = |why: String| Err(Refusal::Signature(why));
        let Some(signature) = &self.signature else {
            return if trusted.is_empty() {
                Ok("not signed, and no trusted keys are configured".to_owned())
            } else {
                refuse("it is not signed, and model.trusted_keys demands that it is".to_owned())
            };
        };
        let key: Key = match self.key.as_deref().map(str::parse) {
            Some(Ok(key)) => key,
            Some(Err(why)) => return refuse(format!("its manifest's key: {why}")),
            None => return refuse("its manifest has a signature and no key".to_owned()),
        };
        if !trusted.is_empty() && !trusted.contains(&key) {
            return refuse(format!(
                "it is signed with the key {key}, which is not one of model.trusted_keys"
            ));
        }
        let signature = hex::decode(signature)
            .and_then(|bytes| Signature::from_slice(&bytes).ok())
            .ok_or_else(|| {
                Refusal::Signature("its manifest's signature is no ed25519 signature".to_owned())
            })?;
        let verified = VerifyingKey::from_bytes(&key.0)
            .and_then(|verifying| verifying.verify_strict(&signed_bytes(file)?, &signature));
        if verified.is_err() {
            return refuse(format!(
                "its manifest is not what the holder of the key {key} has signed"
            ));
        }
        Ok(if trusted.is_empty() {
            format!("signed with the key {key}; no trusted keys are configured")
        } else {
            format!("signed with the trusted key {key}")
        })
    }
}

/// What is signed: the manifest without its signature as canonical JSON, keys sorted, no spaces, UTF-8.
fn signed_bytes(file: &ModelFile) -> Result<Vec<u8>, ed25519_dalek::SignatureError> {
    let mut manifest: Value =
        serde_json::from_slice(&file.manifest).map_err(|_| ed25519_dalek::SignatureError::new())?;
    if let Value::Object(members) = &mut manifest {
        members.remove("signature");
    }
    manifest.sort_all_objects();
    Ok(manifest.to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer, SigningKey};
    use serde_json::json;

    use super::*;

    fn file(manifest: &Value) -> ModelFile {
        ModelFile {
            name: "a.onnx".to_owned(),
            graph: b"graph".to_vec(),
            manifest: manifest.to_string().into_bytes(),
        }
    }

    fn manifest() -> Value {
        let sha256 = hex::encode(&Sha256::digest(b"graph"));
        json!({"schema": SCHEMA, "file": "a.onnx", "sha256": sha256, "created": "2026-11-26T20:00:00Z",
               "trainer": "sklearn", "by": "Zoë"})
    }

    fn sign(manifest: &mut Value, with: &SigningKey) {
        manifest["key"] = hex::encode(with.verifying_key().as_bytes()).into();
        let bytes = signed_bytes(&file(manifest)).expect("JSON");
        manifest["signature"] = hex::encode(&with.sign(&bytes).to_bytes()).into();
    }

    fn signed(manifest: &Value, trusted: &[Key]) -> Result<String, String> {
        let file = file(manifest);
        let read = Manifest::of(&file).expect("a manifest");
        read.signed(&file, trusted)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_changed_file_is_refused() {
        let mut changed = file(&manifest());
        assert!(Manifest::of(&changed).is_ok());
        changed.graph[0] ^= 1;
        assert!(matches!(Manifest::of(&changed), Err(Refusal::Hash { .. })));
        let mut other = manifest();
        other["schema"] = "flow-v2".into();
        let refused = Manifest::of(&file(&other));
        assert!(matches!(refused, Err(Refusal::Schema { .. })));
        let none = file(&json!({"schema": SCHEMA}));
        assert!(matches!(Manifest::of(&none), Err(Refusal::Manifest(_))));
    }

    #[test]
    fn a_signature_is_demanded_where_keys_are_trusted_and_right_where_there_is_one() {
        let (ours, theirs) = (
            SigningKey::from_bytes(&[1; 32]),
            SigningKey::from_bytes(&[2; 32]),
        );
        let key = |one: &SigningKey| Key(*one.verifying_key().as_bytes());
        let mut one = manifest();
        assert!(signed(&one, &[]).is_ok());
        let refused = signed(&one, &[key(&ours)]).expect_err("it is not signed");
        assert!(refused.contains("not signed"), "{refused}");

        sign(&mut one, &ours);
        assert!(signed(&one, &[]).is_ok_and(|it| it.contains("no trusted keys")));
        assert!(signed(&one, &[key(&theirs), key(&ours)]).is_ok());
        let refused = signed(&one, &[key(&theirs)]).expect_err("the key is another");
        assert!(refused.contains("not one of"), "{refused}");

        one["created"] = "2027-01-01T00:00:00Z".into();
        for trusted in [&[][..], &[key(&ours)]] {
            let refused = signed(&one, trusted).expect_err("it was changed");
            assert!(refused.contains("not what the holder"), "{refused}");
        }
    }

    #[test]
    fn keys_are_hex_of_points_on_the_curve() {
        let text = hex::encode(SigningKey::from_bytes(&[1; 32]).verifying_key().as_bytes());
        assert_eq!(text.parse::<Key>().map(|key| key.to_string()), Ok(text));
        for wrong in ["", "ab", "zz", &"é".repeat(32), &"0".repeat(63)] {
            assert!(wrong.parse::<Key>().is_err(), "{wrong}");
        }
    }
}
