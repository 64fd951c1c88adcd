//! What is known of each protocol above the kernel, one folder a protocol.
//!
//! [`assembler`] puts the pieces of a direction together to whole records. A folder has all of a protocol that is read from
//! records: its reader, the state of a session, and in `session.rs` the [`session::Session`], which says what follows
//! from a session: events, observations, what the inventory learns, the row of a list. [`registry`] lists them.
//! [`notice`] reads what belongs to no connection. Records have passed the kernel's redaction; there is no other
//! source.

pub(crate) mod assembler;
pub(crate) mod notice;
pub(crate) mod registry;
pub(crate) mod session;
pub(crate) mod text;

mod dicom;
mod hl7;
mod tls;
