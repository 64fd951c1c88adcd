//! The configuration sections of this crate.

mod detect;
pub mod model;

pub use detect::{Alerting, Baseline};
pub use model::{Model, file};
