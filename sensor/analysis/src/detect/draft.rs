//! What a detector found, before it is numbered.

use std::net::IpAddr;

use sensor_facts::{
    finding::{AttackRole, Basis, Contribution, Finding, Origin},
    observation::Observation,
    target::{Service, Transport},
    time::Time,
};

use crate::baseline::{Feature, Length, Usual};

/// The contribution of an amount in a window.
pub(crate) fn contribution(
    length: Length,
    feature: Feature,
    value: u64,
    usual: Option<Usual>,
) -> Contribution {
    let range = usual.map(|usual| usual.range());
    Contribution {
        feature: format!("{} in {}", feature.label(), length.label()),
        value,
        usual: range.map(|it| it.0),
        range: range.map(|it| (it.1, it.2)),
    }
}

/// Victims that a finding names.
const VICTIMS_MAX: usize = 16;

/// What a detector found, before it is numbered.
#[derive(Default)]
pub(crate) struct Draft {
    pub(crate) technique: &'static str,
    pub(crate) basis: Basis,
    pub(crate) confidence: f64,
    /// Who it is about, where that is not the client.
    pub(crate) subject: Option<IpAddr>,
    pub(crate) role: AttackRole,
    pub(crate) victims: Vec<IpAddr>,
    pub(crate) service: Option<Service>,
    /// A service that the subject offers.
    pub(crate) offered: Option<Service>,
    pub(crate) evidence: String,
    pub(crate) features: Vec<Contribution>,
    pub(crate) wrong_if: &'static str,
}

impl Draft {
    /// A draft whose victim is the observation's server, by the service that was asked.
    pub(crate) fn about_server(seen: &Observation) -> Self {
        Self {
            victims: vec![seen.server.ip()],
            service: seen.service(),
            ..Self::default()
        }
    }

    /// The same about a suspect.
    pub(crate) fn by(self, suspect: IpAddr) -> Self {
        Self {
            subject: Some(suspect),
            ..self
        }
    }

    pub(super) fn of_observation(self, detector: &str, seen: &Observation) -> Finding {
        let client = seen.client.ip();
        let subject = self.subject.unwrap_or(client);
        let connection =
            (seen.transport() == Some(Transport::Tcp) && !self.role.is_victim()).then(|| {
                if subject == client {
                    (seen.client, seen.server)
                } else {
                    (seen.server, seen.client)
                }
            });
        Finding {
            connection: connection.filter(|(own, _)| own.ip() == subject),
            ..self.of_device(detector, subject, seen.time)
        }
    }

    pub(super) fn of_device(mut self, detector: &str, device: IpAddr, time: Time) -> Finding {
        let victim_count = self.victims.len() as u64;
        self.victims.truncate(VICTIMS_MAX);
        Finding {
            id: 0,
            time,
            detector: detector.to_owned(),
            technique: self.technique.to_owned(),
            basis: self.basis,
            confidence: self.confidence,
            subject: self.subject.unwrap_or(device),
            role: self.role,
            victims: self.victims,
            victim_count,
            service: self.service,
            offered: self.offered,
            connection: None,
            evidence: self.evidence,
            features: self.features,
            wrong_if: self.wrong_if.to_owned(),
            origin: Origin::default(),
            sender_mac: None,
        }
    }
}
