//! Port and host scans: many connections that are refused or get no answer (ATT&CK T1046).

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
};

use super::{Detector, Draft, Known, Observation, What, window::Window};
use crate::config::Detect;

pub(super) struct Scan(Window<SocketAddr>);

impl Scan {
    pub(super) fn new(options: &Detect) -> Self {
        Self(Window::new(
            options.scan_within.as_nanos(),
            options.scan_targets,
        ))
    }
}

impl Detector for Scan {
    fn name(&self) -> &'static str {
        "scan"
    }

    fn observe(&mut self, seen: &Observation, _: &Known) -> Option<Draft> {
        if seen.what != What::ConnectionRefused {
            return None;
        }
        let tried = self.0.add(seen.client.ip(), seen.server, seen.time)?;
        let hosts: BTreeSet<IpAddr> = tried.iter().map(SocketAddr::ip).collect();
        let ports: BTreeSet<u16> = tried.iter().map(SocketAddr::port).collect();
        Some(Draft {
            technique: "T1046",
            evidence: format!(
                "{} TCP connections refused or unanswered within {} s, to {} ports of {} hosts",
                tried.len(),
                self.0.seconds(),
                ports.len(),
                hosts.len()
            ),
            victims: hosts.into_iter().collect(),
            service: None,
            wrong_if: "an inventory or vulnerability scanner of the site does its work, or a server went away and its clients try again",
        })
    }
}
