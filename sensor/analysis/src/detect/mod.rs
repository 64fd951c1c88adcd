//! From what was seen to what is suspected.
//!
//! A detector takes [`Observation`](sensor_facts::observation::Observation)s and gives
//! [`Finding`](sensor_facts::finding::Finding)s. Each is a file in `detectors`, which declares with [`About`] what
//! others need to know: its ATT&CK techniques, its thresholds, and what would make it wrong. What is usual it asks of
//! the [baselines](crate::baseline).

mod about;
pub mod clinical;
mod closest;
pub(crate) mod counted;
mod detector;
mod detectors;
#[cfg(test)]
mod docs;
mod draft;
mod fair;
mod holders;
mod named;
mod options;
mod origins;
mod overrides;
mod prelude;
mod registry;
mod reported;
mod routers;
mod shared;
mod site;
#[cfg(test)]
mod tests;
mod text;
mod threshold;
mod window;

pub use about::{About, Starts};
pub use detectors::ALL;
pub(crate) use draft::contribution;
pub(crate) use named::Named;
pub use options::{Detect, known, thresholds};
pub(crate) use origins::{Origins, caution};
pub use overrides::{Override, Tuned};
pub use registry::Detectors;
pub(crate) use registry::Found;
pub(crate) use routers::Routers;
pub(crate) use site::{Site, is_outside};
pub use threshold::{Threshold, Value};
