//! Someone works at a device by a service that it never offered: short messages go to and fro at a person's pace, as in a
//! shell, in no protocol that the sensor knows (ATT&CK T1059, T1219).

use std::net::IpAddr;

use sensor_common::layer7::Protocol;
use sensor_facts::observation::{FlowFacts, Half};

use crate::detect::prelude::*;

pub(super) const ABOUT: About = About {
    id: "backdoor",
    techniques: &["T1059", "T1219"],
    finds: "someone works interactively at a service that the device never offered",
    starts: Starts::AfterLearning,
    wrong_if: &[
        "software was installed on the device that exchanges short messages, or a technician works at it",
    ],
    thresholds: THRESHOLDS,
    features: &[Feature::Flows],
    new: |values| Box::new(Backdoor::new(values)),
};

thresholds! {
    /// Both ends send at least this many messages.
    shell_messages: count = 3, 2..=1_000_000;
    /// The client's messages have no more than this many bytes on average, as what a person types.
    shell_bytes: bytes = 128, 1..=65_535;
    /// The connection lasts at least this long.
    shell_lasts: seconds = 3, 1..=86_400;
    /// The time between two messages of the client on average, milliseconds, is at least this.
    shell_pause: count = 300, 1..=3_600_000;
}

pub(super) struct Backdoor {
    reported: Reported<(IpAddr, IpAddr, Service)>,
    own: Thresholds,
}

impl Backdoor {
    fn new(values: &Values) -> Self {
        Self {
            reported: Reported::new(values),
            own: Thresholds::of(values),
        }
    }

    /// A person types, and a program answers.
    fn is_shell(&self, facts: &FlowFacts) -> bool {
        let own = &self.own;
        let (typed, said) = (&facts.to_server, &facts.to_client);
        let messages = |half: &Half| u64::from(half.push);
        let millis = facts.duration / 1_000_000;
        facts.app == Protocol::None
            && messages(typed).min(messages(said)) >= own.shell_messages.into()
            && typed.payload <= own.shell_bytes.saturating_mul(messages(typed))
            && facts.duration >= own.shell_lasts.as_nanos()
            && millis / messages(typed).max(1) >= own.shell_pause.into()
    }
}

impl Detector for Backdoor {
    fn evicted(&self) -> u64 {
        self.reported.evicted()
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        let (facts, service) = opened_tcp(seen)?;
        let (client, server) = (seen.client.ip(), seen.server.ip());
        if !is_lasting(service)
            || !self.is_shell(facts)
            || site.learns()
            || site.is_outside(server)
            || site.baselines.learns(server, seen.time)
            || site.knows(server, &Fact::Offers(service))
            // Whoever works so at others, as an administrator does, begins at some of them.
            || site.trusts(client, &Fact::Asks(service))
            || !self.reported.first((client, server, service), seen.time)
        {
            return None;
        }
        let (typed, said) = (&facts.to_server, &facts.to_client);
        Some(Draft {
            basis: Basis::Behaviour,
            confidence: 0.65,
            evidence: format!(
                "it worked at {server} by TCP port {}, which {server} was not seen to offer before: {} short messages there and {} back in {} s, as in a shell",
                service.port,
                typed.push,
                said.push,
                facts.duration / 1_000_000_000
            ),
            ..Draft::about_server(seen)
        })
    }
}
