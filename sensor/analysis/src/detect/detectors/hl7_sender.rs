//! HL7 from someone new: a message from an address, application and facility that this receiver never had
//! messages from (ATT&CK T1557.002).

use std::net::IpAddr;

use crate::detect::prelude::*;

pub(super) const ABOUT: About = About {
    id: "hl7_sender",
    techniques: &["T1557.002"],
    finds: "HL7 from an address, application and facility that are new to the receiver",
    starts: Starts::AfterLearning,
    wrong_if: &["an interface was added or moved"],
    thresholds: &[],
    features: &[Feature::Messages, Feature::Naks],
    new: |values| Box::new(Hl7Sender::new(values)),
};

pub(super) struct Hl7Sender(Reported<(IpAddr, IpAddr, String, String)>);

impl Hl7Sender {
    fn new(values: &Values) -> Self {
        Self(Reported::new(values))
    }
}

impl Detector for Hl7Sender {
    fn evicted(&self) -> u64 {
        self.0.evicted()
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        let What::Hl7(message) = &seen.what else {
            return None;
        };
        if message.ack_code.is_some() || site.learns() {
            return None;
        }
        let (sender, receiver) = if message.to_server {
            (seen.client.ip(), seen.server.ip())
        } else {
            (seen.server.ip(), seen.client.ip())
        };
        let application = message.sending_application.as_deref().unwrap_or_default();
        let facility = message.sending_facility.as_deref().unwrap_or_default();
        if site.knows(sender, &Fact::Sends(receiver, application, facility)) {
            return None;
        }
        let borrowed = site.knows_at_site(&Fact::Application(application, facility));
        let sent = (
            sender,
            receiver,
            application.to_owned(),
            facility.to_owned(),
        );
        if !self.0.first(sent, seen.time) {
            return None;
        }
        let who = format!("application {application:?} of facility {facility:?}");
        Some(Draft {
            basis: Basis::Novelty,
            confidence: if borrowed { 0.7 } else { 0.5 },
            subject: Some(sender),
            victims: vec![receiver],
            service: seen.service().filter(|_| message.to_server),
            evidence: if borrowed {
                format!("HL7 messages as {who}, which sends from another address")
            } else {
                format!("HL7 messages as {who}, from which the receiver never had any")
            },
            ..Draft::default()
        })
    }
}
