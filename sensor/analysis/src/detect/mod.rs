//! From what was seen to what is suspected.
//!
//! A detector takes [`Observation`](sensor_facts::observation::Observation)s and gives
//! [`Finding`](sensor_facts::finding::Finding)s. Each is a file in `detectors`, which declares with [`About`] what
//! others need to know: its ATT&CK techniques, its thresholds, and what would make it wrong. What is usual it asks of
//! the [baselines](crate::baseline).

mod about;
pub mod clinical;
mod closest;
mod counted;
mod detector;
mod detectors;
#[cfg(test)]
mod docs;
mod draft;
mod fair;
mod holders;
mod options;
mod overrides;
mod origins;
mod prelude;
mod registry;
mod reported;
mod request;
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
pub use options::{Detect, known, thresholds};
pub use overrides::{Override, Tuned};
pub(crate) use origins::Origins;
pub use registry::Detectors;
pub(crate) use registry::Found;
pub(crate) use routers::Routers;
pub(crate) use site::Site;
pub use threshold::{Threshold, Value};
