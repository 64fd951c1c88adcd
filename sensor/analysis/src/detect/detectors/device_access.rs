//! Remote access from one clinical device to another (ATT&CK T1021).

use std::net::IpAddr;

use crate::detect::prelude::*;

pub(super) const ABOUT: About = About {
    id: "device_access",
    techniques: &["T1021"],
    finds: "remote access from one clinical device to another that it never used so",
    starts: Starts::AfterLearning,
    wrong_if: &["a technician works at one device from the other"],
    thresholds: &[],
    features: &[Feature::Flows],
    new: |values| Box::new(DeviceAccess::new(values)),
};

/// SSH, Telnet, RDP, VNC, `WinRM`.
const REMOTE: [u16; 6] = [22, 23, 3_389, 5_900, 5_985, 5_986];

pub(super) struct DeviceAccess {
    reported: Reported<(IpAddr, IpAddr)>,
}

impl DeviceAccess {
    fn new(values: &Values) -> Self {
        Self {
            reported: Reported::new(values),
        }
    }
}

impl Detector for DeviceAccess {
    fn evicted(&self) -> u64 {
        self.reported.evicted()
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        let (_, service) = opened_tcp(seen)?;
        let (client, server) = (seen.client.ip(), seen.server.ip());
        if !REMOTE.contains(&service.port)
            || site.learns()
            || site.baselines.learns(client, seen.time)
            || !site.baselines.is_clinical(client)
            || !site.baselines.is_clinical(server)
            || site.knows(client, &Fact::Uses(server, service))
            // Whoever administers others is known to ask for it.
            || site.knows(client, &Fact::Asks(service))
            || !self.reported.first((client, server), seen.time)
        {
            return None;
        }
        Some(Draft {
            basis: Basis::Novelty,
            confidence: 0.6,
            evidence: format!(
                "remote access (TCP port {}) from one clinical device to another, {server}; it was not seen to use such access in its learning time",
                service.port
            ),
            ..Draft::about_server(seen)
        })
    }
}
