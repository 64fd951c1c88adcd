//! Ethernet addresses that stand for many: [routers](sensor_facts::router).

use std::{net::IpAddr, num::NonZeroUsize};

use crate::detect::counted::CountedLru;
use sensor_facts::{
    observation::{FlowFacts, Mac, Observation, What, is_host},
    router::{Passage, proves},
    time::Time,
};

/// Ethernet addresses that are watched.
const ADDRESSES: NonZeroUsize = NonZeroUsize::new(16_384).expect("it is not zero");
/// IP addresses whose Ethernet address is kept.
const HOLDERS: NonZeroUsize = NonZeroUsize::new(65_536).expect("it is not zero");
/// An IP address that was not seen at its Ethernet address for so long, nanoseconds, can be at another.
const LEFT: i64 = 600 * 1_000_000_000;

/// Which Ethernet addresses are routers, and at which Ethernet address an IP address was seen to be. Only conversations
/// in which the other end answered count.
pub(crate) struct Routers {
    seen: CountedLru<Mac, Passage>,
    holders: CountedLru<IpAddr, (Mac, Time)>,
    /// From this many addresses on, an Ethernet address can be a router's.
    many: usize,
    latest: Time,
}

impl Routers {
    /// An Ethernet address with this many addresses can be a router's.
    pub(crate) fn new(many: u32) -> Self {
        let mut routers = Self {
            seen: CountedLru::new(ADDRESSES),
            holders: CountedLru::new(HOLDERS),
            many: 0,
            latest: Time::default(),
        };
        routers.set(many);
        routers
    }

    /// Changes the number of addresses. What was seen is kept.
    pub(crate) fn set(&mut self, many: u32) {
        self.many = usize::try_from(many).unwrap_or(usize::MAX);
    }

    /// Takes the ends of a flow, and the addresses that hosts claim.
    pub(crate) fn learn(&mut self, seen: &Observation) {
        self.latest = self.latest.max(seen.time);
        match &seen.what {
            What::Flow(facts) => self.flow(seen, facts),
            What::Arp(arp) if arp.sender_mac == arp.frame_mac => {
                self.claimed(arp.sender_mac, arp.sender.into());
            }
            What::Neighbour(facts) => {
                if let Some((address, mac)) = facts.claim()
                    && mac == facts.frame_mac
                {
                    self.claimed(mac, address.into());
                }
            }
            _ => {}
        }
    }

    fn flow(&mut self, seen: &Observation, facts: &FlowFacts) {
        let (client, server) = (&facts.to_server, &facts.to_client);
        let opened = [(true, client, server), (false, server, client)];
        for (end, (opened, sent, received)) in senders(seen).into_iter().zip(opened) {
            let Some((mac, address)) = end else {
                continue;
            };
            if !proves(seen.protocol, opened, sent, received) {
                continue;
            }
            let passage = self.seen.get_or_insert_mut(mac, Passage::default);
            passage.add(address, seen.time, self.many);
            let holder = self.holders.get_or_insert_mut(address, || (mac, seen.time));
            let left = seen.time.0.saturating_sub(holder.1.0) > LEFT;
            if holder.0 == mac || left {
                *holder = (mac, holder.1.max(seen.time));
            }
        }
    }

    /// A host has an address itself.
    fn claimed(&mut self, mac: Mac, address: IpAddr) {
        // Whoever sent nothing else is none anyway.
        if let Some(passage) = self.seen.get_mut(&mac) {
            passage.owns(address);
        } else if is_host(address) {
            self.seen
                .get_or_insert_mut(mac, Passage::default)
                .owns(address);
        }
    }

    pub(crate) fn is_router(&self, mac: Mac) -> bool {
        let passage = self.seen.peek(&mac);
        passage.is_some_and(|passage| passage.is_router(self.latest, self.many))
    }

    /// The Ethernet address at which an IP address holds conversations, if that is another than this one.
    pub(super) fn other_holder(&self, address: IpAddr, mac: Mac) -> Option<Mac> {
        let (holder, last) = self.holders.peek(&address)?;
        let there = self.latest.0.saturating_sub(last.0) <= LEFT;
        (there && *holder != mac).then_some(*holder)
    }

    /// What made room for others.
    pub(crate) const fn evicted(&self) -> u64 {
        self.seen.evicted() + self.holders.evicted()
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
