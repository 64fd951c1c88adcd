//! HL7 version 2: messages and sessions from the records of both directions (HL7 v2.5.1 chapter 2).

mod header;
mod session;

use thiserror::Error;

pub use session::Session;

/// What breaks the standard, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("malformed {what} at byte {offset} of the segment")]
pub struct Hl7Error {
    /// What was being read.
    pub what: &'static str,
    /// Offset in the record.
    pub offset: usize,
}
