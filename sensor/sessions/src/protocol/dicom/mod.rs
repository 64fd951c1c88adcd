//! DICOM: whole associations from the records of both directions.

mod associate;
mod command;
mod commands;
mod items;
mod names;
mod session;
mod summary;

use thiserror::Error;

pub use session::{Change, Session};

use self::names::Uid;

/// What breaks the standard, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("malformed {what} at byte {offset} of the record")]
pub struct DicomError {
    /// What was being read.
    pub what: &'static str,
    /// Offset in the record.
    pub offset: usize,
}

/// A UID has at most 64 characters (PS3.5 section 9.1).
fn uid(bytes: &[u8]) -> Uid {
    Uid::new(super::padded_text(bytes, 64))
}
