//! The address under which an Ethernet address speaks of itself: as whom it asks for others by ARP or neighbour discovery, and
//! which IPv6 address it tries out before it uses it (RFC 4862 section 5.4).
//!
//! Anyone can write such messages, so an address goes to the Ethernet address that named it first, also by an answer, as long
//! as that one is heard. Whoever forges answers asks and tries out as himself.

use std::{net::IpAddr, num::NonZeroUsize};

use sensor_facts::{
    observation::{Mac, NeighbourFacts, Observation, What, is_host},
    time::Time,
};

use crate::detect::counted::CountedLru;

/// Addresses and Ethernet addresses that are kept.
const KEPT: NonZeroUsize = NonZeroUsize::new(16_384).expect("it is not zero");
/// Another may take an address over that was not heard for this long, nanoseconds.
const LEFT: i64 = 3_600 * 1_000_000_000;

/// Another that names an address so soon after the first, nanoseconds, may be the right one.
const SURE: i64 = 60 * 1_000_000_000;

/// Who named an address first, from when on, and when last.
struct Owner {
    mac: Mac,
    since: Time,
    last: Time,
}

/// See the module's description.
pub(crate) struct Named {
    /// The last IPv4 and IPv6 address.
    names: CountedLru<Mac, [Option<IpAddr>; 2]>,
    first: CountedLru<IpAddr, Owner>,
}

impl Default for Named {
    fn default() -> Self {
        Self {
            names: CountedLru::new(KEPT),
            first: CountedLru::new(KEPT),
        }
    }
}

/// Of a neighbour solicitation, the address of who sent it.
fn asks_as(facts: &NeighbourFacts) -> Option<IpAddr> {
    let own = if facts.source.is_unspecified() {
        facts.target
    } else {
        facts.source
    };
    let itself = facts.link.is_none_or(|link| link == facts.frame_mac);
    (facts.solicitation && itself).then_some(own.into())
}

impl Named {
    /// Takes what a host says of itself.
    pub(crate) fn learn(&mut self, seen: &Observation) {
        match &seen.what {
            What::Arp(arp)
                if arp.request && arp.sender_mac == arp.frame_mac && arp.sender != arp.target =>
            {
                self.name(arp.frame_mac, arp.sender.into(), seen.time);
            }
            What::Neighbour(facts) => {
                if let Some(own) = asks_as(facts) {
                    self.name(facts.frame_mac, own, seen.time);
                } else if let Some((address, mac)) = facts.claim()
                    && mac == facts.frame_mac
                {
                    self.is_owner(mac, address.into(), seen.time);
                }
            }
            _ => {}
        }
    }

    fn name(&mut self, mac: Mac, address: IpAddr, now: Time) {
        if is_host(address) && self.is_owner(mac, address, now) {
            let names = self.names.get_or_insert_mut(mac, Default::default);
            names[usize::from(address.is_ipv6())] = Some(address);
        }
    }

    /// Notes who names an address; true if nobody else did before.
    fn is_owner(&mut self, mac: Mac, address: IpAddr, now: Time) -> bool {
        let new = || Owner {
            mac,
            since: now,
            last: now,
        };
        let owner = self.first.get_or_insert_mut(address, new);
        if owner.mac != mac {
            if now.0.saturating_sub(owner.last.0) <= LEFT {
                return false;
            }
            *owner = new();
        }
        owner.last = owner.last.max(now);
        true
    }

    /// The addresses that an Ethernet address named as its own last, of IPv4 first.
    pub(super) fn of(&self, mac: Mac) -> impl Iterator<Item = IpAddr> {
        let names = self.names.peek(&mac).copied();
        names.into_iter().flatten().flatten()
    }

    /// The Ethernet address that named this address first, if it did so some time before `now`.
    pub(super) fn owner(&self, address: IpAddr, now: Time) -> Option<Mac> {
        let owner = self.first.peek(&address)?;
        (now.0.saturating_sub(owner.since.0) >= SURE).then_some(owner.mac)
    }

    /// What made room for others.
    pub(crate) const fn evicted(&self) -> u64 {
        self.names.evicted() + self.first.evicted()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;

    const SECOND: i64 = 1_000_000_000;
    const OWN: Mac = [2, 0, 0, 0, 0, 1];
    const OTHER: Mac = [2, 0, 0, 0, 0, 2];

    #[test]
    fn who_named_an_address_first_keeps_it_while_it_is_heard() {
        let mut named = Named::default();
        let address = IpAddr::from([10, 0, 0, 1]);
        let at = |seconds: i64| Time(seconds * SECOND);
        named.name(OWN, address, at(0));
        named.name(OTHER, address, at(1));
        assert_eq!(named.of(OTHER).next(), None);
        assert_eq!(named.owner(address, at(59)), None, "not sure yet");
        assert_eq!(named.owner(address, at(60)), Some(OWN));
        named.name(OWN, address, at(3_000));
        named.name(OTHER, address, at(6_600));
        assert_eq!(
            named.owner(address, at(6_600)),
            Some(OWN),
            "heard an hour ago"
        );
        named.name(OTHER, address, at(6_601));
        assert_eq!(named.of(OTHER).next(), Some(address), "it went away");
    }

    #[test]
    fn an_answer_names_an_owner_but_not_who_answers() {
        let mut named = Named::default();
        let address = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
        let facts = NeighbourFacts {
            solicitation: false,
            solicited: true,
            replaces: true,
            source: address,
            destination: address,
            target: address,
            link: Some(OWN),
            frame_mac: OWN,
        };
        let end = std::net::SocketAddr::new(address.into(), 0);
        named.learn(&Observation {
            time: Time(0),
            protocol: 0,
            client: end,
            server: end,
            macs: [OWN, [0; 6]],
            what: What::Neighbour(Box::new(facts)),
        });
        assert_eq!(named.owner(address.into(), Time(60 * SECOND)), Some(OWN));
        assert_eq!(
            named.of(OWN).next(),
            None,
            "who forges answers names others"
        );
    }
}
