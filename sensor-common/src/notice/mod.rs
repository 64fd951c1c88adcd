//! Notices: what hosts say of themselves outside of any session, that is who they are in ARP, DHCP
//! (RFC 2131) and multicast DNS (RFC 6762).
//!
//! What leaves the kernel is listed here and nothing else does: of ARP the addresses ([`arp::Arp::record`]); of DHCP the
//! operation, the client's hardware address, `ciaddr` and `yiaddr`, and the options host name (12), requested
//! address (50), message type (53) and vendor class (60); of multicast DNS the first label of the name of an address
//! record in an answer, and the address.
//!
//! Like the layer-7 readers, the readers here go step by step. A CPU lets out so many notices a second
//! ([`Budget`]); what is beyond is counted.

pub mod arp;

mod dhcp;
mod limit;
mod mdns;
mod send;
mod state;

pub use limit::PER_SECOND;
pub use send::{send, step};
pub use state::{Budget, NAME_MAX, Notice, STEPS};

pub use crate::registry::Topic;
