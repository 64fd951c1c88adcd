//! What people ask of all hosts at once: who sends HL7, and which AE titles there are.

use std::{collections::BTreeMap, net::IpAddr};

use sensor_facts::time::Time;
use sensor_sessions::inventory::{AeTitle, Hl7Sender, HostReport};
use serde::{Deserialize, Serialize};

use super::{Column, Filter, Item, Subject, Value};

/// An application that sends HL7 messages, at an address.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Hl7SenderRow {
    /// The address that it sends from.
    pub address: IpAddr,
    /// What it sent.
    #[serde(flatten)]
    pub sender: Hl7Sender,
}

/// All senders of HL7 messages, by host.
#[must_use]
pub fn hl7_senders(hosts: &[HostReport]) -> Vec<Hl7SenderRow> {
    let rows = hosts.iter().flat_map(|host| {
        host.hl7_senders.iter().map(|sender| Hl7SenderRow {
            address: host.address,
            sender: sender.clone(),
        })
    });
    rows.collect()
}

impl Item for Hl7SenderRow {
    const WHAT: &'static str = "HL7 senders";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::text("application", 0, |it| name(it.sender.application.as_ref())),
        Column::text("facility", 2, |it| name(it.sender.facility.as_ref())),
        Column::new("address", 0, |it| Value::Address(it.address, None)),
        Column::text("receivers", 1, |it| Value::list(&it.sender.receivers)),
        Column::text("message-types", 4, |it| {
            Value::list(types(&it.sender.types))
        }),
        Column::new("messages", 3, |it| Value::Number(it.sender.messages)),
        Column::new("first-seen", 6, |it| Value::Time(it.sender.first_seen)),
        Column::new("last-seen", 5, |it| Value::Time(it.sender.last_seen)),
    ];
    const FILTERS: &'static [Filter] = Filter::OF_HOSTS;

    fn subject(&self) -> Subject {
        Subject {
            addresses: std::iter::once(self.address)
                .chain(self.sender.receivers.iter().copied())
                .collect(),
            time: Some((self.sender.first_seen, self.sender.last_seen)),
            ..Subject::default()
        }
    }
}

/// Of a hierarchic designator (HL7 v2.5.1 section 2.A.33) the name alone.
fn name(part: Option<&String>) -> Value {
    Value::text(part.and_then(|part| part.split('^').next()))
}

/// Types with how often they were sent, the most frequent first.
fn types(types: &BTreeMap<String, u64>) -> Vec<String> {
    let mut types: Vec<_> = types.iter().collect();
    types.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let words = types.iter().map(|(kind, count)| format!("{count}× {kind}"));
    words.collect()
}

/// An AE title at an address.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct AeTitleRow {
    /// The address that uses it.
    pub address: IpAddr,
    /// The title and what it did.
    pub ae_title: AeTitle,
}

/// All AE titles, by host.
#[must_use]
pub fn ae_titles(hosts: &[HostReport]) -> Vec<AeTitleRow> {
    let rows = hosts.iter().flat_map(|host| {
        host.ae_titles.iter().map(|title| AeTitleRow {
            address: host.address,
            ae_title: title.clone(),
        })
    });
    rows.collect()
}

impl AeTitleRow {
    fn times(&self) -> Option<(Time, Time)> {
        Some((self.ae_title.first_seen?, self.ae_title.last_seen?))
    }
}

impl Item for AeTitleRow {
    const WHAT: &'static str = "AE titles";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("title", 0, |it| Value::Text(it.ae_title.title.clone())),
        Column::new("address", 0, |it| Value::Address(it.address, None)),
        Column::text("as", 1, |it| {
            let sides = [
                ("caller", it.ae_title.requestor),
                ("called", it.ae_title.acceptor),
            ];
            Value::list(sides.iter().filter(|(_, is)| *is).map(|(word, _)| word))
        }),
        Column::text("implementation", 2, |it| {
            Value::text(it.ae_title.implementation.as_ref())
        }),
        Column::new("first-seen", 4, |it| Value::time(it.ae_title.first_seen)),
        Column::new("last-seen", 3, |it| Value::time(it.ae_title.last_seen)),
    ];
    const FILTERS: &'static [Filter] = Filter::OF_HOSTS;

    fn subject(&self) -> Subject {
        Subject {
            addresses: vec![self.address],
            names: vec![self.ae_title.title.clone()],
            time: self.times(),
            ..Subject::default()
        }
    }
}
