//! What a compliance report contains.

use std::{collections::BTreeMap, net::IpAddr};

use sensor_analysis::exposure::Exposed;
use sensor_facts::{action::ConfigurationChange, finding::AttackRole, time::Time};
use sensor_sessions::inventory::Role;
use serde::{Deserialize, Serialize};

/// The report. The JSON form of it is this.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Compliance {
    /// When it was made.
    pub time: Time,
    /// Begin of the time that it is about.
    pub since: Time,
    /// End of it.
    pub until: Time,
    /// Version of the daemon.
    pub version: String,
    /// Addresses and names are pseudonyms.
    pub pseudonymised: bool,
    /// When and how well the network was listened to.
    pub coverage: Coverage,
    /// What was seen.
    pub inventory: Inventory,
    /// Who exchanges clinical data with whom.
    pub exchanges: Exchanges,
    /// Alerts, and what was done about them.
    pub incidents: Incidents,
    /// What people and policy did.
    pub acts: Acts,
    /// The audit trail.
    pub trail: TrailState,
    /// Devices that were looked at, and the most exposed of them.
    pub exposure: ExposureTop,
    /// What is missing in this report, and why.
    pub missing: Vec<String>,
}

/// When and how well the network was listened to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// The daemon's runs that touch the time.
    pub runs: Vec<Run>,
    /// Times without a daemon.
    pub gaps: Vec<Gap>,
    /// Seconds that it listened.
    pub listened_seconds: u64,
    /// Seconds of the time.
    pub seconds: u64,
    /// Counters: how much they rose between the first and the last that were kept of the time.
    pub counters: BTreeMap<String, u64>,
    /// When the first of them was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted_since: Option<Time>,
    /// When the last was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted_until: Option<Time>,
    /// What was lost or left out, by cause; causes without losses too.
    pub losses: Vec<Loss>,
}

/// A run of the daemon.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// When it began to listen.
    pub since: Time,
    /// When it ended; for one that was killed its last sign of life. None while it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// It ended in order, or goes on.
    pub orderly: bool,
    /// Its version.
    pub version: String,
    /// BLAKE3 of its configuration, in hex.
    pub config: String,
    /// Its interfaces, with role and mode.
    pub interfaces: Vec<String>,
    /// What was not as the trail said when it began, and was put right.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<String>,
}

/// A time without a daemon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// From then.
    pub since: Time,
    /// Until then.
    pub until: Time,
    /// Why, in words.
    pub why: String,
}

/// What was lost or left out for one cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// The counter.
    pub counter: String,
    /// What it counts.
    pub what: String,
    /// How many.
    pub count: u64,
}

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Inventory {
    /// Devices of the site that were seen within the time.
    pub devices: u64,
    /// Of these, seen first within it.
    pub new: u64,
    /// By role.
    pub roles: BTreeMap<String, u64>,
    /// Those that spoke a clinical protocol or have a clinical role.
    pub clinical: Vec<ClinicalDevice>,
}

/// A device of the ePHI map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClinicalDevice {
    /// Its address.
    pub address: IpAddr,
    /// A name that it gave itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_name: Option<String>,
    /// What it is.
    pub role: Role,
    /// How sure that is, 0 to 1.
    pub confidence: f64,
    /// It spoke DICOM in clear text.
    pub clear_dicom: bool,
    /// It spoke HL7 in clear text.
    pub clear_hl7: bool,
    /// It spoke TLS, about whatever.
    pub tls: bool,
}

/// Who exchanges clinical data with whom.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Exchanges {
    /// Pairs of devices about one service, those with the most bytes first.
    pub pairs: Vec<Exchange>,
    /// Pairs in clear text.
    pub clear: u64,
    /// Pairs that are encrypted.
    pub encrypted: u64,
    /// Pairs left out of the list because they were too many.
    pub omitted: u64,
}

