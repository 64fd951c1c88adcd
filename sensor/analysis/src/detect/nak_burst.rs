//! Messages that are refused: most of what a sender sends gets a negative acknowledgement (ATT&CK T1565.002).

use std::net::IpAddr;

use super::{Detector, Site, once::Once};
use crate::baseline::{Feature, Length};
use crate::detect::draft::{Draft, contribution};
use sensor_facts::observation::{Observation, What, is_negative};

pub(super) struct NakBurst(Once<IpAddr>);

impl NakBurst {
    pub(super) fn new() -> Self {
        Self(Once::default())
    }
}

impl Detector for NakBurst {
    fn name(&self) -> &'static str {
        "nak_burst"
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        let What::Hl7(message) = &seen.what else {
            return None;
        };
        if !message.ack_code.as_deref().is_some_and(is_negative) {
            return None;
        }
        let (sender, receiver) = if message.to_server {
            (seen.server.ip(), seen.client.ip())
        } else {
            (seen.client.ip(), seen.server.ip())
        };
        let length = Length::FiveMinutes;
        let windows = site.baselines.device(sender)?.windows();
        let naks = windows.now(length, Feature::Naks) + 1;
        let messages = windows.now(length, Feature::Messages);
        let usual = site.baselines.usual(sender, length, Feature::Naks);
        if naks < u64::from(site.options.naks)
            || naks * 2 < messages
            || usual.is_some_and(|usual| usual.excess(naks) < site.options.far())
            || !self.0.first(sender, seen.time)
        {
            return None;
        }
        Some(Draft {
            technique: "T1565.002",
            confidence: 0.5,
            subject: Some(sender),
            victims: vec![receiver],
            evidence: format!(
                "{naks} of {messages} HL7 messages within 5 minutes were answered with AE or AR (CE, CR)"
            ),
            features: vec![contribution(length, Feature::Naks, naks, usual)],
            wrong_if: "an application was changed at one end of the interface only",
            ..Draft::default()
        })
    }
}
