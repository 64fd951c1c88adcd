//! Anomaly models: what they are asked about ([`features`]), the runtime they run in, the [gate] before they are
//! believed, and how flows are scored by them.

pub mod about;
mod compare;
pub mod csv;
pub mod features;
pub mod gate;
mod graph;
mod load_error;
mod manifest;
mod models;
mod onnx;
mod open;
mod probe;
mod ranges;
mod recorded;
mod refusal;
mod runtime;
mod scorer;

mod start;
mod store;
mod summary;
mod window_models;
mod windows;

pub use about::About;
pub use compare::{Compared, Comparison, Trial, compare};
pub use csv::ExportedRow;
pub use features::{FEATURES, NAMES, Row, SCHEMA};
pub use gate::{Check, Examination, Gate, examine, examine_outside};
pub(crate) use graph::STRANGE;
pub use graph::{BATCH, Model, RunError, Score};
pub use load_error::LoadError;
pub use manifest::{Key, Manifest, ModelFile, SIZE_MAX, manifest_path};
pub use models::{Models, SHIPPED};
pub use onnx::OnnxError;
pub(crate) use ranges::Ranges;
pub use recorded::{RECORDED_MAX, Recorded};
pub use refusal::Refusal;
pub use runtime::{PACKAGED, QUIET, Runtime, RuntimeError, VARIABLE};
pub use scorer::{Counts, ScoreRequest, Scored, Scorer, Slot};
pub use store::Entry;
pub use summary::{Loaded, Summary};
pub use window_models::{NextWindows, WindowSlot};
pub use windows::{SHIPPED_WINDOWS, WindowModel};