/// Two devices that exchange clinical data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// Who opens the connections.
    pub client: IpAddr,
    /// To whom.
    pub server: IpAddr,
    /// The port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// `dicom` or `hl7`.
    pub app: String,
    /// It is TLS: the port alone says what is likely inside.
    pub encrypted: bool,
    /// Connections; none where only the inventory tells of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flows: Option<u64>,
    /// Bytes of both directions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// The last packet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Time>,
}

/// Alerts, and what was done about them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Incidents {
    /// Alerts by severity.
    pub severities: BTreeMap<String, u64>,
    /// Of all, labelled malicious.
    pub malicious: u64,
    /// Of all, labelled benign: false alarms.
    pub benign: u64,
    /// Of all, not labelled by anyone.
    pub unlabelled: u64,
    /// Each, the oldest first.
    pub alerts: Vec<Incident>,
    /// Seconds from the first finding to the policy's decision: half of the alerts needed less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub median_to_decision: Option<f64>,
    /// Seconds to the first rule that drops.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub median_to_containment: Option<f64>,
    /// Seconds to when it was seen that the rule works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub median_to_effect: Option<f64>,
    /// Seconds to a person's label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub median_to_label: Option<f64>,
}

/// An alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// Its number.
    pub id: u64,
    /// The device.
    pub device: IpAddr,
    /// Whether the device is suspected or the victim.
    pub role: AttackRole,
    /// How urgent.
    pub severity: String,
    /// In a line.
    pub title: String,
    /// The first finding.
    pub opened: Time,
    /// The policy's first decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<Time>,
    /// `act`, `propose`, `would_act`, `wait` or `no_action`: the last decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
    /// Rules about it.
    pub rules: Vec<u64>,
    /// When the first of them dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contained: Option<Time>,
    /// When it was seen that one works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective: Option<Time>,
    /// When the last of them ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifted: Option<Time>,
    /// What a person said: `benign` or `malicious`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// When the person said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labelled: Option<Time>,
}

/// What people and policy did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acts {
    /// The policy's decisions, by verdict.
    pub decisions: BTreeMap<String, u64>,
    /// Rules: made, approved, changed, ended.
    pub containment: Vec<Act>,
    /// What was asked for and refused.
    pub refusals: Vec<Act>,
    /// The never-block list.
    pub protections: Vec<Act>,
    /// Labels of alerts.
    pub labels: Vec<Act>,
    /// Models put in use, or not taken.
    pub models: Vec<Act>,
    /// The configuration that each start had, where it was another than before.
    pub configurations: Vec<Act>,
    /// Changes of the configuration key by key, and reloads that failed.
    #[serde(default)]
    pub settings: Vec<Settings>,
    /// Exports and reports given out.
    pub exports: Vec<Act>,
    /// Advisories imported and judged; baselines begun anew.
    pub other: Vec<Act>,
}

/// Something that was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// Its entry in the audit trail.
    pub entry: u64,
    /// When it was done.
    pub time: Time,
    /// Who did it.
    pub by: String,
    /// What, in words.
    pub what: String,
    /// Why, in words, where someone had to say so.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// The configuration was read again, or was another one at a start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// When, and by whom.
    #[serde(flatten)]
    pub act: Act,
    /// What changed; none if the reload failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<ConfigurationChange>,
}

/// The audit trail, as it was verified for this report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrailState {
    /// Nothing in it was changed, removed or put elsewhere.
    pub whole: bool,
    /// What is wrong with it, or why it could not be verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flaw: Option<String>,
    /// Entries.
    pub entries: u64,
    /// Of these, within the time.
    pub within: u64,
    /// Hash of the last.
    pub head: String,
    /// The last entry that was signed.
    pub signed: u64,
    /// The public key, hexadecimal: it has to be the one that is kept elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The first entry's time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Time>,
}

/// The most exposed devices.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExposureTop {
    /// Devices that were looked at.
    pub devices: u64,
    /// Those with a weakness.
    pub weak: u64,
    /// The most exposed.
    pub top: Vec<Exposed>,
}
