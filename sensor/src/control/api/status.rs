//! The status of the daemon.

use std::{collections::BTreeMap, net::IpAddr};

use sensor_analysis::alert::Headline;
use sensor_facts::time::Time;
use serde::{Deserialize, Serialize};

/// How the daemon fares.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Status {
    /// Version of the daemon.
    pub version: String,
    /// When it began to listen.
    pub start: Time,
    /// When this was measured.
    pub time: Time,
    /// The interfaces.
    pub interfaces: Vec<InterfaceStatus>,
    /// The ring buffer, by kind of event.
    pub ring: Vec<RingStatus>,
    /// The flow tables.
    pub flows: FlowStatus,
    /// Counters of the pipeline, by name.
    pub pipeline: BTreeMap<String, u64>,
    /// What is suspected, and how far the usual is learnt.
    pub detection: DetectionStatus,
    /// Rules, and what they do.
    pub containment: ContainmentStatus,
    /// The anomaly model.
    pub model: sensor_analysis::model::Summary,
    /// Where events go.
    pub outputs: Vec<OutputStatus>,
    /// How the store stands, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<sensor_evidence::store::StoreStatus>,
    /// The configuration in force.
    #[serde(default)]
    pub configuration: ConfigurationStatus,
    /// What is wrong or likely to mislead, in words.
    pub warnings: Vec<String>,
}

/// The configuration in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct ConfigurationStatus {
    /// BLAKE3 of it, in hex.
    pub config: String,
    /// When it was put in force.
    pub since: Time,
    /// Keys that are another in the file and take a restart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restart: Vec<String>,
    /// When a reload failed, if that was the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<Time>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// An interface.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct InterfaceStatus {
    /// Name of the interface.
    pub name: String,
    /// `mirror` or `inline`.
    pub role: String,
    /// `driver` or `generic`.
    pub mode: String,
    /// Frames may come in several buffers, of which the first is read.
    pub frags: bool,
    /// Why it is not the best mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
    /// It is switched on and has a carrier.
    #[serde(default)]
    pub link: bool,
    /// Mean rates of the last seconds, minute and hour.
    #[serde(default)]
    pub rates: Vec<crate::live::mirror::Rate>,
    /// When the last packet came, to the second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_packet: Option<Time>,
    /// What is wrong with what it brings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<sensor_facts::mirror::Standing>,
    /// All kernel counters, by name.
    pub counters: BTreeMap<String, u64>,
    /// Packets that carry no IP that could be read, by what they are, as `EtherType 0x88e5: MACsec`; the most
    /// frequent kinds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unread: BTreeMap<String, u64>,
}

/// Events of one kind in the ring buffer. At a quiet moment `offered = received + lost`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct RingStatus {
    /// `flow` or `chunk`.
    pub kind: String,
    /// Offered by the kernel.
    pub offered: u64,
    /// Received by the daemon.
    pub received: u64,
    /// Not taken by the ring, being full.
    pub lost: u64,
}

/// The flow tables.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct FlowStatus {
    /// Entries in the table of established flows.
    pub established: u64,
    /// Entries that this table has room for.
    pub established_capacity: u64,
    /// Entries in the table of new flows.
    pub fresh: u64,
    /// Entries that this table has room for.
    pub fresh_capacity: u64,
    /// New flows that made room for others, unreported.
    pub evicted: u64,
    /// Only clinical flows may enter the table of established flows.
    pub pressure: bool,
}

