//! C-ECHO sweeps: a client that asks many DICOM servers whether they are there, and no more (ATT&CK T1046).

use std::net::SocketAddr;

use super::{Detector, Site, window::Window};
use crate::detect::draft::Draft;
use crate::{baseline::Fact, config::Detect};
use sensor_facts::observation::{Observation, What};

pub(super) struct EchoSweep {
    fast: Window<SocketAddr>,
    slow: Window<SocketAddr>,
}

impl EchoSweep {
    pub(super) fn new(options: &Detect) -> Self {
        Self {
            fast: Window::new(options.echo_within.as_nanos(), options.echo_servers),
            slow: Window::new(options.slow_within.as_nanos(), options.echo_servers),
        }
    }
}

impl Detector for EchoSweep {
    fn name(&self) -> &'static str {
        "echo_sweep"
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
        let slow = self.slow.add(client, seen.server, seen.time);
        let fast = self.fast.add(client, seen.server, seen.time);
        let seconds = if fast.is_some() {
            self.fast.seconds()
        } else {
            self.slow.seconds()
        };
        let asked = fast.or(slow)?;
        Some(Draft {
            technique: "T1046",
            confidence: 0.75,
            evidence: format!(
                "C-ECHO and nothing else to {} DICOM servers within {} s, none of which it uses",
                asked.len(),
                seconds
            ),
            victims: asked.iter().map(SocketAddr::ip).collect(),
            wrong_if: "an engineer sets up or tests a workstation",
            ..Draft::default()
        })
    }
}
