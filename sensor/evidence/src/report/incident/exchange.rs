//! Data that went from and to the suspects: kinds and amounts. There is no patient in it.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use sensor_facts::{
    event::{Event, Exchanged},
    time::Time,
};
use sensor_sessions::inventory::Role;
use serde::{Deserialize, Serialize};

use super::{
    Facts,
    scope::{Scope, is_usual},
    system::role,
};

/// What two systems exchanged by one protocol since the suspect's first finding, and five minutes before it.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// Who opened the connections.
    pub client: IpAddr,
    /// To whom.
    pub server: IpAddr,
    /// What the server is.
    pub role: Role,
    /// The client is suspected; else the server is.
    pub by_suspect: bool,
    /// `DICOM`, `HL7` or `TLS`.
    pub protocol: String,
    /// What was said could be read by anyone on the way.
    pub clear_text: bool,
    /// Associations, sessions or connections.
    pub count: u64,
    /// Of these, refused.
    pub refused: u64,
    /// Bytes of data sets (DICOM) or messages (HL7) that the suspect received; of TLS not known.
    pub bytes_to_suspect: u64,
    /// Bytes of them that it sent.
    pub bytes_from_suspect: u64,
    /// DICOM commands, or HL7 message types, with how often they were sent.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub messages: BTreeMap<String, u64>,
    /// SOP classes by name, or TLS versions.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub classes: BTreeSet<String>,
    /// AE titles that the client called itself.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub calling_ae: BTreeSet<String>,
    /// AE titles that it asked for.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub called_ae: BTreeSet<String>,
    /// AE titles that it had studies sent to.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub move_destinations: BTreeSet<String>,
    /// The two used the service before the incident too, so that this may be their ordinary work.
    pub usual: bool,
    /// Parts of it were not seen.
    pub incomplete: bool,
    /// First.
    pub first: Time,
    /// Last.
    pub last: Time,
}

/// All exchanges with a suspect since its begin; the most bytes to it first.
pub(super) fn of(facts: &Facts, scope: &Scope<'_>) -> Vec<Exchange> {
    let mut all: BTreeMap<(IpAddr, IpAddr, &'static str), Exchange> = BTreeMap::new();
    for event in latest(&facts.sessions) {
        let (Some(client), Some(server)) = (event.src_ip, event.dest_ip) else {
            continue;
        };
        let by_suspect = scope.suspects(client);
        let Some(since) = scope.since(client).or_else(|| scope.since(server)) else {
            continue;
        };
        if event.timestamp < since {
            continue;
        }
        let Some((protocol, session)) = event.body.session() else {
            continue;
        };
        let Some(protocol) = protocol.title() else {
            continue;
        };
        let exchanged = session.exchanged();
        let one = all
            .entry((client, server, protocol))
            .or_insert_with(|| Exchange {
                client,
                server,
                role: role(facts, server),
                by_suspect,
                protocol: protocol.to_owned(),
                clear_text: !exchanged.encrypted,
                count: 0,
                refused: 0,
                bytes_to_suspect: 0,
                bytes_from_suspect: 0,
                messages: BTreeMap::new(),
                classes: BTreeSet::new(),
                calling_ae: BTreeSet::new(),
                called_ae: BTreeSet::new(),
                move_destinations: BTreeSet::new(),
                usual: is_usual(facts, since, client, server, event.dest_port),
                incomplete: false,
                first: event.timestamp,
                last: event.timestamp,
            });
        one.count += 1;
        one.last = one.last.max(event.timestamp);
        one.first = one.first.min(session.start().unwrap_or(one.first));
        one.take(exchanged);
    }
    let mut all: Vec<Exchange> = all.into_values().collect();
    all.sort_by_key(|one| {
        (
            std::cmp::Reverse(one.bytes_to_suspect),
            std::cmp::Reverse(one.bytes_from_suspect),
            one.client,
            one.server,
        )
    });
    all
}

/// Each association and session once, as it was told last. Single messages are in their sessions.
fn latest(events: &[Event]) -> impl Iterator<Item = &Event> {
    let mut last: BTreeMap<(Option<u64>, Time), &Event> = BTreeMap::new();
    for event in events {
        let Some(start) = start(event) else {
            continue;
        };
        // As exact as what was written and read again.
        let start = Time(start.0 - start.0.rem_euclid(1_000));
        let before = last.entry((event.flow_id, start)).or_insert(event);
        if event.timestamp >= before.timestamp && !is_less(event, before) {
            *before = event;
        }
    }
    last.into_values()
}

/// When the session of an event began.
fn start(event: &Event) -> Option<Time> {
    event
        .body
        .session()
        .and_then(|(_, session)| session.start())
}

/// True if a session's opening is reported after its end, at the same time.
fn is_less(event: &Event, before: &Event) -> bool {
    let is_final = |event: &Event| event.body.session().is_some_and(|(_, it)| it.is_final());
    !is_final(event) && is_final(before)
}

impl Exchange {
    fn take(&mut self, session: Exchanged) {
        self.refused += u64::from(session.refused);
        self.incomplete |= session.incomplete;
        self.bytes(session.bytes_to_server, session.bytes_to_client);
        for (kind, count) in session.messages {
            *self.messages.entry(kind).or_default() += count;
        }
        self.classes.extend(session.classes);
        self.calling_ae.extend(session.calling_ae);
        self.called_ae.extend(session.called_ae);
        self.move_destinations.extend(session.move_destinations);
    }

    fn bytes(&mut self, to_server: u64, to_client: u64) {
        let (from, to) = if self.by_suspect {
            (to_server, to_client)
        } else {
            (to_client, to_server)
        };
        self.bytes_from_suspect += from;
        self.bytes_to_suspect += to;
    }
}
