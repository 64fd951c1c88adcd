//! Ethernet addresses that stand for many: routers.

use std::{net::IpAddr, num::NonZeroUsize};

use lru::LruCache;

use sensor_facts::observation::Mac;
use sensor_facts::observation::{Observation, What, is_host};

/// Ethernet addresses that are watched.
const ADDRESSES: NonZeroUsize = NonZeroUsize::new(16_384).expect("it is not zero");
/// From so many addresses on, an Ethernet address is a router's.
const ROUTER: usize = 4;

/// Addresses seen behind an Ethernet address, a few of them.
pub(crate) struct Routers(LruCache<Mac, Vec<IpAddr>>);

impl Default for Routers {
    fn default() -> Self {
        Self(LruCache::new(ADDRESSES))
    }
}

impl Routers {
    /// Takes the senders of a flow's packets.
    pub(crate) fn learn(&mut self, seen: &Observation) {
        for (mac, address) in senders(seen).into_iter().flatten() {
            self.add(mac, address);
        }
    }

    fn add(&mut self, mac: Mac, address: IpAddr) {
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

/// Who sent packets of a flow, client first, where the Ethernet address is known.
pub(super) fn senders(seen: &Observation) -> [Option<(Mac, IpAddr)>; 2] {
    let What::Flow(facts) = &seen.what else {
        return [None; 2];
    };
    [
        (facts.client_mac, seen.client, &facts.to_server),
        (facts.server_mac, seen.server, &facts.to_client),
    ]
    .map(|(mac, end, sent)| {
        let is_known = sent.packets > 0 && mac != [0; 6] && is_host(end.ip());
        is_known.then_some((mac, end.ip()))
    })
}
