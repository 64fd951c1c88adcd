//! The threads of a running daemon and what they tell of themselves. Each is asked through its handle; what anyone may read
//! is in the [`snapshot`].

pub mod alive;
mod ask;
pub mod capture;
pub mod command;
pub mod enforcement;
mod inbox;
pub(crate) mod memory;
pub mod mirror;
pub mod options;
pub mod responder;
pub mod snapshot;
mod sweep;
mod tally;

pub use ask::AskError;
pub use tally::{Counts, Tally};
