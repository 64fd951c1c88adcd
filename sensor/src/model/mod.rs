//! Anomaly models: what they are asked about.

pub mod csv;
pub mod features;

pub use features::{FEATURES, NAMES, Row, SCHEMA};
