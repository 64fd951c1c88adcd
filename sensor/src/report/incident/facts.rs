//! What a report is made of, and how it is gathered from flows and the audit trail.

use std::{collections::BTreeMap, net::IpAddr};

use serde::{Deserialize, Serialize};

use crate::{
    alert::Alert,
    audit::{Action, Entry},
    event::{Body, Event, Time},
    inventory::HostReport,
    response::{Actor, Effect, RuleId},
    store::{Contact, is_refused},
};

/// All that a report is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// When the report is made.
    pub made: Time,
    /// For whom.
    pub by: Actor,
    /// The alert.
    pub alert: Alert,
    /// All other alerts of the time.
    pub alerts: Vec<Alert>,
    /// Who talked to whom; one row may be before the first finding and another one after it.
    pub contacts: Vec<Contact>,
    /// DICOM, HL7 and TLS events.
    pub sessions: Vec<Event>,
    /// Devices.
    pub hosts: Vec<HostReport>,
    /// The audit trail.
    pub trail: Collected,
    /// Rules that have not ended.
    pub rules: Vec<RuleNow>,
    /// Where contacts and sessions come from.
    pub evidence: Evidence,
    /// What the trail's chain and checkpoints say.
    pub seal: Seal,
}

/// A rule that has not ended.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleNow {
    /// It.
    pub id: RuleId,
    /// Packets that it dropped.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Whether it works.
    pub effect: Effect,
}

/// Where contacts and sessions come from, and what is known to be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The first moment of which there is any.
    pub since: Option<Time>,
    /// The moment from which on it was wanted.
    pub wanted: Time,
    /// Each thing that is missing, in a sentence.
    pub missing: Vec<String>,
}

/// What the trail's chain and checkpoints say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// Entries.
    pub entries: u64,
    /// Hash of the last entry, BLAKE3 in hex.
    pub head: String,
    /// The last entry that a checkpoint signs; 0 without any.
    pub signed: u64,
    /// The public key that signs, Ed25519 in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What is wrong with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flaw: Option<String>,
}

/// What was in force at a moment, by the trail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Force {
    /// Version of the daemon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// BLAKE3 of the configuration, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    /// Interfaces with their roles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interfaces: Vec<String>,
    /// The model's file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// SHA-256 of it, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_sha256: Option<String>,
}

impl Force {
    fn follow(&mut self, action: &Action) {
        match action {
            Action::Started {
                version,
                config,
                interfaces,
                ..
            } => {
                *self = Self {
                    version: Some(version.clone()),
                    config: Some(config.clone()),
                    interfaces: interfaces.clone(),
                    ..Self::default()
                };
            }
            Action::ModelLoaded { name, sha256, .. }
            | Action::ModelRolledBack { name, sha256, .. } => {
                self.model = Some(name.clone());
                self.model_sha256 = Some(sha256.clone());
            }
            _ => {}
        }
    }
}

/// The part of the audit trail that matters to a report. Entries are to be given in order, all of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Collected {
    /// What was in force when the alert opened.
    pub force: Force,
    /// Entries from `from` to `until`.
    pub entries: Vec<Entry>,
    /// When the daemon was not there, in that time: from, until, and whether it ended in order.
    pub absent: Vec<(Time, Time, bool)>,
    from: Time,
    opened: Time,
    until: Time,
    last: Option<(Time, bool)>,
}

impl Collected {
    /// Nothing so far: entries between `from` and `until` are wanted, and what was in force at `opened`.
    #[must_use]
    pub fn between(from: Time, opened: Time, until: Time) -> Self {
        Self {
            from,
            opened,
            until,
            ..Self::default()
        }
    }

    /// Takes an entry.
    pub fn take(&mut self, entry: Entry) {
        if entry.time <= self.opened {
            self.force.follow(&entry.action);
        }
        if matches!(entry.action, Action::Started { .. })
            && let Some((last, in_order)) = self.last
            && entry.time > self.from
            && last < self.until
        {
            self.absent.push((last, entry.time, in_order));
        }
        self.last = Some((entry.time, matches!(entry.action, Action::Stopped)));
        if (self.from..=self.until).contains(&entry.time) {
            self.entries.push(entry);
        }
    }
}

/// Contacts by flow events. What began before `split` and what began later stays apart; of each flow only the last
/// report counts.
pub fn contacts<'a>(events: impl IntoIterator<Item = &'a Event>, split: Time) -> Vec<Contact> {
    let mut last: BTreeMap<u64, &Event> = BTreeMap::new();
    for event in events {
        let Some(id) = event.flow_id else { continue };
        let newer = last
            .get(&id)
            .is_none_or(|before| before.timestamp <= event.timestamp);
        if newer {
            last.insert(id, event);
        }
    }
    type Key<'a> = (bool, IpAddr, IpAddr, &'a str, Option<u16>, Option<&'a str>);
    let mut contacts: BTreeMap<Key<'_>, Contact> = BTreeMap::new();
    for event in last.into_values() {
        let (Body::Flow { flow }, Some(client), Some(server), Some(proto)) =
            (&event.body, event.src_ip, event.dest_ip, &event.proto)
        else {
            continue;
        };
        let key = (
            flow.start >= split,
            client,
            server,
            &**proto,
            event.dest_port,
            flow.app_proto.as_deref(),
        );
        let refused = is_refused(event, flow);
        let one = contacts.entry(key).or_insert_with(|| Contact {
            client,
            server,
            proto: proto.clone(),
            port: event.dest_port,
            app: flow.app_proto.clone(),
            first: flow.start,
            last: flow.end,
            flows: 0,
            refused: 0,
            bytes_to_server: 0,
            bytes_to_client: 0,
        });
        one.first = one.first.min(flow.start);
        one.last = one.last.max(flow.end);
        one.flows += 1;
        one.refused += u64::from(refused);
        one.bytes_to_server += flow.to_server.bytes;
        one.bytes_to_client += flow.to_client.bytes;
    }
    contacts.into_values().collect()
}

/// One list of two, each of which may lack what the other has: of equal contacts the greater amounts count.
pub fn joined(first: Vec<Contact>, second: Vec<Contact>, split: Time) -> Vec<Contact> {
    let mut joined: Vec<Contact> = first;
    let mut places = std::collections::HashMap::new();
    let key = |one: &Contact| {
        (
            one.last < split,
            one.client,
            one.server,
            one.proto.clone(),
            one.port,
            one.app.clone(),
        )
    };
    for (place, one) in joined.iter().enumerate() {
        places.insert(key(one), place);
    }
    for one in second {
        let Some(place) = places.get(&key(&one)) else {
            joined.push(one);
            continue;
        };
        let known = &mut joined[*place];
        known.first = known.first.min(one.first);
        known.last = known.last.max(one.last);
        if one.flows > known.flows {
            (known.flows, known.refused) = (one.flows, one.refused);
        }
        known.bytes_to_server = known.bytes_to_server.max(one.bytes_to_server);
        known.bytes_to_client = known.bytes_to_client.max(one.bytes_to_client);
    }
    joined
}
