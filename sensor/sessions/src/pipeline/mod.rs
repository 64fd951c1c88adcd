//! From ring records and flows to events, used live and in replay.

mod closed;
mod connection;
mod driver;
mod flows;
mod notice;
mod open;
mod options;
pub(crate) mod outlet;
mod reason;
mod sessions;
mod stats;

pub use driver::Pipeline;
pub use flows::FlowSnapshot;
pub use options::{Limits, PipelineOptions};
pub use reason::FlowEndReason;
pub use stats::PipelineStats;

#[cfg(test)]
mod tests;
