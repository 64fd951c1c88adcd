//! Spreading: connections to the file sharing and remote access of many hosts that are new to the client
//! (ATT&CK T1021, with SMB T1021.002).

use std::net::IpAddr;

use crate::detect::prelude::*;

pub(super) const ABOUT: About = About {
    id: "fan_out",
    techniques: &["T1021", "T1021.002"],
    finds: "file sharing or remote access of many unknown hosts",
    starts: Starts::AtOnce,
    wrong_if: &["software is distributed, or an administrator works at a new machine"],
    thresholds: THRESHOLDS,
    features: &[Feature::Peers, Feature::Flows],
    new: |values| Box::new(FanOut::new(values)),
};

thresholds! {
    /// SMB, RPC, RDP, SSH or `WinRM` of this many hosts that the client did not use before, within `fan_out_within`,
    /// counts as spreading.
    fan_out_hosts: count = 5, 1..=1_024;
    /// The time in which hosts with file sharing or remote access are counted.
    fan_out_within: seconds = 600, 1..=86_400;
    /// Within `slow_within` it takes this many hosts more.
    fan_out_slow_more: count = 1, 0..=1_000;
}

/// SSH, RPC, `NetBIOS`, SMB, RDP, `WinRM`.
const REMOTE: [u16; 7] = [22, 135, 139, 445, 3_389, 5_985, 5_986];
const SMB: [u16; 2] = [139, 445];

pub(super) struct FanOut {
    fast: Window<IpAddr>,
    slow: Window<IpAddr>,
}

impl FanOut {
    fn new(values: &Values) -> Self {
        let (own, shared) = (Thresholds::of(values), shared::Thresholds::of(values));
        let hosts = own.fan_out_hosts;
        Self {
            fast: Window::new(own.fan_out_within, hosts),
            slow: Window::new(
                shared.slow_within,
                hosts.saturating_add(own.fan_out_slow_more),
            ),
        }
    }
}

impl Detector for FanOut {
    fn evicted(&self) -> u64 {
        self.fast.evicted() + self.slow.evicted()
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
        let slow = self.slow.add(site.who(client), server, seen.time);
        let fast = self.fast.add(site.who(client), server, seen.time);
        let (seconds, confidence) = if fast.is_some() {
            (self.fast.took(), 0.7)
        } else {
            (self.slow.took(), 0.55)
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
            ..Draft::default()
        })
    }
}
