//! Port and host scans: connections that are refused or get no answer (ATT&CK T1046).

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
};

use sensor_common::packet::protocol;

use super::{Detector, Draft, Observation, Site, What, is_host, window::Window};
use crate::config::Detect;

pub(super) struct Scan(Window<(u8, SocketAddr)>);

impl Scan {
    pub(super) fn new(options: &Detect) -> Self {
        Self(Window::new(
            options.scan_within.as_nanos(),
            options.scan_targets,
        ))
    }
}

/// It was asked for and not had: TCP without a connection, UDP without an answer.
fn is_refused(seen: &Observation) -> bool {
    match &seen.what {
        What::ConnectionRefused => true,
        What::Flow(facts) => {
            let asked = seen.protocol == protocol::UDP && facts.over;
            asked && !facts.answered() && seen.server.port() != 0 && is_host(seen.server.ip())
        }
        _ => false,
    }
}

impl Detector for Scan {
    fn name(&self) -> &'static str {
        "scan"
    }

    fn observe(&mut self, seen: &Observation, _: Site<'_>) -> Option<Draft> {
        if !is_refused(seen) {
            return None;
        }
        let target = (seen.protocol, seen.server);
        let tried = self.0.add(seen.client.ip(), target, seen.time)?;
        let hosts: BTreeSet<IpAddr> = tried.iter().map(|(_, server)| server.ip()).collect();
        let ports: BTreeSet<u16> = tried.iter().map(|(_, server)| server.port()).collect();
        Some(Draft {
            technique: "T1046",
            confidence: 0.9,
            evidence: format!(
                "{} connections refused or unanswered within {} s, to {} ports of {} hosts",
                tried.len(),
                self.0.seconds(),
                ports.len(),
                hosts.len()
            ),
            victims: hosts.into_iter().collect(),
            wrong_if: "an inventory or vulnerability scanner of the site does its work, or a server went away and its clients try again",
            ..Draft::default()
        })
    }
}
