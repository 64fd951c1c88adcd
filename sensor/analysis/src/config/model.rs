//! The anomaly model, and the runtime it runs in.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize, de::Error};

use crate::model::Key;
use sensor_facts::as_text;

as_text!(Key);

/// The anomaly model.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Model {
    /// Whether flows are scored at all.
    pub enabled: bool,
    /// The model that is used until a person loads another; without it the package's.
    #[serde(deserialize_with = "file", skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// The ONNX Runtime's library; without it that of `ORT_DYLIB_PATH`, the package's, the system's.
    #[serde(deserialize_with = "file", skip_serializing_if = "Option::is_none")]
    pub runtime: Option<PathBuf>,
    /// Public keys of those who may sign models; with none, signatures are not demanded.
    pub trusted_keys: Vec<Key>,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            enabled: true,
            path: None,
            runtime: None,
            trusted_keys: Vec::new(),
        }
    }
}

/// Reads the path of a file that exists.
///
/// # Errors
///
/// If there is no file at that path.
pub fn file<'de, D: Deserializer<'de>>(from: D) -> Result<Option<PathBuf>, D::Error> {
    let path = PathBuf::deserialize(from)?;
    if path.is_file() {
        Ok(Some(path))
    } else {
        Err(D::Error::custom(format!(
            "there is no file {}",
            path.display()
        )))
    }
}
