//! Probing of one service: many short connections within seconds to a service that the client never used, as
//! scanners make them that look for weaknesses behind an open port (ATT&CK T1595.002), and tools that wear a web server out.

use std::net::{IpAddr, SocketAddr};

use sensor_facts::setting::Span;

use crate::detect::prelude::*;

pub(super) const ABOUT: About = About {
    id: "probe",
    techniques: &["T1595.002"],
    finds: "many short connections within seconds to a service that was never used",
    starts: Starts::AtOnce,
    wrong_if: &["a program or a web page opens a connection for each small request"],
    thresholds: THRESHOLDS,
    features: &[Feature::Flows],
    new: |values| Box::new(Probe::new(values)),
};

thresholds! {
    /// This many short connections within `probes_within` to services that the client never used, nearly all of one
    /// host, count as probing.
    probes: count = 20, 1..=1_024;
    /// The time in which short connections to services that the client never used are counted.
    probes_within: seconds = 2, 1..=86_400;
    /// A connection is short when both ends send no more than this together.
    probes_bytes: bytes = 20_000, 100..=100_000_000;
    /// This many are more than any browser or program opens in that time, and more certain.
    probes_many: count = 100, 1..=1_024;
    /// So are this many within a minute.
    probes_minute: count = 300, 1..=1_024;
    /// On average there must be at least this many of these connections to each host; fewer are those of a busy
    /// client.
    probes_per_host: count = 10, 1..=1_024;
}

/// Server, and the client's port: a connection.
type Try = (SocketAddr, u16);

pub(super) struct Probe {
    tries: Window<Try>,
    minute: Window<Try>,
    own: Thresholds,
}

impl Probe {
    fn new(values: &Values) -> Self {
        let own = Thresholds::of(values);
        Self {
            tries: Window::new(own.probes_within, own.probes),
            minute: Window::new(Span::from_secs(60), own.probes_minute),
            own,
        }
    }
}

impl Detector for Probe {
    fn evicted(&self) -> u64 {
        self.tries.evicted() + self.minute.evicted()
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        let (facts, service) = opened_tcp(seen)?;
        let (client, server) = (seen.client.ip(), seen.server.ip());
        if !facts.over
            // Some senders open a connection for each message; what is in them is others' business.
            || facts.app.is_clinical()
            || facts.to_server.payload + facts.to_client.payload > self.own.probes_bytes
            || site.knows(client, &Fact::Uses(server, service))
        {
            return None;
        }
        let (who, one) = (site.who(client), (seen.server, seen.client.port()));
        let fast = self.tries.add(who, one, seen.time);
        let long = self.minute.add(who, one, seen.time);
        let many = long.is_some()
            || fast.as_ref().is_some_and(|fast| {
                fast.len() >= usize::try_from(self.own.probes_many).unwrap_or(usize::MAX)
            });
        let seconds = if long.is_some() {
            self.minute.took()
        } else {
            self.tries.took()
        };
        let tries = long.or(fast)?;
        let mut servers: Vec<IpAddr> = tries.iter().map(|(server, _)| server.ip()).collect();
        servers.sort_unstable();
        servers.dedup();
        // Many servers are a busy client, or the business of other detectors.
        if servers.len() as u64 * u64::from(self.own.probes_per_host) > tries.len() as u64 {
            return None;
        }
        Some(Draft {
            confidence: if many { 0.65 } else { 0.55 },
            evidence: format!(
                "{} short connections within {} s to services that it was not seen to use before, the last to TCP port {}",
                tries.len(),
                seconds,
                service.port,
            ),
            service: (servers.len() == 1).then_some(service),
            victims: servers,
            ..Draft::default()
        })
    }
}
