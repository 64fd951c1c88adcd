//! The control socket: what is answered ([`api`]), the daemon's side ([`server`]), who holds it
//! ([`socket`]), and the command line's side ([`client`]).

mod alerts;
pub mod api;
pub mod client;
mod compliance;
mod devices;
mod evidence;
mod export;
mod exposure;
mod model;
mod report;
mod rules;
pub use rules::Roles;
pub mod server;
pub mod socket;
mod status;
mod veil;
