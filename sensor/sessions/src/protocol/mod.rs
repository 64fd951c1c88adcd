//! What is known of each protocol above the kernel, one folder a protocol.
//!
//! [`assembler`] puts the pieces of a direction together to whole records. A folder has all of a protocol that is read
//! from records: its reader, the state of a session, what the inventory learns, and in `session.rs` the
//! [`session::Session`], which says which events and observations follow. The kernel's registry declares the folders.
//! [`notice`] reads what belongs to no connection. Records have passed the kernel's redaction; there is no other source.

use sensor_common::layer7::Protocol;

pub(crate) mod assembler;
pub(crate) mod notice;
pub(crate) mod session;
pub(crate) mod text;

/// Declares the module of each protocol, and lists what the pipeline asks of it.
macro_rules! modules {
    ($(($protocol:ident $module:ident))+) => {
        $(mod $module;)+

        /// The entries of all protocols, in the order of the kernel's registry.
        const ENTRIES: &[session::Entry] = &[$($module::ENTRY,)+];
    };
}

sensor_common::for_each_protocol! { modules: }

/// The entry of a protocol; `None` for [`Protocol::None`].
pub(crate) fn entry(protocol: Protocol) -> Option<&'static session::Entry> {
    let at = Protocol::ALL.iter().position(|one| *one == protocol)?;
    ENTRIES.get(at)
}
