//! Which addresses an Ethernet address stands for: many are a router's.

use std::{net::IpAddr, num::NonZeroUsize};

use lru::LruCache;

/// From this many IPv4 addresses on an Ethernet address is taken for a router's: a host with aliases
/// has fewer.
const SHARED_V4: usize = 4;
/// The same for IPv6, of which a host has several (RFC 8981 gives it a new one a day).
const SHARED_V6: usize = 16;

/// The addresses seen behind each Ethernet address.
#[derive(Debug)]
pub(crate) struct Macs {
    addresses: LruCache<[u8; 6], Vec<IpAddr>>,
}

impl Macs {
    pub(crate) fn new(capacity: NonZeroUsize) -> Self {
        Self {
            addresses: LruCache::new(capacity),
        }
    }

    pub(crate) fn add(&mut self, mac: [u8; 6], address: IpAddr) {
        if mac == [0; 6] {
            return;
        }
        let known = self.addresses.get_or_insert_mut(mac, Vec::new);
        if known.len() < SHARED_V4 + SHARED_V6 && !known.contains(&address) {
            known.push(address);
        }
    }

    /// The addresses seen behind it, as many as are kept.
    pub(crate) fn of(&self, mac: [u8; 6]) -> &[IpAddr] {
        self.addresses.peek(&mac).map_or(&[], Vec::as_slice)
    }

    /// A device does not have this address any more.
    pub(crate) fn remove(&mut self, mac: [u8; 6], address: IpAddr) {
        if let Some(addresses) = self.addresses.peek_mut(&mac) {
            addresses.retain(|other| *other != address);
        }
    }

    pub(crate) fn is_shared(&self, mac: [u8; 6]) -> bool {
        self.addresses.peek(&mac).is_some_and(|addresses| {
            let v4 = addresses.iter().filter(|address| address.is_ipv4()).count();
            v4 >= SHARED_V4 || addresses.len() - v4 >= SHARED_V6
        })
    }
}
