//! From observations to alerts: baselines, detectors, anomaly models, alerts, and what is exposed.

#![forbid(unsafe_code)]

mod analysis;
mod learned;
mod message_time;
mod room;
mod whom;

pub mod alert;
pub mod baseline;
pub mod behaviour;
pub mod config;
pub mod detect;
pub mod exposure;
pub mod incident;
pub mod model;
pub mod replay;

pub use whom::Whom;

pub use analysis::{Account, Analysis, AnalysisOptions, LabelledIncident, Online, Outcome};
