//! The audit trail: who did what, when and why, in a form in which no change goes unseen.
//!
//! One file of JSON lines, `audit.jsonl` in the state directory. Each line carries the hash of the one
//! before it (BLAKE3), so a line that was changed, removed, put elsewhere or inserted breaks the chain
//! there. It is also the store of the containment rules: the rules in force are what the entries, read from
//! the first on, leave standing ([`sensor_response::Book`]).

pub mod bundle;
mod checkpoint;
mod entry;
mod journal;
mod reading;
mod trail;

pub use checkpoint::{CHECKPOINTS, Checkpoint, CheckpointFlaw, Checkpoints, PUBLIC_KEY};
pub use entry::{Entry, Flaw};
pub use journal::{Journal, Recovery};
pub use reading::{JournalError, Summary, read, verify, verify_settled};
pub use trail::{Ticket, Trail, TrailStatus};

/// Name of the file in the state directory.
pub const FILE: &str = "audit.jsonl";

#[cfg(test)]
mod bundle_tests;
#[cfg(test)]
mod tests;
