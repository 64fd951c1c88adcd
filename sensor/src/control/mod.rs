//! The control socket: what it answers ([`api`]), who holds it ([`socket`]), and its client.

pub mod api;
pub mod client;
pub mod socket;
