//! C-ECHO sweeps: a client that asks many DICOM servers whether they are there, and no more (ATT&CK T1046).

use std::net::SocketAddr;

use crate::detect::prelude::*;

pub(super) const ABOUT: About = About {
    id: "echo_sweep",
    techniques: &["T1046"],
    finds: "C-ECHO and nothing else to many DICOM servers",
    starts: Starts::AtOnce,
    wrong_if: &["an engineer sets up or tests a workstation"],
    thresholds: THRESHOLDS,
    features: &[Feature::Peers, Feature::Flows],
    new: |values| Box::new(EchoSweep::new(values)),
};

thresholds! {
    /// This many DICOM servers that a client does not use and asks nothing but C-ECHO, within `echo_within` or
    /// `slow_within`, count as a sweep.
    echo_servers: count = 5, 1..=1_024;
    /// The time in which DICOM servers that are asked nothing but C-ECHO are counted.
    echo_within: seconds = 600, 1..=86_400;
}

pub(super) struct EchoSweep {
    fast: Window<SocketAddr>,
    slow: Window<SocketAddr>,
}

impl EchoSweep {
    fn new(values: &Values) -> Self {
        let (own, shared) = (Thresholds::of(values), shared::Thresholds::of(values));
        Self {
            fast: Window::new(own.echo_within, own.echo_servers),
            slow: Window::new(shared.slow_within, own.echo_servers),
        }
    }
}

/// Servers that got a C-ECHO and nothing else.
fn echoed(servers: &[SocketAddr], seconds: i64) -> Draft {
    Draft {
        confidence: 0.75,
        evidence: format!(
            "C-ECHO and nothing else to {} DICOM servers within {seconds} s, none of which it uses",
            at_least(servers.len())
        ),
        victims: servers.iter().map(SocketAddr::ip).collect(),
        ..Draft::default()
    }
}

impl Detector for EchoSweep {
    fn evicted(&self) -> u64 {
        self.fast.evicted() + self.slow.evicted()
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        let What::AssociationEnded(association) = &seen.what else {
            return None;
        };
        let only_echo = !association.commands.is_empty()
            && association
                .commands
                .iter()
                .all(|command| command.command == "C-ECHO");
        let client = seen.client.ip();
        let service = seen.service()?;
        if !only_echo || site.knows(client, &Fact::Uses(seen.server.ip(), service)) {
            return None;
        }
        let slow = self.slow.add(site.who(client), seen.server, seen.time);
        let fast = self.fast.add(site.who(client), seen.server, seen.time);
        let seconds = if fast.is_some() {
            self.fast.took()
        } else {
            self.slow.took()
        };
        fast.or(slow).map(|asked| echoed(&asked, seconds))
    }

    fn settled(&mut self, site: &Site<'_>) -> Vec<(Time, Draft)> {
        let windows = [&mut self.fast, &mut self.slow];
        let all = windows.into_iter().flat_map(|one| one.settled(site.now));
        let draft =
            |one: Settled<SocketAddr>| (one.time, echoed(&one.things, one.took).by(one.suspect));
        largest(all).into_iter().map(draft).collect()
    }
}
