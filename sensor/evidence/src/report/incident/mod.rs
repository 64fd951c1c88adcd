//! The report of an incident: what is known of an alert and all that belongs to it, as plain data.
//!
//! [`Incident::of`] makes it of [`Facts`] and of nothing else, so the same facts give the same report. Nothing in it
//! says that there was a breach: that is for people to find, and the report says by when.

mod contacts;
mod containment;
mod dates;
mod document;
mod done;
mod exchange;
mod facts;
mod limits;
mod recovery;
mod scope;
mod spread;
mod summary;
mod system;
mod timeline;

#[cfg(test)]
mod tests;

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

pub use contacts::{contacts, joined};
pub use containment::{Approval, Contained, Containment, End, Held, Measure};
pub use dates::{Dates, Factor};
pub use exchange::Exchange;
pub use facts::{Collected, Evidence, Facts, Force, RuleNow, Seal};
pub use recovery::{Recovery, Step, Turn};
pub use spread::{Reached, Spread};
pub use system::{Amount, Part, Peer, ServiceSeen, System};
pub use timeline::{Good, Happened, What};

pub use scope::LEAD;
use scope::Scope;
use sensor_facts::{
    alert::{Label, Severity},
    finding::AttackRole,
    rule::Actor,
    time::Time,
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
    /// A finding or a contact connects it with this one; else it only falls into the time.
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
    /// The alert.
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
    /// Suspects, those that suffered, and those that were in contact with either.
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
    /// Makes the report.
    #[must_use]
    pub fn of(facts: &Facts) -> Self {
        let scope = Scope::of(facts);
        let timeline = timeline::of(facts, &scope);
        let (peers, peers_cut) = system::peers(facts, &scope);
        let spread = spread::of(facts, &scope);
        let containment = containment::of(facts, &scope);
        let alert = &facts.alert;
        let other = |one: &sensor_facts::alert::Alert| Other {
            id: one.id,
            device: one.device,
            role: one.role,
            connected: scope.is_part(one),
            opened: one.opened,
            title: one.title.clone(),
        };
        let mut incident = Self {
            v: VERSION,
            pseudonymised: false,
            alert: About {
                id: alert.id,
                device: alert.device,
                role: alert.role,
                severity: alert.severity,
                confidence: alert.confidence,
                title: alert.title.clone(),
                opened: alert.opened,
                updated: alert.updated,
                closed: alert.closed,
                suppressed: alert.suppressed,
                techniques: alert.techniques.clone(),
                check: alert.check.clone(),
                label: alert.label.clone(),
            },
            patient_zero: scope.zero.map(|zero| system::of(facts, &scope, zero)),
            begin: scope.begin,
            summary: Vec::new(),
            others: facts.alerts.iter().map(other).collect(),
            timeline: timeline.happened,
            timeline_cut: timeline.cut,
            systems: system::all(facts, &scope, &peers, &spread),
            exchanges: exchange::of(facts, &scope),
            recovery: Recovery::default(),
            dates: dates::of(facts, &scope),
            unknown: limits::of(facts, &scope, &containment),
            provenance: Provenance {
                time: facts.made,
                by: facts.by.clone(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                force: facts.trail.force.clone(),
                seal: facts.seal.clone(),
            },
            peers,
            peers_cut,
            spread,
            containment,
        };
        incident.dates.factors = dates::factors(&incident);
        incident.recovery = recovery::of(&incident);
        incident.summary = summary::of(facts, &scope, &incident);
        incident
    }
}
