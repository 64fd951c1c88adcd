//! HL7: the messages that the receiver took, and its acknowledgements.

use sensor_common::layer7::Reason;
use sensor_facts::event::Hl7Message;

use super::Findings;
use crate::{exchange::Exchange, hl7::reply, wire::Said};

/// The sensor's words for the fields that a receiver tells of.
fn field<'a>(message: &'a Hl7Message, name: &str) -> &'a str {
    let value = match name {
        "sending_application" => &message.sending_application,
        "sending_facility" => &message.sending_facility,
        "receiving_application" => &message.receiving_application,
        "receiving_facility" => &message.receiving_facility,
        "message_type" => &message.message_type,
        "control_id" => &message.control_id,
        "version" => &message.version,
        _ => &None,
    };
    value.as_deref().unwrap_or_default()
}

/// A receiver's text as the sensor shows it: control characters replaced, nothing longer than it keeps. A line feed
/// ends a segment for the sensor, as for many receivers; these two leave it in the field.
fn shown(text: &str) -> String {
    text.split('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .take(768)
        .collect()
}

/// Compares what the receiver did with what the sensor says.
pub(super) fn judge(exchange: &Exchange, said: &Said, findings: &mut Findings) {
    let acknowledged = match reply::read(&exchange.received()) {
        Ok(acknowledged) => acknowledged,
        Err(error) => return findings.add("the receiver's bytes can't be read", error),
    };
    let (sent, answers): (Vec<_>, Vec<_>) = said.messages.iter().partition(|it| it.to_server);
    let sensor: Vec<(String, String)> = answers
        .iter()
        .map(|it| {
            let word = |word: &Option<String>| word.clone().unwrap_or_default();
            (word(&it.ack_code), word(&it.ack_control_id))
        })
        .collect();
    let receiver_says: Vec<_> = acknowledged
        .iter()
        .map(|(code, id)| (shown(code), shown(id)))
        .collect();
    findings.same("hl7: acknowledgements", &receiver_says, &sensor);

    // Each message that was taken is there, in order.
    // A block that begins inside of another one leaves open what is whole.
    let starts = exchange.sent().split(|byte| *byte == 0x0b).count() - 1;
    let all = exchange.did("message").count();
    let mut rest = sent.iter();
    let mut taken = 0;
    for message in exchange.did("message") {
        taken += 1;
        let wanted = |name: &str| shown(message["fields"][name].as_str().unwrap_or_default());
        // python-hl7 takes a line feed for content: what it has for fields behind one stands in other segments, which stay in
        // the kernel.
        let names = message["fields"].as_object().into_iter().flatten();
        let across = names
            .clone()
            .any(|(name, value)| name != "version" && value.to_string().contains("\\n"));
        let same = |it: &&&Hl7Message| {
            // hl7apy writes what it has parsed, and escapes it again.
            let is = |name| wanted(name).contains('\\') || field(it, name) == wanted(name);
            across || is("control_id") && is("message_type")
        };
        let Some(found) = rest.find(same) else {
            findings.add("hl7: message missing", message["fields"].to_string());
            break;
        };
        for (name, _) in names {
            if across || wanted(name).contains('\\') {
                continue;
            }
            // Python's receivers strip control characters at the ends of a value, as white space.
            let strip = |text: &str| text.trim_matches(['\u{fffd}', ' ']).to_owned();
            findings.same(
                &format!("hl7: {name}"),
                &strip(&wanted(name)),
                &strip(field(found, name)),
            );
        }
        if !found.complete && starts <= all {
            findings.add("hl7: incomplete message", format!("{found:?}"));
        }
    }
    // A receiver that stayed to the end has taken all that was there. What others would take as a block of its own, since
    // it begins with VT and ends with FS, may be told of too.
    let stayed = exchange.did("end").any(|end| end["left"] == 0);
    let complete = sent.iter().filter(|it| it.complete && !it.batch).count();
    if stayed && complete > taken.max(starts) {
        findings.add(
            "hl7: message that was not",
            format!("receiver took {taken}, sensor has {complete}"),
        );
    }
    for answer in &answers {
        let id = answer.ack_control_id.as_deref().unwrap_or_default();
        let asked = |it: &&&Hl7Message| {
            it.control_id.as_deref() == Some(id)
                && it.ack_code.is_none()
                && it.ack_control_id.is_none()
        };
        if !id.is_empty() && answer.ack_time_us.is_none() && sent.iter().any(|it| asked(&it)) {
            findings.add("hl7: acknowledgement not matched", format!("of {id}"));
        }
    }
    // A field that is longer than what leaves the kernel is cut, and text behind an end character, at which a TCP segment ended,
    // may be more of the message. The session says so; of the latter it left out no bytes.
    let lost = said.sessions.iter().any(|it| {
        let unsure = it.skipped.get(Reason::Hl7Cut.label()) == Some(&0);
        it.incomplete && !unsure && !it.skipped.contains_key(Reason::Hl7Long.label())
    });
    if lost && stayed && complete == taken && taken > 0 && starts <= taken {
        findings.add("hl7: incomplete session", "though all was taken");
    }
    if said.sessions.iter().any(|it| it.midstream) {
        findings.add("hl7: midstream", "though the connection's opening was seen");
    }
}