/// What is suspected, and how far the usual is learnt.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct DetectionStatus {
    /// Findings since the start, by detector.
    pub findings: BTreeMap<String, u64>,
    /// Detectors that the configuration switches off.
    pub off: Vec<String>,
    /// Alerts that people were told of and that go on, by severity.
    pub open: BTreeMap<String, u64>,
    /// The last alert that people were told of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Headline>,
    /// Incidents that go on, by severity.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub incidents: BTreeMap<String, u64>,
    /// Alerts that are listed as suppressed, because the budget was used up.
    pub suppressed: u64,
    /// Findings that were excepted since the start.
    pub excepted: u64,
    /// Of these, findings that would have been of high or critical severity.
    #[serde(default)]
    pub excepted_high: u64,
    /// Exceptions in force.
    pub exceptions: u64,
    /// Observations that did not get to the detectors.
    pub lost: u64,
    /// Suspects that detectors forgot to make room for others.
    #[serde(default)]
    pub suspects_evicted: u64,
    /// Share of the site's learning time that has passed, 0 to 1.
    pub site_learnt: f64,
    /// When it has passed; none before anything was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site_until: Option<Time>,
    /// Devices whose learning time has passed.
    pub learnt: u64,
    /// Devices in their learning time.
    pub learning: u64,
    /// Devices that are suspected: nothing is learnt of them.
    pub frozen: u64,
    /// The first of these.
    pub frozen_first: Vec<Frozen>,
    /// Devices that were dropped because they were too many.
    pub evicted: u64,
    /// Bytes that the baselines take.
    pub bytes: u64,
    /// How the budget of false alerts of `unusual_behaviour` was spent in the last 24 hours, where the detector is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spending: Option<sensor_analysis::behaviour::Spending>,
    /// Why what was learnt can't be written now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing: Option<String>,
}

/// A device of which nothing is learnt.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Frozen {
    /// Address of the device.
    pub address: IpAddr,
    /// When its baseline is no longer frozen.
    pub until: Time,
}

/// Rules, and what they do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct ContainmentStatus {
    /// Rules by state.
    pub rules: BTreeMap<String, u64>,
    /// Rules that drop, by whether they work.
    pub effects: BTreeMap<String, u64>,
    /// Entries of the never-block list.
    pub protected: u64,
    /// Packets and ring events of the last minute.
    #[serde(default)]
    pub offered: u64,
    /// How many of these were lost to the evidence: beyond `containment.max_loss_percent` nothing is contained by itself.
    #[serde(default)]
    pub lost: u64,
    /// Interfaces at which rules drop.
    pub enforcing: Vec<String>,
    /// The audit trail's file.
    pub trail: String,
    /// Entries of the audit trail that are on the disk.
    pub entries: u64,
    /// Entries that wait for the disk.
    pub waiting: u64,
    /// Entries that were dropped because too many waited.
    pub dropped: u64,
    /// Why it can't be written now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing: Option<String>,
    /// The segments of the audit trail.
    #[serde(default)]
    pub segments: TrailSegments,
}

/// The segments of the audit trail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct TrailSegments {
    /// The number of the one that is written; it was verified at the start.
    pub current: u64,
    /// Older ones that were there at the start.
    pub older: u64,
    /// Of these, those that were verified since.
    pub verified: u64,
    /// All of them were, and each follows the one before it.
    pub whole: bool,
    /// What is wrong with them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flaw: Option<String>,
    /// Bytes of all segments with their checkpoints.
    pub bytes: u64,
    /// The number of the last one that was removed; 0 if none was.
    pub removed_to: u64,
    /// Segments that were removed since the start and exported before.
    pub exported: u64,
    /// Segments that were removed since the start and exported nowhere.
    pub lost: u64,
    /// Why the oldest one can't be exported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export_failing: Option<String>,
}

/// Where events go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct OutputStatus {
    /// Name of the output.
    pub name: String,
    /// Where its events go: a file, standard output, a receiver.
    pub target: String,
    /// Events delivered.
    pub events: u64,
    /// Events that wait.
    pub waiting: u64,
    /// Events dropped, the queue being full.
    pub dropped_queue_full: u64,
    /// Events dropped, the write having failed.
    pub dropped_write_error: u64,
    /// Events sent once more after a connection broke.
    #[serde(default)]
    pub resent: u64,
    /// Why writing fails now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing: Option<String>,
}
