//! Devices by their Ethernet address: names that they gave, and the address that they have, so that a device
//! is known again when DHCP gives it another.

use std::{
    net::{IpAddr, Ipv4Addr},
    num::NonZeroUsize,
};

use lru::LruCache;
use sensor_facts::{
    observation::{Lease, Mac},
    time::Time,
};
use serde::{Deserialize, Serialize};

use super::leases::Belief;
use crate::protocol::notice::dhcp::Dhcp;

/// A device behind an Ethernet address.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Station {
    /// DHCP host name.
    pub(super) name: Option<String>,
    /// DHCP vendor class.
    pub(super) vendor_class: Option<String>,
    /// The address that it was given last, and is known to use.
    pub(super) address: Option<Ipv4Addr>,
    /// An address that it was given when, and was not seen to use yet.
    pending: Option<(Ipv4Addr, Time)>,
}

impl Station {
    /// False if it was given another address than this.
    pub(super) fn is_at(&self, address: IpAddr) -> bool {
        self.address.is_none_or(|own| IpAddr::V4(own) == address)
    }
}

/// Devices by their Ethernet address, bounded; the one seen longest ago makes room.
#[derive(Debug)]
pub(crate) struct Stations(LruCache<Mac, Station>);

impl Stations {
    pub(super) fn new(capacity: NonZeroUsize) -> Self {
        Self(LruCache::new(capacity))
    }

    /// All, the one of longest ago first.
    pub(super) fn all(&self) -> Vec<(Mac, Station)> {
        let all = self.0.iter().rev();
        all.map(|(mac, station)| (*mac, station.clone())).collect()
    }

    pub(super) fn put(&mut self, mac: Mac, station: Station) {
        self.0.put(mac, station);
    }

    pub(super) fn get(&self, mac: Mac) -> Option<&Station> {
        self.0.peek(&mac)
    }

    /// Takes what a DHCP message says of its client; `known` are the addresses that were seen behind the client's Ethernet
    /// address, and `belief` is whether the lease is believed.
    pub(crate) fn dhcp(&mut self, dhcp: &Dhcp, known: &[IpAddr], belief: Belief, now: Time) {
        let facts = &dhcp.facts;
        // A group address is nobody's.
        if facts.client_mac == [0; 6] || facts.client_mac[0] & 1 != 0 {
            return;
        }
        // A server repeats what the client said, or makes it up. Behind a relay agent the frame is that one's.
        if !facts.reply {
            let station = self.0.get_or_insert_mut(facts.client_mac, Station::default);
            if let Some(name) = dhcp.name.clone().filter(|name| !name.is_empty()) {
                station.name = Some(name);
            }
            if let Some(class) = dhcp.vendor_class.clone().filter(|class| !class.is_empty()) {
                station.vendor_class = Some(class);
            }
        }
        match (belief, facts.lease()) {
            (Belief::Holds, Some(lease)) => self.leased(lease, known, now),
            (Belief::Contradicted, Some(lease)) => {
                if let Some(station) = self.0.peek_mut(&lease.mac) {
                    station.pending = None;
                }
            }
            _ => {}
        }
    }

    /// A device was given an address.
    fn leased(&mut self, lease: Lease, known: &[IpAddr], now: Time) {
        let station = self.0.get_or_insert_mut(lease.mac, Station::default);
        let leased = lease.address;
        if station.address.is_none() {
            let mut others = known.iter().filter_map(|address| match address {
                IpAddr::V4(address) if *address != leased => Some(*address),
                _ => None,
            });
            // Of several it is not known which one this one follows.
            station.address = others.next().filter(|_| others.next().is_none());
        }
        if station.address == Some(leased) {
            station.pending = None;
        } else {
            station.pending = Some((leased, now));
        }
    }

    /// A device is seen to use an address: the one that it had before, if this is the one that it was given
    /// since. `left` is whether a host was not seen since a time, and never at another Ethernet address than this one.
    pub(super) fn uses(
        &mut self,
        mac: Mac,
        address: IpAddr,
        left: impl Fn(IpAddr, Time) -> bool,
    ) -> Option<IpAddr> {
        let IpAddr::V4(address) = address else {
            return None;
        };
        let station = self.0.peek_mut(&mac)?;
        let (leased, time) = station.pending.filter(|(leased, _)| *leased == address)?;
        station.pending = None;
        let before = station.address.replace(leased).map(IpAddr::V4)?;
        // Whoever goes on at the old address did not move: the lease was made up, or is another's. So it is of an address that
        // was another's before.
        left(before, time).then_some(before)
    }
}
