//! HL7 events: messages and sessions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    event::session::{Cell, Exchanged, Listing, SessionEvent, StoredSession, is_zero, word},
    time::Time,
};

/// The content of the events.
pub(in crate::event) type Content = Hl7Event;

/// An HL7 event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Hl7Event {
    /// A message's header.
    Message(Hl7Message),
    /// A connection is over, its summary.
    Session(Hl7SessionSummary),
}

/// The header of a message: what MSH and MSA say. Fields are as sent, with their own separators;
/// empty ones are left out.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own in the schema"
)]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Hl7Message {
    /// True if the side that opened the connection sent it.
    pub to_server: bool,
    /// MSH-3 sending application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sending_application: Option<String>,
    /// MSH-4 sending facility.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sending_facility: Option<String>,
    /// MSH-5 receiving application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receiving_application: Option<String>,
    /// MSH-6 receiving facility.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receiving_facility: Option<String>,
    /// MSH-7 date and time of the message, as its sender wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_time: Option<String>,
    /// MSH-9 message type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_type: Option<String>,
    /// First component of MSH-9, such as `ADT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_code: Option<String>,
    /// Second component of MSH-9, such as `A01`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger_event: Option<String>,
    /// MSH-10 message control id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control_id: Option<String>,
    /// MSH-11 processing id: production, training or debugging.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processing_id: Option<String>,
    /// MSH-12 version id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// MSA-1 acknowledgement code: AA, AE, AR, CA, CE or CR.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ack_code: Option<String>,
    /// MSA-2 control id of the message that is acknowledged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ack_control_id: Option<String>,
    /// Time from the end of that message to this one, microseconds; 0 if this one came before that end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ack_time_us: Option<u64>,
    /// Bytes between the start and the end block character; of a message in a batch unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u32>,
    /// It came in a batch (FHS or BHS).
    pub batch: bool,
    /// Its end was seen.
    pub complete: bool,
    /// A message with the same control id had come from the same side of this connection.
    pub repeated: bool,
}

/// How an HL7 session ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Hl7SessionEnd {
    /// It goes on.
    #[default]
    Open,
    /// The connection was closed.
    Closed,
    /// No packet for longer than the idle time.
    Idle,
    /// The sensor stopped, or read the capture to its end.
    Shutdown,
    /// The sensor gave it up: too many sessions.
    Evicted,
}

/// A connection that carried HL7.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Hl7SessionSummary {
    /// When its first message was seen.
    pub start: Time,
    /// When its last message was seen.
    pub end: Time,
    /// How it ended.
    pub outcome: Hl7SessionEnd,
    /// The capture begins after the connection's opening.
    pub midstream: bool,
    /// Parts are missing: loss before the sensor or in it, or what could not be read.
    pub incomplete: bool,
    /// Messages, acknowledgements included.
    pub messages: u64,
    /// Messages from the side that opened the connection.
    pub to_server: u64,
    /// Messages to it.
    pub to_client: u64,
    /// Bytes of the MLLP blocks from the side that opened the connection.
    pub bytes_to_server: u64,
    /// Bytes of the MLLP blocks to it.
    pub bytes_to_client: u64,
    /// Messages by type, `ADT^A01`.
    pub types: BTreeMap<String, u64>,
    /// Sending applications and facilities (MSH-3 and MSH-4) of messages; acknowledgements are left out.
    pub senders: Vec<Party>,
    /// Receiving applications and facilities (MSH-5 and MSH-6), likewise.
    pub receivers: Vec<Party>,
    /// Versions of MSH-12.
    pub versions: Vec<String>,
    /// Acknowledgements by their code.
    pub acknowledgements: Acknowledgements,
    /// Share of negative ones (AE, AR, CE, CR) among the acknowledgements, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(range(min = 0, max = 1)))]
    pub nak_ratio: Option<f64>,
    /// Time to acknowledge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ack_times: Option<AckTimes>,
    /// Acknowledgements of no message that was seen.
    pub unmatched_acks: u64,
    /// Messages (acknowledgements left out) not acknowledged so far.
    pub unacknowledged: u64,
    /// Messages (acknowledgements left out) whose control id had come before from the same side.
    pub repeated_control_ids: u64,
    /// Blocks that were batches.
    pub batches: u64,
    /// Commit acknowledgements of MLLP release 2: a message was received and is safe.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub commit_acks: u64,
    /// Negative commit acknowledgements.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub commit_naks: u64,
    /// Things left out of the lists above because they were too many.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub omitted: u64,
    /// Bytes that were not read, by reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(test, schemars(with = "crate::event::schema::Skipped"))]
    pub skipped: BTreeMap<String, u64>,
}

