//! Multicast DNS (RFC 6762): names and their addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The address of a record; `None` if it has another length than an address.
pub(super) fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(bytes) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(bytes).into());
    }
    <[u8; 16]>::try_from(bytes)
        .ok()
        .map(|bytes| Ipv6Addr::from(bytes).into())
}
