//! Notices: what hosts say of themselves outside of any session, that is who they are in ARP, DHCP
//! (RFC 2131), multicast DNS (RFC 6762) and IPv6 neighbour discovery (RFC 4861).
//!
//! What leaves the kernel is listed here and nothing else does: of ARP the addresses ([`arp::Arp::record`]); of DHCP the
//! message up to the client's hardware address, the source of the Ethernet header, and the options routers (3), name
//! servers (6), host name (12), requested address (50), message type (53), server (54) and vendor class (60); of multicast
//! DNS the first label of the name of an address record in an answer, and the address; of neighbour discovery the message
//! before its options, the Ethernet addresses in its options and its header, and of router advertisements the prefixes and
//! the addresses of name servers.
//!
//! Like the layer-7 readers, the readers here go step by step. A CPU lets out so many notices a second
//! ([`Budget`]); what is beyond is counted.

pub mod arp;
pub mod neighbour;

mod dhcp;
mod limit;
mod mdns;
mod send;
mod state;

pub use limit::PER_SECOND;
pub use send::{count_claim, hand_over, send, step};
pub use state::{Budget, NAME_MAX, Notice, STEPS};

pub use crate::registry::Topic;
