//! What the report of an incident contains.

use std::net::IpAddr;

use sensor_facts::{
    alert::{Label, Severity},
    finding::AttackRole,
    incident as facts,
    rule::Actor,
    time::Time,
};
use serde::{Deserialize, Serialize};

use super::{
    containment::Containment,
    dates::Dates,
    exchange::Exchange,
    facts::{Force, Seal},
    recovery::Recovery,
    spread::Spread,
    system::{Peer, System},
    timeline::Happened,
};

/// Version of the report's form.
pub const VERSION: u32 = 2;

/// The alert that the report is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// Its number.
    pub id: u64,
    /// The device that it is about.
    pub device: IpAddr,
    /// What part the device has in it.
    pub role: AttackRole,
    /// How urgent.
    pub severity: Severity,
    /// That at least one of its detectors is right, 0 to 1.
    pub confidence: f64,
    /// In a line.
    pub title: String,
    /// When its first finding was made.
    pub opened: Time,
    /// When its last one was.
    pub updated: Time,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Time>,
    /// Nobody was told: the day's budget was used up.
    pub suppressed: bool,
    /// ATT&CK techniques.
    pub techniques: Vec<String>,
    /// What to check before it is believed: each detector, and what would make it wrong.
    pub check: Vec<String>,
    /// What a person said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Label>,
}

/// Another alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Other {
    /// Its number.
    pub id: u64,
    /// The device that it is about.
    pub device: IpAddr,
    /// What part the device has in it.
    pub role: AttackRole,
    /// It belongs to the incident; else it only falls into the time.
    pub connected: bool,
    /// When its first finding was made.
    pub opened: Time,
    /// In a line.
    pub title: String,
}

/// By what and on what it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// When the report was made.
    pub time: Time,
    /// For whom.
    pub by: Actor,
    /// Version of the sensor that made it.
    pub version: String,
    /// What was in force when the alert opened.
    pub force: Force,
    /// The audit trail that it was made of.
    pub seal: Seal,
}

/// An incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// [`VERSION`].
    pub v: u32,
    /// Addresses and names are pseudonyms.
    #[serde(default)]
    pub pseudonymised: bool,
    /// The incident: its alerts and what connects them. None of an alert that opened none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<facts::Incident>,
    /// The alert that was asked for, or the first one of the incident.
    pub alert: About,
    /// The device that it began with, as far as is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patient_zero: Option<System>,
    /// The first finding of the incident: what came before counts as before.
    pub begin: Time,
    /// In a few sentences.
    pub summary: Vec<String>,
    /// Other alerts of the time.
    pub others: Vec<Other>,
    /// What happened, in order.
    pub timeline: Vec<Happened>,
    /// Things left out of it because they were too many.
    pub timeline_cut: u64,
    /// Suspects, victims, and those that were in contact with either.
    pub systems: Vec<System>,
    /// Whom the suspects talked to.
    pub peers: Vec<Peer>,
    /// Peers left out because they were too many.
    pub peers_cut: u64,
    /// How far it could have spread.
    pub spread: Spread,
    /// Data that went from and to the suspects.
    pub exchanges: Vec<Exchange>,
    /// What was done about it.
    pub containment: Containment,
    /// What to do now, in order.
    pub recovery: Recovery,
    /// The dates that the rules ask about.
    pub dates: Dates,
    /// What is not known.
    pub unknown: Vec<String>,
    /// By what and on what it stands.
    pub provenance: Provenance,
}

impl Incident {
    /// What a person said that it was.
    pub(super) fn label(&self) -> Option<&Label> {
        let whole = self.incident.as_ref();
        whole
            .and_then(|it| it.label.as_ref())
            .or(self.alert.label.as_ref())
    }

    /// ATT&CK techniques of all that belongs to it.
    pub(super) fn techniques(&self) -> &[String] {
        let whole = self.incident.as_ref();
        whole.map_or(&self.alert.techniques, |it| &it.techniques)
    }

    /// It goes on.
    pub(super) fn is_open(&self) -> bool {
        let whole = self.incident.as_ref();
        whole.map_or(self.alert.closed.is_none(), facts::Incident::is_open)
    }

    /// Why an alert belongs to it.
    pub(super) fn why(&self, alert: u64) -> String {
        let links = self.incident.iter().flat_map(|it| &it.links);
        let of = links.filter(|link| link.to == alert || link.from == alert);
        let mut all: Vec<String> = of.map(|link| link.because.to_string()).collect();
        all.dedup();
        if all.is_empty() {
            return "it is one of its alerts".to_owned();
        }
        all.join("; ")
    }
}
