//! When an Ethernet address is taken for a router's.
//!
//! Anyone can send packets with made-up source addresses, so what an Ethernet address sends proves nothing. It is a router's
//! when whole conversations of addresses that are not its own went by it: several of them, of several subnets or very many,
//! for some minutes. What it has itself it claims by ARP or neighbour discovery, so that a server with many addresses is no
//! router, nor is who makes up addresses of its own subnet. All of it is forgotten a day after it was last seen.
//!
//! Who makes up both ends of whole conversations, with Ethernet addresses that are not his, for minutes, still passes for a
//! router; `docs/threat-model.md` says what that gains.

use std::{
    collections::HashSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use sensor_common::{flow::Half, packet::protocol};

use crate::time::Time;

/// Conversations went by it for at least this long, nanoseconds.
pub const FOR: i64 = 120 * 1_000_000_000;
/// An address that no conversation had for this long counts no more, nanoseconds.
pub const FORGET: i64 = 86_400 * 1_000_000_000;
/// Addresses of a single subnet count only if they are this many times as many.
const ONE_SUBNET: usize = 4;
/// IPv6 addresses are needed this many times as many: a host has several, and a new one a day (RFC 8981).
const MORE_V6: usize = 4;
/// Own addresses that are kept.
const OWN: usize = 64;

/// An address whose conversation went by.
#[derive(Clone, Debug)]
struct Proof {
    address: IpAddr,
    first: Time,
    last: Time,
}

/// True if an end of a flow was there, of which `opened` says that it is the client, and what it sent and received.
///
/// A client that made up its address gets no answer, and a TCP server sends no data before the handshake is complete (RFC 9293
/// section 3.10.7.4). A server was there if it answered what was sent to its Ethernet address.
#[must_use]
pub fn proves(ip_protocol: u8, opened: bool, sent: &Half, received: &Half) -> bool {
    match ip_protocol {
        protocol::TCP if opened => sent.packets > 0 && received.payload > 0,
        protocol::TCP | protocol::UDP if !opened => received.packets > 0 && sent.payload > 0,
        _ => false,
    }
}

/// What is known of an Ethernet address.
#[derive(Clone, Debug, Default)]
pub struct Passage {
    proofs: Vec<Proof>,
    own: Vec<IpAddr>,
}

impl Passage {
    /// A conversation [that proves it](proves) of `address` went by. `many` is from how many addresses on it can be a
    /// router.
    pub fn add(&mut self, address: IpAddr, now: Time, many: usize) {
        if self.own.contains(&address) {
            return;
        }
        if let Some(known) = self.proofs.iter_mut().find(|one| one.address == address) {
            known.last = known.last.max(now);
            return;
        }
        let proof = Proof {
            address,
            first: now,
            last: now,
        };
        let most = many
            .saturating_mul(ONE_SUBNET.max(MORE_V6))
            .saturating_mul(2);
        if self.proofs.len() < most {
            self.proofs.push(proof);
        } else if let Some(oldest) = self.proofs.iter_mut().min_by_key(|one| one.last)
            && now.0.saturating_sub(oldest.last.0) > FOR
        {
            // Since when conversations go by it stays known.
            let first = oldest.first;
            *oldest = Proof { first, ..proof };
        }
    }

    /// It has this address itself.
    pub fn owns(&mut self, address: IpAddr) {
        if self.own.len() < OWN && !self.own.contains(&address) {
            self.own.push(address);
            self.proofs.retain(|one| one.address != address);
        }
    }

    /// True for an address of a subnet in which it has one itself: that one needs no router.
    fn is_near(&self, address: IpAddr) -> bool {
        let net = subnet(address);
        self.own.iter().any(|own| subnet(*own) == net)
    }

    /// True if it is a router's at `now`.
    #[must_use]
    pub fn is_router(&self, now: Time, many: usize) -> bool {
        let is = |v6: bool, many: usize| {
            let all = self.proofs.iter().filter(|one| {
                one.address.is_ipv6() == v6
                    && now.0.saturating_sub(one.last.0) < FORGET
                    && !self.is_near(one.address)
            });
            let mut nets = HashSet::new();
            let (mut count, mut first, mut last) = (0, Time(i64::MAX), Time(i64::MIN));
            for one in all {
                nets.insert(subnet(one.address));
                count += 1;
                first = first.min(one.first);
                last = last.max(one.last);
            }
            let enough = count >= many && nets.len() > 1 || count >= many * ONE_SUBNET;
            enough && last.0.saturating_sub(first.0) >= FOR
        };
        // Most are looked at and are none.
        self.proofs.len() >= many && (is(false, many) || is(true, many * MORE_V6))
    }
}

/// The subnet of an address, as far as is known: 24 bits of IPv4, 64 of IPv6.
fn subnet(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(it) => {
            let [a, b, c, _] = it.octets();
            Ipv4Addr::new(a, b, c, 0).into()
        }
        IpAddr::V6(it) => {
            let [a, b, c, d, ..] = it.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;
    const MANY: usize = 4;

    fn address(net: u8, host: u8) -> IpAddr {
        IpAddr::from([10, 0, net, host])
    }

    /// `hosts` addresses of each of `nets` subnets, the subnets by turns, spread over `seconds`.
    fn passage(nets: u8, hosts: u8, seconds: i64) -> Passage {
        let mut passage = Passage::default();
        let all = i64::from(nets) * i64::from(hosts);
        let mut nth = 0;
        for host in 1..=hosts {
            for net in 1..=nets {
                passage.add(
                    address(net, host),
                    Time(nth * seconds * SECOND / (all - 1).max(1)),
                    MANY,
                );
                nth += 1;
            }
        }
        passage
    }

    fn is(passage: &Passage, seconds: i64) -> bool {
        passage.is_router(Time(seconds * SECOND), MANY)
    }

    #[test]
    fn only_an_end_that_was_answered_is_proof() {
        let half = |packets: u64, payload: u64| Half {
            packets,
            payload,
            ..Half::default()
        };
        let (some, none, bare) = (half(3, 100), half(0, 0), half(3, 0));
        assert!(proves(protocol::TCP, true, &some, &some));
        assert!(
            !proves(protocol::TCP, true, &some, &bare),
            "resets, or SYN+ACK"
        );
        assert!(
            !proves(protocol::UDP, true, &some, &some),
            "an answer reaches whoever"
        );
        assert!(proves(protocol::UDP, false, &some, &some));
        assert!(!proves(protocol::UDP, false, &some, &none), "nobody asked");
        assert!(!proves(protocol::ICMP, false, &some, &some));
    }

    #[test]
    fn a_router_takes_addresses_subnets_and_time() {
        assert!(is(&passage(2, 2, 120), 120), "the least");
        assert!(!is(&passage(3, 1, 600), 600), "too few addresses");
        assert!(!is(&passage(4, 1, 119), 119), "too short");
        assert!(!is(&passage(1, 15, 600), 600), "one subnet, and few of it");
        assert!(is(&passage(1, 16, 600), 600), "one subnet, but many of it");
    }

    #[test]
    fn own_addresses_prove_nothing() {
        let mut server = Passage::default();
        for net in 1..=6 {
            if net % 2 == 0 {
                server.owns(address(net, 9));
            }
            server.add(address(net, 9), Time(i64::from(net) * 60 * SECOND), MANY);
            server.owns(address(net, 9));
        }
        assert!(!is(&server, 400), "a server with an address in each subnet");
    }

    #[test]
    fn addresses_of_its_own_subnet_prove_nothing() {
        let mut intruder = passage(2, 20, 600);
        assert!(is(&intruder, 600));
        intruder.owns(address(1, 66));
        intruder.owns(address(2, 66));
        assert!(!is(&intruder, 600));
        let mut router = passage(3, 20, 600);
        router.owns(address(1, 1));
        assert!(is(&router, 600), "the others are of other subnets");
    }

    #[test]
    fn who_is_a_router_no_more_is_forgotten() {
        let router = passage(2, 2, 600);
        assert!(is(&router, 600 + 85_700));
        assert!(!is(&router, 601 + 86_400));
    }

    #[test]
    fn a_busy_router_stays_one_and_takes_bounded_room() {
        let mut router = Passage::default();
        for nth in 0..10_000_i64 {
            let [_, _, net, host] = u32::try_from(nth).unwrap_or(0).to_be_bytes();
            router.add(address(net, host), Time(nth * 10 * SECOND), MANY);
            if nth > 20 {
                assert!(is(&router, nth * 10), "{nth}");
            }
        }
        assert!(router.proofs.len() <= 32);
    }

    #[test]
    fn a_host_with_many_ipv6_addresses_is_none() {
        let mut host = Passage::default();
        let of = |net: u16, nth: u16| IpAddr::from(Ipv6Addr::new(net, 0, 0, 0, 0, 0, 0, nth));
        for nth in 0..7 {
            for net in [0xfe80, 0xfd00] {
                host.add(of(net, nth), Time(i64::from(nth) * 3_600 * SECOND), MANY);
            }
        }
        assert!(!is(&host, 7 * 3_600));
    }
}
