//! A device offers a service that it never offered (ATT&CK T1571, for remote access T1219).

use std::net::IpAddr;

use crate::detect::prelude::*;

pub(super) const ABOUT: About = About {
    id: "new_service",
    techniques: &["T1571", "T1219"],
    finds: "a device offers what it never offered",
    starts: Starts::AfterLearning,
    wrong_if: &["the device was updated or set up anew"],
    thresholds: &[],
    features: &[Feature::BytesOut, Feature::BytesIn],
    new: |values| Box::new(NewService::new(values)),
};

/// Services by which a device is entered: SSH, Telnet, SMB, RDP, VNC, `WinRM`, and what implants like.
const ENTRIES: [u16; 9] = [22, 23, 445, 3_389, 4_444, 5_900, 5_985, 5_986, 8_888];

pub(super) struct NewService {
    reported: Reported<(IpAddr, Service)>,
    /// Clients that were the first to ask for a way into a device.
    entered: Reported<IpAddr>,
}

impl NewService {
    fn new(values: &Values) -> Self {
        Self {
            reported: Reported::new(values),
            entered: Reported::new(values),
        }
    }
}

impl Detector for NewService {
    fn evicted(&self) -> u64 {
        self.reported.evicted() + self.entered.evicted()
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        let What::Flow(facts) = &seen.what else {
            return None;
        };
        let service = seen.service()?;
        let server = seen.server.ip();
        if facts.midstream
            || !facts.established(seen.protocol)
            || !is_lasting(service)
            || site.is_outside(server)
            || site.learns()
            || site.baselines.learns(server, seen.time)
            || site.knows(server, &Fact::Offers(service))
            || !self.reported.first((server, service), seen.time)
        {
            return None;
        }
        let entry = ENTRIES.contains(&service.port);
        // Whoever asks all kinds of devices for it, as an administrator does, is the first at some of them.
        let client = seen.client.ip();
        let habit = site.knows(client, &Fact::Asks(service))
            // Whoever goes from one to the next is one thing to tell, not one for each device.
            || (entry && !self.entered.first(client, seen.time));
        Some(Draft {
            technique: if entry { "T1219" } else { "T1571" },
            basis: Basis::Novelty,
            confidence: match (entry, habit) {
                (true, false) => 0.5,
                (true, true) => 0.2,
                (false, false) => 0.25,
                (false, true) => 0.1,
            },
            subject: Some(server),
            victims: vec![seen.client.ip()],
            offered: Some(service),
            evidence: format!(
                "it answers at {} port {}, which it never offered in its learning time; {} asked",
                service.transport.label(),
                service.port,
                seen.client.ip()
            ),
            ..Draft::default()
        })
    }
}
