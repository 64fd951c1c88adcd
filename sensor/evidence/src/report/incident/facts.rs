//! What a report is made of.

use sensor_facts::{
    action::Action,
    alert::Alert,
    contact::Contact,
    effect::Effect,
    event::Event,
    incident::Incident,
    rule::{Actor, RuleId},
    time::Time,
};
use sensor_sessions::inventory::HostReport;
use serde::{Deserialize, Serialize};

use crate::audit::Entry;

/// All that a report is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// When the report is made.
    pub made: Time,
    /// For whom.
    pub by: Actor,
    /// The alert that was asked for, or the first one of the incident.
    pub alert: Alert,
    /// The incident that it belongs to; none of an alert that opened none.
    pub incident: Option<Incident>,
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
    /// The rule's number.
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
            Action::ModelLoaded(model) | Action::ModelRolledBack(model) => {
                self.model = Some(model.name.clone());
                self.model_sha256 = Some(model.sha256.clone());
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
