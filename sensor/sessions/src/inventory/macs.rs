//! Which addresses an Ethernet address stands for, and whether it is [a router's](sensor_facts::router).

use std::{net::IpAddr, num::NonZeroUsize};

use lru::LruCache;
use sensor_facts::{router::Passage, time::Time};

/// From this many addresses on an Ethernet address can be a router's: a host with aliases has fewer.
const MANY: usize = 4;
/// Addresses that are kept of an Ethernet address.
const ADDRESSES: usize = 20;

/// What is known of an Ethernet address.
#[derive(Debug, Default)]
struct Known {
    addresses: Vec<IpAddr>,
    passage: Passage,
}

/// The addresses seen behind each Ethernet address.
#[derive(Debug)]
pub(crate) struct Macs {
    all: LruCache<[u8; 6], Known>,
    latest: Time,
}

impl Macs {
    pub(crate) fn new(capacity: NonZeroUsize) -> Self {
        Self {
            all: LruCache::new(capacity),
            latest: Time::default(),
        }
    }

    /// An address was seen behind an Ethernet address.
    pub(crate) fn add(&mut self, mac: [u8; 6], address: IpAddr) {
        if mac == [0; 6] {
            return;
        }
        let known = self.all.get_or_insert_mut(mac, Known::default);
        if known.addresses.len() < ADDRESSES && !known.addresses.contains(&address) {
            known.addresses.push(address);
        }
    }

    /// A conversation [that proves it](sensor_facts::router::proves) went by an Ethernet address.
    pub(crate) fn passed(&mut self, mac: [u8; 6], address: IpAddr, now: Time) {
        self.latest = self.latest.max(now);
        if let Some(known) = self.all.get_mut(&mac) {
            known.passage.add(address, now, MANY);
        }
    }

    /// It has the address itself: it says so by ARP or neighbour discovery.
    pub(crate) fn owns(&mut self, mac: [u8; 6], address: IpAddr) {
        self.add(mac, address);
        if let Some(known) = self.all.get_mut(&mac) {
            known.passage.owns(address);
        }
    }

    /// The addresses seen behind it, as many as are kept.
    pub(crate) fn of(&self, mac: [u8; 6]) -> &[IpAddr] {
        let known = self.all.peek(&mac);
        known.map_or(&[], |known| known.addresses.as_slice())
    }

    /// A device does not have this address any more.
    pub(crate) fn remove(&mut self, mac: [u8; 6], address: IpAddr) {
        if let Some(known) = self.all.peek_mut(&mac) {
            known.addresses.retain(|other| *other != address);
        }
    }

    pub(crate) fn is_shared(&self, mac: [u8; 6]) -> bool {
        let known = self.all.peek(&mac);
        known.is_some_and(|known| known.passage.is_router(self.latest, MANY))
    }
}
