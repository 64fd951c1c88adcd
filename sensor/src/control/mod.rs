//! The control socket: what is answered ([`api`]), the daemon's side ([`server`]), who holds it
//! ([`socket`]), and the command line's side ([`client`]).

mod alerts;
mod answer;
pub mod api;
mod change;
pub mod client;
mod compliance;
mod devices;
mod evidence;
mod exceptions;
mod export;
mod exposure;
mod illegible;
mod incidents;
mod missing;
mod model;
mod pages;
mod peer;
mod reload;
mod report;
mod roles;
mod rules;
pub mod server;
pub mod socket;
mod status;
mod veil;

pub(crate) use exceptions::tell_roles;
pub use reload::ReloadOrder;
pub(crate) use reload::orders;
pub use roles::Roles;
