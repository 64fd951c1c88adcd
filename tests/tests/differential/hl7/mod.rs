//! HL7 exchanges, and what a receiver's answers say.

pub(crate) mod make;
pub(crate) mod reply;
