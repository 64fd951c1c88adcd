//! DICOM exchanges, and what a receiver's answers say.

pub(crate) mod associate;
pub(crate) mod command;
pub(crate) mod make;
pub(crate) mod reply;
