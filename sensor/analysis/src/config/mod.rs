//! The configuration sections of this crate.

mod detect;
mod incident;
pub mod model;

pub use detect::{Alerting, Baseline};
pub use incident::Grouping;
pub use model::{Model, file};
