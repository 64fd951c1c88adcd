//! What hosts say of themselves in ARP, DHCP and multicast DNS, which belongs to no connection.

pub(crate) mod dhcp;
pub(crate) mod learn;
pub(crate) mod read;

mod mdns;
mod name;
