//! The audit trail: who did what, when and why, in a form in which no change goes unseen.
//!
//! JSON lines, in `audit.jsonl` in the state directory. Each line carries the hash of the one
//! before it (BLAKE3), so a line that was changed, removed, put elsewhere or inserted breaks the chain
//! there. A file that is full is closed and gets a number; the first entry of the next one names the end of it, and what
//! the entries so far leave in force. The trail is also the store of the containment rules: the rules in force are what
//! the entries of the last segment, read from its first on, leave standing (`sensor_response::Book`).

pub mod bundle;
mod caretaker;
mod checkpoint;
mod entry;
mod error;
mod journal;
pub mod options;
mod reading;
mod segment;
mod signer;
mod summaries;
mod trail;
mod walk;

pub use caretaker::Check;
pub use checkpoint::{CHECKPOINTS, Checkpoint, CheckpointFlaw, Checkpoints, PUBLIC_KEY};
pub use entry::{Entry, Flaw};
pub use error::JournalError;
pub use journal::{Journal, Recovery};
pub use options::{Audit, TrailOptions};
pub use reading::{Signatures, Summary, last, last_of, read, verify, verify_settled};
pub use summaries::Summaries;
pub use trail::{NotWritten, Ticket, Trail, TrailStatus};

/// Name of the file of the segment that is written, in the state directory.
pub const FILE: &str = "audit.jsonl";

#[cfg(test)]
mod bundle_tests;
#[cfg(test)]
mod caretaker_tests;
#[cfg(test)]
mod segment_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod trail_tests;