/// An application and its facility.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Party {
    /// MSH-3 or MSH-5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
    /// MSH-4 or MSH-6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facility: Option<String>,
}

/// Acknowledgements by code (HL7 table 0008).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Acknowledgements {
    /// AA, application accept.
    #[serde(rename = "AA")]
    pub aa: u64,
    /// AE, application error.
    #[serde(rename = "AE")]
    pub ae: u64,
    /// AR, application reject.
    #[serde(rename = "AR")]
    pub ar: u64,
    /// CA, commit accept.
    #[serde(rename = "CA")]
    pub ca: u64,
    /// CE, commit error.
    #[serde(rename = "CE")]
    pub ce: u64,
    /// CR, commit reject.
    #[serde(rename = "CR")]
    pub cr: u64,
    /// Codes outside the table.
    pub other: u64,
}

impl Acknowledgements {
    /// All of them.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.aa + self.ca + self.negative() + self.other
    }

    /// AE, AR, CE and CR.
    #[must_use]
    pub const fn negative(&self) -> u64 {
        self.ae + self.ar + self.ce + self.cr
    }
}

/// Time from the end of a message to its first acknowledgement, microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AckTimes {
    /// Acknowledgements that were matched.
    pub count: u64,
    /// The shortest time.
    pub min_us: u64,
    /// The mean time.
    pub mean_us: u64,
    /// The longest time.
    pub max_us: u64,
}

impl SessionEvent for Hl7Event {
    fn start(&self) -> Option<Time> {
        match self {
            Self::Message(_) => None,
            Self::Session(session) => Some(session.start),
        }
    }

    fn stored(&self) -> StoredSession<'_> {
        match self {
            Self::Message(message) => StoredSession {
                kind: Some("message".to_owned()),
                sender: message.sending_application.as_deref(),
                receiver: message.receiving_application.as_deref(),
                outcome: message.message_type.clone(),
            },
            Self::Session(session) => StoredSession {
                kind: Some("session".to_owned()),
                sender: first_application(&session.senders),
                receiver: first_application(&session.receivers),
                outcome: word(session.outcome),
            },
        }
    }

    fn exchanged(&self) -> Exchanged {
        match self {
            Self::Message(_) => Exchanged::default(),
            Self::Session(session) => Exchanged {
                incomplete: session.incomplete,
                bytes_to_server: session.bytes_to_server,
                bytes_to_client: session.bytes_to_client,
                messages: session.types.clone().into_iter().collect(),
                ..Exchanged::default()
            },
        }
    }

    fn listing(&self) -> Option<Listing> {
        let Self::Session(session) = self else {
            return None;
        };
        let parties = Cell::Pair(
            party_names(&session.senders),
            party_names(&session.receivers),
        );
        let types = session.types.iter();
        let types = types.map(|(kind, count)| format!("{count}× {kind}"));
        let (total, negative) = (
            session.acknowledgements.total(),
            session.acknowledgements.negative(),
        );
        let times = session.ack_times.as_ref();
        let times =
            times.map(|times| format!("mean {} µs, most {} µs", times.mean_us, times.max_us));
        Some(Listing {
            title: "HL7 sessions",
            start: session.start,
            cells: vec![
                ("applications", parties),
                ("messages", Cell::List(types.collect())),
                (
                    "acknowledged",
                    Cell::Text(Some(format!("{total}, {negative} negative"))),
                ),
                ("time to ack", Cell::Text(times)),
            ],
        })
    }
}

fn first_application(parties: &[Party]) -> Option<&str> {
    parties.first().and_then(|one| one.application.as_deref())
}

/// Applications with their facilities; of a hierarchic designator (HL7 v2.5.1 section 2.A.33) the name alone.
fn party_names(parties: &[Party]) -> Vec<String> {
    let name = |part: &Option<String>| {
        let whole = part.as_deref().unwrap_or("-");
        whole.split('^').next().unwrap_or(whole).to_owned()
    };
    let whole = |party: &Party| {
        if party.facility.is_none() {
            name(&party.application)
        } else {
            format!("{}@{}", name(&party.application), name(&party.facility))
        }
    };
    parties.iter().map(whole).collect()
}
