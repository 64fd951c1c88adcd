//! The semantics of containment, written to be read: no tables, no order of look-ups, no memory.

use std::net::IpAddr;

use sensor_common::rule::{Hits, RuleState};
use sensor_facts::{
    rule::Scope,
    target::{Protected, Service, Target, Transport as Over},
};

use super::{
    packet::{Body, Packet, Transport},
    random::{Case, RuleCase},
};

/// What the model says of a packet.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) drops: bool,
    pub(crate) protected: bool,
    /// Rules that count the packet, and whether they dropped it.
    pub(crate) hits: Vec<(u64, bool)>,
}

/// What a rule should have counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hit {
    packets: u64,
    bytes: u64,
    would_packets: u64,
    would_bytes: u64,
    last: u64,
}

impl Hit {
    pub(crate) fn count(&mut self, bytes: u64, dropped: bool, time: u64) {
        // The last packet that was counted, which need not be the latest in time.
        self.last = time;
        if dropped {
            self.packets += 1;
            self.bytes += bytes;
        } else {
            self.would_packets += 1;
            self.would_bytes += bytes;
        }
    }
}

impl From<&Hits> for Hit {
    fn from(hits: &Hits) -> Self {
        Self {
            packets: hits.packets,
            bytes: hits.bytes,
            would_packets: hits.would_packets,
            would_bytes: hits.would_bytes,
            last: hits.last,
        }
    }
}

pub(crate) struct Model<'a>(&'a Case);

impl<'a> Model<'a> {
    pub(crate) fn new(case: &'a Case) -> Self {
        Self(case)
    }

    pub(crate) fn verdict(&self, packet: &Packet, now: u64) -> Verdict {
        let mut verdict = Verdict {
            drops: false,
            protected: self.0.protected.iter().any(|it| protects(it, packet)),
            hits: Vec::new(),
        };
        if verdict.protected {
            return verdict;
        }
        let mut matching: Vec<_> = self
            .0
            .rules
            .iter()
            .filter_map(|rule| Some((rule.target.breadth(), end(&rule.target, packet)?, rule)))
            .collect();
        matching.sort_by_key(|(breadth, end, _)| (*breadth, *end));
        for (_, _, rule) in matching {
            if now >= rule.expires || rule.state == RuleState::Off || spares(rule, packet) {
                continue;
            }
            if rule.state == RuleState::DryRun {
                verdict.hits.push((rule.id, false));
                continue;
            }
            let gone = now.saturating_sub(self.0.heartbeat) > self.0.patience;
            if gone && !rule.sticky {
                continue;
            }
            verdict.hits.push((rule.id, true));
            verdict.drops = true;
            break;
        }
        verdict
    }
}

fn addresses(packet: &Packet) -> Option<(IpAddr, IpAddr)> {
    match packet.body {
        Body::Ip(source, destination, _) => Some((source, destination)),
        Body::Arp | Body::Other => None,
    }
}

/// Protocol and ports, source first.
fn ports(packet: &Packet) -> Option<(Over, u16, u16)> {
    match packet.body {
        Body::Ip(_, _, Transport::Tcp(source, destination)) => {
            Some((Over::Tcp, source, destination))
        }
        Body::Ip(_, _, Transport::Udp(source, destination)) => {
            Some((Over::Udp, source, destination))
        }
        _ => None,
    }
}

fn protects(protected: &Protected, packet: &Packet) -> bool {
    let is_end = |test: &dyn Fn(IpAddr) -> bool| {
        addresses(packet).is_some_and(|(source, destination)| test(source) || test(destination))
    };
    match protected {
        Protected::Device { address } => is_end(&|it| it == *address),
        Protected::Subnet { subnet } => is_end(&|it| subnet.contains(&it)),
        Protected::Mac { mac } => packet.source == *mac || packet.destination == *mac,
    }
}

/// The end of the packet, 0 the one that is asked first, at which the target matches; `None`: not at all.
fn end(target: &Target, packet: &Packet) -> Option<u8> {
    let either = |source: bool, destination: bool| match (source, destination) {
        (true, _) => Some(0),
        (false, true) => Some(1),
        (false, false) => None,
    };
    match *target {
        Target::Mac { mac } => either(packet.source == mac, packet.destination == mac),
        Target::Device { address } => {
            let (source, destination) = addresses(packet)?;
            either(source == address, destination == address)
        }
        Target::Subnet { subnet } => {
            let (source, destination) = addresses(packet)?;
            either(subnet.contains(&source), subnet.contains(&destination))
        }
        Target::Service { address, service } => {
            let (source, destination) = addresses(packet)?;
            let (at_source, at_destination) = at(service, packet)?;
            either(
                source == address && at_source,
                destination == address && at_destination,
            )
        }
        Target::Pair { a, b, service } => {
            let (source, destination) = addresses(packet)?;
            let towards = (source, destination) == (a, b);
            let back = (source, destination) == (b, a);
            match service {
                None => either(towards || back, false),
                Some(service) => {
                    let (at_source, at_destination) = at(service, packet)?;
                    // Here the destination's service is asked for first.
                    either(towards && at_destination, back && at_source)
                }
            }
        }
        Target::Flow { transport, a, b } => {
            let (source, destination) = addresses(packet)?;
            let (over, from, to) = ports(packet)?;
            let ends = [(source, from), (destination, to)];
            let wanted = [(a.ip(), a.port()), (b.ip(), b.port())];
            let turned = [wanted[1], wanted[0]];
            either(
                over == transport && (ends == wanted || ends == turned),
                false,
            )
        }
    }
}

/// Whether the packet's source port, and its destination port, are the service's.
fn at(service: Service, packet: &Packet) -> Option<(bool, bool)> {
    let (over, from, to) = ports(packet)?;
    let same = over == service.transport;
    Some((same && from == service.port, same && to == service.port))
}

fn spares(rule: &RuleCase, packet: &Packet) -> bool {
    if rule.scope != Scope::KeepClinical {
        return false;
    }
    let vital = match packet.body {
        Body::Arp => true,
        Body::Ip(IpAddr::V6(_), _, Transport::Icmp(kind)) => (133..=137).contains(&kind),
        Body::Ip(_, _, Transport::Udp(source, destination)) => matches!(
            (source, destination),
            (68, 67) | (67, 67 | 68) | (546, 547) | (547, 546 | 547)
        ),
        _ => false,
    };
    vital
        || rule.clinical.iter().any(|learnt| {
            let Some((source, destination)) = addresses(packet) else {
                return false;
            };
            let Some((at_source, at_destination)) = at(learnt.service, packet) else {
                return false;
            };
            // The service is at the peer's end, or at the other.
            let peer_is_source = if learnt.serves {
                at_destination
            } else {
                at_source
            };
            let peer_is_destination = if learnt.serves {
                at_source
            } else {
                at_destination
            };
            (source == learnt.peer && peer_is_source)
                || (destination == learnt.peer && peer_is_destination)
        })
}
