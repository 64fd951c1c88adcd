//! HL7 from someone new: a message from an address, application and facility that this receiver never had
//! messages from; or one that changes whose record it is, by a known sender that sends no ADT (ATT&CK T1557.002).

use std::net::IpAddr;

use sensor_facts::event::Hl7Message;

use crate::detect::prelude::*;

pub(super) const ABOUT: About = About {
    id: "hl7_sender",
    techniques: &["T1557.002"],
    finds: "HL7 from an address, application and facility that are new to the receiver; merges and deletions of patient records by who sent no such message before",
    starts: Starts::AfterLearning,
    wrong_if: &["an interface was added or moved", OTHER_WORK],
    thresholds: &[],
    features: &[Feature::Messages, Feature::Naks],
    new: |values| Box::new(Hl7Sender::new(values)),
};

const OTHER_WORK: &str = "the interface was given other messages to send";

pub(super) struct Hl7Sender(Reported<(IpAddr, IpAddr, String, String)>);

impl Hl7Sender {
    fn new(values: &Values) -> Self {
        Self(Reported::new(values))
    }

    /// Takes a message of a known sender.
    fn other_kind(
        &mut self,
        seen: &Observation,
        message: &Hl7Message,
        (sender, receiver): (IpAddr, IpAddr),
        site: &Site<'_>,
    ) -> Option<Draft> {
        let (event, what) = dangerous(message)?;
        let kind = format!("ADT^{event}");
        let knows = |kind| site.knows(sender, &Fact::SendsKind(receiver, kind));
        if knows(&kind)
            || site.baselines.learns(sender, seen.time)
            || !self
                .0
                .first((sender, receiver, kind.clone(), String::new()), seen.time)
        {
            return None;
        }
        let no_adt = !knows("ADT");
        Some(Draft {
            basis: Basis::Novelty,
            // Merges are rare: who sends other ADT may not have sent one in the learning time.
            confidence: if no_adt { 0.65 } else { 0.3 },
            subject: Some(sender),
            victims: vec![receiver],
            service: seen.service().filter(|_| message.to_server),
            evidence: format!(
                "an {kind} message, which {what}, by a sender that was not seen to send {receiver} {}",
                if no_adt {
                    "any ADT message"
                } else {
                    "one of these"
                }
            ),
            wrong_if: OTHER_WORK,
            ..Draft::default()
        })
    }
}

/// The event of an ADT message that endangers care, and how.
fn dangerous(message: &Hl7Message) -> Option<(&str, &'static str)> {
    let event = message.message_type.as_deref().and_then(trigger)?;
    Some((event, meaning(event)?))
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
            return self.other_kind(seen, message, (sender, receiver), site);
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
        let meaning = dangerous(message);
        let confidence = match (borrowed, meaning.is_some()) {
            (true, _) => 0.7,
            (false, true) => 0.65,
            (false, false) => 0.5,
        };
        let meaning = meaning.map_or_else(String::new, |(event, what)| {
            format!("; the first one (ADT^{event}) {what}")
        });
        Some(Draft {
            basis: Basis::Novelty,
            confidence,
            subject: Some(sender),
            victims: vec![receiver],
            service: seen.service().filter(|_| message.to_server),
            evidence: if borrowed {
                format!("HL7 messages as {who}, which sends from another address{meaning}")
            } else {
                format!(
                    "HL7 messages as {who}, from which the receiver was not seen to have any before{meaning}"
                )
            },
            ..Draft::default()
        })
    }
}

/// The trigger event of an ADT message, from MSH-9.
fn trigger(message_type: &str) -> Option<&str> {
    message_type.strip_prefix("ADT^")?.split('^').next()
}

/// What an ADT event does to a patient's record, where that endangers care (HL7 v2.8 sections 3.3.18 to 3.3.51).
fn meaning(event: &str) -> Option<&'static str> {
    Some(match event {
        "A18" | "A30" | "A34" | "A35" | "A36" | "A39" | "A40" | "A41" | "A42" => {
            "merges the records of two patients, so that one is treated by the other's data"
        }
        "A23" => "deletes a patient's visit",
        "A24" => "links the records of two patients",
        "A29" => "deletes a person's record",
        "A43" | "A44" | "A45" | "A47" | "A49" | "A50" | "A51" => {
            "moves or renames parts of a patient's record"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_that_change_whose_record_it_is_are_explained() {
        let said = |text: &str| trigger(text).and_then(meaning);
        assert!(said("ADT^A40^ADT_A39").is_some_and(|it| it.starts_with("merges")));
        assert!(said("ADT^A29").is_some_and(|it| it.starts_with("deletes")));
        for other in ["ADT^A01^ADT_A01", "ORU^A40", "ADT", ""] {
            assert_eq!(said(other), None, "{other}");
        }
    }
}
