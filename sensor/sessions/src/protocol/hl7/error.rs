//! A segment that breaks the standard.

use thiserror::Error;

/// What breaks the standard, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("malformed {what} at byte {offset} of the segment")]
pub(super) struct Hl7Error {
    /// What was being read.
    pub what: &'static str,
    /// Offset in the record.
    pub offset: usize,
}
