//! Host sweeps: many hosts asked by ICMP echo that were not talked to before (ATT&CK T1018).

use std::net::IpAddr;

use super::{Detector, Draft, Observation, Site, What, window::Window};
use crate::{baseline::Fact, config::Detect};

/// Echo request: RFC 792, RFC 4443.
const ECHO: [u16; 2] = [8, 128];

pub(super) struct Sweep(Window<IpAddr>);

impl Sweep {
    pub(super) fn new(options: &Detect) -> Self {
        Self(Window::new(
            options.sweep_within.as_nanos(),
            options.sweep_hosts,
        ))
    }
}

impl Detector for Sweep {
    fn name(&self) -> &'static str {
        "sweep"
    }

    fn observe(&mut self, seen: &Observation, site: Site<'_>) -> Option<Draft> {
        let What::Flow(facts) = &seen.what else {
            return None;
        };
        let (client, server) = (seen.client.ip(), seen.server.ip());
        if !facts.icmp_type.is_some_and(|kind| ECHO.contains(&kind))
            || server.is_multicast()
            || site.knows(client, &Fact::Peer(server))
        {
            return None;
        }
        let asked = self.0.add(client, server, seen.time)?;
        Some(Draft {
            technique: "T1018",
            confidence: 0.8,
            evidence: format!(
                "ICMP echo to {} hosts within {} s that it did not talk to before",
                asked.len(),
                self.0.seconds()
            ),
            victims: asked,
            wrong_if: "a monitoring system was given more hosts to watch",
            ..Draft::default()
        })
    }
}
