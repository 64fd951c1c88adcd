//! Ethernet addresses that stand for many: routers.

use std::{net::IpAddr, num::NonZeroUsize};

use lru::LruCache;

use crate::protocol::notice::Mac;

/// Ethernet addresses that are watched.
const ADDRESSES: NonZeroUsize = NonZeroUsize::new(16_384).expect("it is not zero");
/// From so many addresses on, an Ethernet address is a router's.
const ROUTER: usize = 4;

/// Addresses seen behind an Ethernet address, a few of them.
pub(super) struct Routers(LruCache<Mac, Vec<IpAddr>>);

impl Default for Routers {
    fn default() -> Self {
        Self(LruCache::new(ADDRESSES))
    }
}

impl Routers {
    /// Takes the sender of IP packets.
    pub(super) fn add(&mut self, mac: Mac, address: IpAddr) {
        let addresses = self.0.get_or_insert_mut(mac, Vec::new);
        if addresses.len() < ROUTER && !addresses.contains(&address) {
            addresses.push(address);
        }
    }

    pub(super) fn is_router(&self, mac: Mac) -> bool {
        let addresses = self.0.peek(&mac);
        addresses.is_some_and(|addresses| addresses.len() >= ROUTER)
    }
}
