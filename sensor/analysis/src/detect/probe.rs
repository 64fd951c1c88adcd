//! Probing of one service: many short connections within seconds to a service that the client never used, as
//! scanners make them that look for weaknesses behind an open port (ATT&CK T1595.002).

use std::net::{IpAddr, SocketAddr};

use super::{Detector, Site, window::Window};
use crate::detect::draft::Draft;
use crate::{baseline::Fact, config::Detect};
use sensor_facts::observation::{Observation, What};
use sensor_facts::target::Transport;

/// Bytes of payload that a probe exchanges at most.
const SHORT: u64 = 20_000;

/// Server, and the client's port: a connection.
type Try = (SocketAddr, u16);

pub(super) struct Probe(Window<Try>);

impl Probe {
    pub(super) fn new(options: &Detect) -> Self {
        Self(Window::new(
            options.probes_within.as_nanos(),
            options.probes,
        ))
    }
}

impl Detector for Probe {
    fn name(&self) -> &'static str {
        "probe"
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        let What::Flow(facts) = &seen.what else {
            return None;
        };
        let service = seen.service()?;
        let (client, server) = (seen.client.ip(), seen.server.ip());
        if service.transport != Transport::Tcp
            || !facts.over
            || facts.midstream
            || !facts.established(seen.protocol)
            // Some senders open a connection for each message; what is in them is others' business.
            || facts.app.is_clinical()
            || facts.to_server.payload + facts.to_client.payload > SHORT
            || site.knows(client, &Fact::Uses(server, service))
        {
            return None;
        }
        let tries = self
            .0
            .add(client, (seen.server, seen.client.port()), seen.time)?;
        let mut servers: Vec<IpAddr> = tries.iter().map(|(server, _)| server.ip()).collect();
        servers.sort_unstable();
        servers.dedup();
        // Many servers are a busy client, or the business of other detectors.
        if servers.len() * 10 > tries.len() {
            return None;
        }
        Some(Draft {
            technique: "T1595.002",
            confidence: 0.55,
            evidence: format!(
                "{} short connections within {} s to services that it never used, the last to TCP port {}",
                tries.len(),
                self.0.seconds(),
                service.port,
            ),
            service: (servers.len() == 1).then_some(service),
            victims: servers,
            wrong_if: "a program or a web page opens a connection for each small request",
            ..Draft::default()
        })
    }
}
