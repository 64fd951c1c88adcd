//! Port and host scans: connections that are refused or get no answer, segments that no connection has, and fragments that are
//! too small to be anything but a way past filters (ATT&CK T1046).
//!
//! A segment without SYN, RST and ACK is dropped or answered with a reset by whoever gets it (RFC 9293 section 3.10.7), so no
//! connection has one: FIN, NULL and Xmas scans do. Every link carries packets of 68 bytes whole (RFC 791 section 3.2), so
//! TCP in fragments that are all shorter was cut on purpose (RFC 1858).

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
};

use sensor_common::packet::{TCP_ACK, TCP_RST, TCP_SYN, protocol};
use sensor_facts::observation::{FlowFacts, Half};

use crate::detect::prelude::*;

pub(super) const ABOUT: About = About {
    id: "scan",
    techniques: &["T1046"],
    finds: "many connections refused or unanswered; TCP segments as no connection has them, or in tiny fragments",
    starts: Starts::AtOnce,
    wrong_if: &[AGAIN, SCANNER],
    thresholds: THRESHOLDS,
    features: &[Feature::Failed, Feature::Ports, Feature::Peers],
    new: |values| Box::new(Scan::new(values)),
};

thresholds! {
    /// This many ports of hosts that refuse or do not answer, within `scan_within` or `slow_within`, count as a scan.
    scan_targets: count = 20, 1..=1_024;
    /// The time in which refused and unanswered connection attempts are counted.
    scan_within: seconds = 60, 1..=86_400;
    /// Web servers outside of the site count as scanned from this many times as many targets on: without a way to
    /// the outside, phones and workstations ask one after the other.
    scan_web_factor: count = 5, 1..=1_000;
    /// This many different port numbers of hosts of the site that refuse, within `slow_within`, at services that the client
    /// was not seen to use, count as a slow scan.
    scan_ports: count = 8, 2..=1_024;
    /// This many ports to which segments go as no connection has them (FIN, NULL and Xmas scans) within `slow_within`.
    scan_odd: count = 5, 1..=1_024;
    /// This many tiny fragments of TCP from one host to another.
    scan_fragments: count = 20, 1..=1_000_000;
}

const AGAIN: &str = "an inventory or vulnerability scanner of the site does its work, or a server went away and its clients try again";
const SCANNER: &str = "an inventory or vulnerability scanner of the site does its work";

/// Packets of this length need no fragments (RFC 791 section 3.2).
const SMALL: u16 = 68;

pub(super) struct Scan {
    tcp: Window<SocketAddr>,
    udp: Window<SocketAddr>,
    web: Window<SocketAddr>,
    slow: Window<SocketAddr>,
    ports: Window<u16>,
    /// Seconds within which targets are counted.
    within: i64,
    odd: Window<SocketAddr>,
    fragments: Reported<(IpAddr, IpAddr)>,
    own: Thresholds,
}

impl Scan {
    fn new(values: &Values) -> Self {
        let (own, shared) = (Thresholds::of(values), shared::Thresholds::of(values));
        let (within, targets) = (own.scan_within, own.scan_targets);
        Self {
            tcp: Window::new(within, targets),
            udp: Window::new(within, targets),
            web: Window::new(within, targets.saturating_mul(own.scan_web_factor)),
            slow: Window::new(shared.slow_within, targets),
            ports: Window::new(shared.slow_within, own.scan_ports),
            within: (within.as_nanos() / 1_000_000_000).cast_signed(),
            odd: Window::new(shared.slow_within, own.scan_odd),
            fragments: Reported::new(values),
            own,
        }
    }

    /// Takes a flow of segments or fragments as no connection has them.
    fn unnatural(
        &mut self,
        seen: &Observation,
        facts: &FlowFacts,
        site: &Site<'_>,
    ) -> Option<Draft> {
        if seen.protocol != protocol::TCP {
            return None;
        }
        if facts.fragments {
            return self.tiny(seen, facts);
        }
        // Ports may tell the wrong client.
        let (from, to) = if is_odd(&facts.to_server) {
            (seen.client, seen.server)
        } else if is_odd(&facts.to_client) {
            (seen.server, seen.client)
        } else {
            return None;
        };
        let tried = self.odd.add(site.who(from.ip()), to, seen.time)?;
        let hosts: BTreeSet<IpAddr> = tried.iter().map(SocketAddr::ip).collect();
        Some(Draft {
            confidence: 0.85,
            subject: Some(from.ip()),
            evidence: format!(
                "TCP segments without SYN, ACK or RST, which no connection has (a FIN, NULL or Xmas scan), within {} s to {} ports of {}",
                self.odd.took(),
                tried.len(),
                several(hosts.len() as u64, "hosts")
            ),
            victims: hosts.into_iter().collect(),
            wrong_if: SCANNER,
            ..Draft::default()
        })
    }

