//! Port and host scans: connections that are refused or get no answer (ATT&CK T1046).

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
};

use sensor_common::packet::protocol;

use crate::detect::prelude::*;

pub(super) const ABOUT: About = About {
    id: "scan",
    techniques: &["T1046"],
    finds: "many connections refused or unanswered",
    starts: Starts::AtOnce,
    wrong_if: &[
        "an inventory or vulnerability scanner of the site does its work, or a server went away and its clients try again",
    ],
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
}

pub(super) struct Scan {
    tcp: Window<SocketAddr>,
    udp: Window<SocketAddr>,
    web: Window<SocketAddr>,
    slow: Window<SocketAddr>,
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
        }
    }
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

impl Detector for Scan {
    fn evicted(&self) -> u64 {
        self.tcp.evicted() + self.udp.evicted() + self.web.evicted() + self.slow.evicted()
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
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
        }
        let tried = tried?;
        let hosts: BTreeSet<IpAddr> = tried.iter().map(SocketAddr::ip).collect();
        let ports: BTreeSet<u16> = tried.iter().map(SocketAddr::port).collect();
        Some(Draft {
            confidence: 0.9,
            evidence: format!(
                "{} connections refused or unanswered within {seconds} s, to {} of {}",
                tried.len(),
                several(ports.len() as u64, "ports"),
                several(hosts.len() as u64, "hosts")
            ),
            victims: hosts.into_iter().collect(),
            ..Draft::default()
        })
    }
}
