//! The anomaly model, and the runtime it runs in.

use std::path::PathBuf;

use sensor_facts::{as_text, section};
use serde::{Deserialize, Deserializer, de::Error};

use crate::model::Key;

as_text!(Key);

section! {
    /// The anomaly model.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Model {
        /// Whether flows are scored by the anomaly model, where there is one and a runtime for it.
        pub enabled: bool = true,
        /// The model that is used until `wardtap model load` puts another in use. Without it, the package's:
        /// /usr/lib/wardtap/models/flow-v1.onnx.
        #[serde(deserialize_with = "file", skip_serializing_if = "Option::is_none")]
        pub path: Option<PathBuf> = None => example "/etc/wardtap/site.onnx",
        /// The model of windows, which says how unusual five minutes of a device are. Without it, the package's:
        /// /usr/lib/wardtap/models/windows-v1.onnx.
        #[serde(deserialize_with = "file", skip_serializing_if = "Option::is_none")]
        pub windows: Option<PathBuf> = None => example "/etc/wardtap/windows.onnx",
        /// The library of the ONNX Runtime. Without it, the first of these that is there: the one that `ORT_DYLIB_PATH`
        /// names, /usr/lib/wardtap/libonnxruntime.so, the system's.
        #[serde(deserialize_with = "file", skip_serializing_if = "Option::is_none")]
        pub runtime: Option<PathBuf> = None => example "/opt/onnxruntime/lib/libonnxruntime.so",
        /// Public ed25519 keys. A model must be signed with one of them. With no key here, it needs no signature.
        pub trusted_keys: Vec<Key> = Vec::new() => unit "64 hex digits each",
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