    /// Takes a flow of fragments.
    fn tiny(&mut self, seen: &Observation, facts: &FlowFacts) -> Option<Draft> {
        let sent = &facts.to_server;
        let ends = (seen.client.ip(), seen.server.ip());
        if sent.packets < u64::from(self.own.scan_fragments)
            || sent.length_max >= SMALL
            || !self.fragments.first(ends, seen.time)
        {
            return None;
        }
        Some(Draft {
            confidence: 0.7,
            evidence: format!(
                "{} fragments of TCP of {} bytes at most to {}: packets so short are not fragmented on any link, so they were cut to pass filters",
                sent.packets, sent.length_max, ends.1
            ),
            victims: vec![ends.1],
            wrong_if: SCANNER,
            ..Draft::default()
        })
    }

    /// Takes a port that refused, at a host of the site.
    fn breadth(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        let who = site.who(seen.client.ip());
        let ports = self.ports.add(who, seen.server.port(), seen.time)?;
        // What is quicker is told by its targets.
        if self.ports.took() <= self.within {
            return None;
        }
        Some(Draft {
            confidence: 0.65,
            evidence: format!(
                "connections refused or unanswered at {} different ports within {} s, the last at TCP port {} of {}, at services that it was not seen to use",
                ports.len(),
                self.ports.took(),
                seen.server.port(),
                seen.server.ip()
            ),
            victims: vec![seen.server.ip()],
            ..Draft::default()
        })
    }
}

/// Segments that no connection has.
fn is_odd(half: &Half) -> bool {
    half.packets > 0 && half.syn == 0 && half.tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST) == 0
}

/// A DHCP server tells clients at this port, and none of them answers from it to that (RFC 2131, section 4.1).
const DHCP_CLIENT: u16 = 68;

/// It was asked for and not had: TCP without a connection, UDP without an answer.
fn is_refused(seen: &Observation) -> bool {
    match &seen.what {
        What::ConnectionRefused => true,
        What::Flow(facts) => {
            let asked = seen.protocol == protocol::UDP && facts.over;
            asked
                && facts.to_server.packets > 0
                && !facts.answered()
                && !matches!(seen.server.port(), 0 | DHCP_CLIENT)
                && is_host(seen.server.ip())
        }
        _ => false,
    }
}

/// What was asked for and not had, with the number of attempts in words.
fn refused(tried: &[SocketAddr], attempts: &str, seconds: i64) -> Draft {
    let hosts: BTreeSet<IpAddr> = tried.iter().map(SocketAddr::ip).collect();
    let ports: BTreeSet<u16> = tried.iter().map(SocketAddr::port).collect();
    Draft {
        confidence: 0.9,
        evidence: format!(
            "{attempts} connections refused or unanswered within {seconds} s, to {} of {}",
            several_at_least(ports.len(), "ports"),
            several_at_least(hosts.len(), "hosts")
        ),
        victims: hosts.into_iter().collect(),
        ..Draft::default()
    }
}

impl Detector for Scan {
    fn evicted(&self) -> u64 {
        self.tcp.evicted()
            + self.udp.evicted()
            + self.web.evicted()
            + self.slow.evicted()
            + self.ports.evicted()
            + self.odd.evicted()
            + self.fragments.evicted()
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        if let What::Flow(facts) = &seen.what
            && let Some(found) = self.unnatural(seen, facts, site)
        {
            return Some(found);
        }
        if !is_refused(seen) {
            return None;
        }
        let web = matches!(seen.server.port(), 80 | 443) && site.is_outside(seen.server.ip());
        let window = if web {
            &mut self.web
        } else if seen.protocol == protocol::UDP {
            &mut self.udp
        } else {
            &mut self.tcp
        };
        let client = seen.client.ip();
        let mut tried = window.add(site.who(client), seen.server, seen.time);
        let mut seconds = window.took();
        let mut broad = None;
        // Over hours it is one only if it is at services that the client has no business with.
        let service = seen.service()?;
        // Outside, someone who does not answer is nothing special: a resolver asks many such.
        if !site.is_outside(seen.server.ip())
            && is_lasting(service)
            && !site.knows(client, &Fact::Uses(seen.server.ip(), service))
        {
            let slow = self.slow.add(site.who(client), seen.server, seen.time);
            if tried.is_none() {
                (tried, seconds) = (slow, self.slow.took());
            }
            if seen.protocol == protocol::TCP {
                broad = self.breadth(seen, site);
            }
        }
        let Some(tried) = tried else {
            return broad;
        };
        Some(refused(&tried, &at_least(tried.len()), seconds))
    }

    fn settled(&mut self, site: &Site<'_>) -> Vec<(Time, Draft)> {
        let windows = [&mut self.tcp, &mut self.udp, &mut self.web, &mut self.slow];
        let all = windows.into_iter().flat_map(|one| one.settled(site.now));
        let draft = |one: Settled<SocketAddr>| {
            let draft = refused(&one.things, &one.count(), one.took);
            (one.time, draft.by(one.suspect))
        };
        largest(all).into_iter().map(draft).collect()
    }
}
