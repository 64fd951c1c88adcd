//! TLS: what the hello messages say (RFC 8446 section 4.1, RFC 5246 section 7.4.1).

mod hello;
mod inventory;
mod session;
mod state;

pub(super) use session::ENTRY;
