//! Ethernet addresses that stand for many: routers.

use std::{net::IpAddr, num::NonZeroUsize};

use lru::LruCache;
use sensor_facts::observation::{Mac, Observation, What, is_host};

/// Ethernet addresses that are watched.
const ADDRESSES: NonZeroUsize = NonZeroUsize::new(16_384).expect("it is not zero");
/// Addresses seen behind an Ethernet address, a few of them.
pub(crate) struct Routers {
    seen: LruCache<Mac, Vec<IpAddr>>,
    /// From this many addresses on, an Ethernet address is a router's.
    many: usize,
}

impl Routers {
    /// An Ethernet address with this many addresses is a router's.
    pub(crate) fn new(many: u32) -> Self {
        let mut routers = Self {
            seen: LruCache::new(ADDRESSES),
            many: 0,
        };
        routers.set(many);
        routers
    }

    /// Changes the number of addresses. What was seen is kept.
    pub(crate) fn set(&mut self, many: u32) {
        self.many = usize::try_from(many).unwrap_or(usize::MAX);
    }

    /// Takes the senders of a flow's packets.
    pub(crate) fn learn(&mut self, seen: &Observation) {
        for (mac, address) in senders(seen).into_iter().flatten() {
            self.add(mac, address);
        }
    }

    fn add(&mut self, mac: Mac, address: IpAddr) {
        let addresses = self.seen.get_or_insert_mut(mac, Vec::new);
        if addresses.len() < self.many && !addresses.contains(&address) {
            addresses.push(address);
        }
    }

    pub(super) fn is_router(&self, mac: Mac) -> bool {
        let addresses = self.seen.peek(&mac);
        addresses.is_some_and(|addresses| addresses.len() >= self.many)
    }
}

/// Who sent packets of a flow, client first, where the Ethernet address is known.
pub(super) fn senders(seen: &Observation) -> [Option<(Mac, IpAddr)>; 2] {
    let What::Flow(facts) = &seen.what else {
        return [None; 2];
    };
    [
        (seen.macs[0], seen.client, &facts.to_server),
        (seen.macs[1], seen.server, &facts.to_client),
    ]
    .map(|(mac, end, sent)| {
        let is_known = sent.packets > 0 && mac != [0; 6] && is_host(end.ip());
        is_known.then_some((mac, end.ip()))
    })
}
