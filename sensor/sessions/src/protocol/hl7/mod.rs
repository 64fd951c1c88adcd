//! HL7 version 2: messages and sessions from the records of both directions (HL7 v2.5.1 chapter 2).

mod activity;
mod error;
mod header;
mod inventory;
mod separators;
mod session;
mod state;
mod summary;

pub(super) use session::ENTRY;
