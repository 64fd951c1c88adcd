//! Devices by their Ethernet address: names that they gave, and the address that they have, so that a device
//! is known again when DHCP gives it another.

use std::{
    net::{IpAddr, Ipv4Addr},
    num::NonZeroUsize,
};

use lru::LruCache;
use sensor_facts::{observation::Mac, time::Time};
use serde::{Deserialize, Serialize};

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

    /// Takes a DHCP message; `known` are the addresses that were seen behind the client's Ethernet address.
    pub(crate) fn dhcp(&mut self, dhcp: &Dhcp, known: &[IpAddr], now: Time) {
        // A group address is nobody's.
        if dhcp.mac == [0; 6] || dhcp.mac[0] & 1 != 0 {
            return;
        }
        let station = self.0.get_or_insert_mut(dhcp.mac, Station::default);
        // A server repeats what the client said, or makes it up.
        if !dhcp.reply {
            if let Some(name) = dhcp.name.clone().filter(|name| !name.is_empty()) {
                station.name = Some(name);
            }
            if let Some(class) = dhcp.vendor_class.clone().filter(|class| !class.is_empty()) {
                station.vendor_class = Some(class);
            }
        }
        let Some(leased) = dhcp.leased() else {
            return;
        };
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
    /// since. `last_seen` is when a host was seen last.
    pub(super) fn uses(
        &mut self,
        mac: Mac,
        address: IpAddr,
        last_seen: impl Fn(IpAddr) -> Option<Time>,
    ) -> Option<IpAddr> {
        let IpAddr::V4(address) = address else {
            return None;
        };
        let station = self.0.peek_mut(&mac)?;
        let (leased, time) = station.pending.filter(|(leased, _)| *leased == address)?;
        station.pending = None;
        let before = station.address.replace(leased).map(IpAddr::V4)?;
        // Whoever goes on at the old address did not move: the lease was made up, or is another's.
        last_seen(before)
            .is_none_or(|last| last <= time)
            .then_some(before)
    }
}
