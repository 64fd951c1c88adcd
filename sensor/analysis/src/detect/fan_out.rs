//! Spreading: connections to the file sharing and remote access of many hosts that are new to the client
//! (ATT&CK T1021, with SMB T1021.002).

use std::net::IpAddr;

use super::{Detector, Site, window::Window};
use crate::detect::draft::Draft;
use crate::{baseline::Fact, config::Detect};
use sensor_facts::observation::{Observation, What};
use sensor_facts::target::Transport;

/// SSH, RPC, `NetBIOS`, SMB, RDP, `WinRM`.
const REMOTE: [u16; 7] = [22, 135, 139, 445, 3_389, 5_985, 5_986];
const SMB: [u16; 2] = [139, 445];

/// Over hours it takes one host more.
const SLOW: u32 = 1;

pub(super) struct FanOut {
    fast: Window<IpAddr>,
    slow: Window<IpAddr>,
}

impl FanOut {
    pub(super) fn new(options: &Detect) -> Self {
        Self {
            fast: Window::new(options.fan_out_within.as_nanos(), options.fan_out_hosts),
            slow: Window::new(
                options.slow_within.as_nanos(),
                options.fan_out_hosts.saturating_add(SLOW),
            ),
        }
    }
}

impl Detector for FanOut {
    fn name(&self) -> &'static str {
        "fan_out"
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        if !matches!(seen.what, What::Flow(_) | What::ConnectionRefused) {
            return None;
        }
        let service = seen.service()?;
        let (client, server) = (seen.client.ip(), seen.server.ip());
        if service.transport != Transport::Tcp
            || !REMOTE.contains(&service.port)
            || site.knows(client, &Fact::Uses(server, service))
        {
            return None;
        }
        let slow = self.slow.add(client, server, seen.time);
        let fast = self.fast.add(client, server, seen.time);
        let (seconds, confidence) = if fast.is_some() {
            (self.fast.seconds(), 0.7)
        } else {
            (self.slow.seconds(), 0.55)
        };
        let hosts = fast.or(slow)?;
        Some(Draft {
            technique: if SMB.contains(&service.port) {
                "T1021.002"
            } else {
                "T1021"
            },
            confidence,
            evidence: format!(
                "file sharing or remote access (the last at TCP port {}) of {} hosts within {} s, which it did not use before",
                service.port,
                hosts.len(),
                seconds
            ),
            victims: hosts,
            wrong_if: "software is distributed, or an administrator works at a new machine",
            ..Draft::default()
        })
    }
}
