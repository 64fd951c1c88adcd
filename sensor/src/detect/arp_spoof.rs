//! An address that is at two Ethernet addresses at once: someone answers for another (ATT&CK T1557.002).

use std::{net::IpAddr, num::NonZeroUsize};

use lru::LruCache;

use super::{Detector, Draft, Observation, Site, What, is_host, once::Once};
use crate::event::{Time, mac_text};

/// Addresses that are watched.
const ADDRESSES: NonZeroUsize = NonZeroUsize::new(65_536).expect("it is not zero");
/// Two Ethernet addresses within this are at once, nanoseconds; a device that was replaced is not.
const AT_ONCE: i64 = 600_000_000_000;
/// From so many addresses on, an Ethernet address is a router's.
const ROUTER: usize = 4;

type Mac = [u8; 6];

struct Holder {
    mac: Mac,
    last: Time,
    /// The one before, and when it was last seen.
    before: Option<(Mac, Time)>,
}

pub(super) struct ArpSpoof {
    holders: LruCache<IpAddr, Holder>,
    /// Addresses seen behind an Ethernet address, a few of them.
    behind: LruCache<Mac, Vec<IpAddr>>,
    told: Once<IpAddr>,
}

impl Default for ArpSpoof {
    fn default() -> Self {
        Self {
            holders: LruCache::new(ADDRESSES),
            behind: LruCache::new(ADDRESSES),
            told: Once::default(),
        }
    }
}

impl ArpSpoof {
    fn is_router(&self, mac: Mac) -> bool {
        self.behind
            .peek(&mac)
            .is_some_and(|addresses| addresses.len() >= ROUTER)
    }

    /// Takes an address at an Ethernet address; the other that has it, if it goes back and forth.
    fn take(&mut self, address: IpAddr, mac: Mac, now: Time) -> Option<Mac> {
        let behind = self.behind.get_or_insert_mut(mac, Vec::new);
        if behind.len() < ROUTER && !behind.contains(&address) {
            behind.push(address);
        }
        let Some(holder) = self.holders.get_mut(&address) else {
            let holder = Holder {
                mac,
                last: now,
                before: None,
            };
            self.holders.put(address, holder);
            return None;
        };
        if holder.mac == mac {
            holder.last = holder.last.max(now);
            return None;
        }
        let other = holder.mac;
        let back = holder
            .before
            .is_some_and(|(before, last)| before == mac && now.0.saturating_sub(last.0) < AT_ONCE);
        holder.before = Some((other, holder.last));
        holder.mac = mac;
        holder.last = now;
        (back && !self.is_router(mac) && !self.is_router(other)).then_some(other)
    }
}

impl Detector for ArpSpoof {
    fn name(&self) -> &'static str {
        "arp_spoof"
    }

    fn observe(&mut self, seen: &Observation, _: Site<'_>) -> Option<Draft> {
        let What::Flow(facts) = &seen.what else {
            return None;
        };
        let ends = [
            (seen.client.ip(), facts.client_mac, facts.to_server.packets),
            (seen.server.ip(), facts.server_mac, facts.to_client.packets),
        ];
        for (address, mac, sent) in ends {
            if sent == 0 || mac == [0; 6] || !is_host(address) {
                continue;
            }
            let Some(other) = self.take(address, mac, seen.time) else {
                continue;
            };
            if !self.told.first(address, seen.time) {
                continue;
            }
            let text = |mac| mac_text(mac).unwrap_or_default();
            return Some(Draft {
                technique: "T1557.002",
                confidence: 0.8,
                subject: Some(address),
                suffers: true,
                evidence: format!(
                    "packets from {address} come from {} and {} in turn, within {} minutes",
                    text(mac),
                    text(other),
                    AT_ONCE / 60_000_000_000
                ),
                wrong_if: "two devices were given one address by mistake, or a pair of servers takes over from each other",
                ..Draft::default()
            });
        }
        None
    }
}
