//! The table of hosts.
//!
//! A host is an address that sent something. Hosts that were seen in a conversation of both
//! directions, or with a clinical protocol, are kept apart from the others, so that a scan or a flood
//! of invented senders replaces only its own kind.
//!
//! A device that DHCP gives another address is followed by its Ethernet address.

use std::{net::IpAddr, num::NonZeroUsize};

use lru::LruCache;
use sensor_common::{flow::Flow, key::FlowKey};
use sensor_facts::{
    observation::Mac,
    time::{Time, Timebase},
};

use super::{
    ends::ends, host::Host, leases::Leases, macs::Macs, report::HostReport, stations::Stations,
};

/// The hosts that were seen, bounded in number.
#[derive(Debug)]
pub struct Inventory {
    pub(super) known: LruCache<IpAddr, Host>,
    fresh: LruCache<IpAddr, Host>,
    pub(crate) macs: Macs,
    pub(crate) stations: Stations,
    pub(crate) leases: Leases,
    moves: Vec<(IpAddr, IpAddr, Time)>,
    evicted: u64,
    omitted: u64,
}

impl Inventory {
    /// An empty inventory with room for so many hosts, [known and other](self).
    #[must_use]
    pub fn new(known: usize, fresh: usize) -> Self {
        let capacity = |size| NonZeroUsize::new(size).unwrap_or(NonZeroUsize::MIN);
        Self {
            known: LruCache::new(capacity(known)),
            fresh: LruCache::new(capacity(fresh)),
            macs: Macs::new(capacity(known)),
            stations: Stations::new(capacity(known)),
            leases: Leases::new(),
            moves: Vec::new(),
            evicted: 0,
            omitted: 0,
        }
    }

    /// Addresses of the hosts that were seen to answer or to speak a clinical protocol.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.known.iter().map(|(address, _)| *address)
    }

    /// Devices that changed their address since the last call: before, now, and when.
    pub(crate) fn take_moves(&mut self) -> Vec<(IpAddr, IpAddr, Time)> {
        std::mem::take(&mut self.moves)
    }

    /// A device uses an address: if it was given it in the place of another, what is known of it goes
    /// along.
    pub(crate) fn follow(&mut self, mac: Mac, address: IpAddr, now: Time) {
        if self.macs.is_shared(mac) {
            return;
        }
        let hosts = (&self.known, &self.fresh);
        let left = |address: IpAddr, since: Time| {
            let host = hosts.0.peek(&address).or_else(|| hosts.1.peek(&address));
            host.is_none_or(|host| {
                host.last() <= since && host.macs().iter().all(|other| *other == mac)
            })
        };
        let Some(before) = self.stations.uses(mac, address, left) else {
            return;
        };
        self.macs.remove(mac, before);
        let known = self.known.contains(&before);
        let host = self.known.pop(&before).or_else(|| self.fresh.pop(&before));
        if let Some(mut host) = host {
            host.moved(before, now);
            // What another had at the new address is not this one's.
            self.fresh.pop(&address);
            let hosts = if known {
                &mut self.known
            } else {
                &mut self.fresh
            };
            hosts.put(address, host);
            if self.moves.len() < MOVES_MAX {
                self.moves.push((before, address, now));
            }
        }
    }

    /// The host of an address, if it is among the known ones.
    pub(crate) fn known(&mut self, address: IpAddr) -> Option<&mut Host> {
        self.known.get_mut(&address)
    }

    /// Counts details of hosts that were left out.
    pub(crate) fn omit(&mut self, count: u64) {
        self.omitted += count;
    }

    /// Number of hosts.
    #[must_use]
    pub fn len(&self) -> u64 {
        (self.known.len() + self.fresh.len()) as u64
    }

    /// True without any host.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Hosts dropped because they were too many.
    #[must_use]
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Details of hosts left out because they were too many.
    #[must_use]
    pub fn omitted(&self) -> u64 {
        self.omitted
    }

    /// All hosts, those seen last first; `live` are the running flows.
    pub fn reports<'a>(
        &self,
        live: impl Iterator<Item = (&'a FlowKey, &'a Flow)>,
        timebase: Timebase,
    ) -> Vec<HostReport> {
        let all = self.known.iter().chain(self.fresh.iter());
        let mut reports: std::collections::HashMap<IpAddr, HostReport> = all
            .map(|(address, host)| (*address, host.report(*address, &self.macs, &self.stations)))
            .collect();
        for (key, flow) in live {
            for end in ends(key, flow) {
                if let Some(report) = reports.get_mut(&end.address) {
                    report.bytes_out += end.sent.bytes;
                    report.bytes_in += end.received.bytes;
                    report.flows_opened += u64::from(end.opened);
                    report.flows_accepted += u64::from(!end.opened);
                    report.last_seen = report.last_seen.max(timebase.wall(end.sent.last));
                }
            }
        }
        let mut reports: Vec<_> = reports.into_values().collect();
        reports.sort_by(|a, b| {
            b.last_seen
                .cmp(&a.last_seen)
                .then(a.address.cmp(&b.address))
        });
        reports
    }

    /// The host of an address, made where there is none; `known` puts it among the known ones.
    pub(crate) fn host(&mut self, address: IpAddr, known: bool, now: Time) -> &mut Host {
        let in_known = self.known.contains(&address);
        if !in_known && known {
            let host = self.fresh.pop(&address).unwrap_or_else(|| Host::new(now));
            self.evicted += u64::from(self.known.push(address, host).is_some());
        }
        if in_known || known {
            self.known.get_or_insert_mut(address, || Host::new(now))
        } else {
            if !self.fresh.contains(&address) {
                self.evicted += u64::from(self.fresh.push(address, Host::new(now)).is_some());
            }
            self.fresh.get_or_insert_mut(address, || Host::new(now))
        }
    }
}

/// Changes of address that are kept until the pipeline takes them.
const MOVES_MAX: usize = 1_024;
