//! What the control socket answers: JSON over HTTP, one version of it.
//!
//! Flows and sessions are the events of `docs/events.schema.json`, so that a program reads one schema
//! wherever it gets them.

use std::{collections::BTreeMap, net::IpAddr};

use serde::{Deserialize, Serialize};

use crate::{
    alert::{Headline, Verdict},
    baseline::Progress,
    event::Time,
    inventory::HostReport,
    model::Row,
    response::{Actor, Effect, Protected, Rule, RuleId, Scope, Target},
};

/// Answers [`Status`].
pub const STATUS: &str = "/v1/status";
/// Answers a [`Page`] of events.
pub const FLOWS: &str = "/v1/flows";
/// Answers a [`Page`] of events; [`Query::protocol`] chooses.
pub const SESSIONS: &str = "/v1/sessions";
/// Answers a [`Page`] of [`HostReport`]; `/ADDRESS` below it, IP or Ethernet, one of [`DeviceReport`].
pub const DEVICES: &str = "/v1/devices";

/// Answers a [`Page`] of [`Alert`](crate::alert::Alert), the latest first; `/ID` below it one of them, and
/// `/ID/label` takes a [`NewLabel`].
pub const ALERTS: &str = "/v1/alerts";
/// Answers a [`Page`] of [`Case`](crate::alert::Case), the one labelled last first.
pub const CASES: &str = "/v1/cases";
/// `/ADDRESS` below it answers a device's [`Progress`](crate::baseline::Progress); `/ADDRESS/reset` takes a
/// [`Reason`] and forgets what is usual of it.
pub const BASELINES: &str = "/v1/baselines";

/// Answers a [`Page`] of [`RuleView`]; takes a [`NewRule`]. `/ID/enable`, `/ID/disable`, `/ID/approve`,
/// `/ID/remove` and `/release-all` below it take a [`Reason`].
pub const RULES: &str = "/v1/rules";
/// Answers a [`Page`] of [`ProtectedEntry`]; takes a [`NewProtection`], and at `/remove` an
/// [`Unprotecting`].
pub const PROTECTED: &str = "/v1/protected";

/// Answers a [`model::Summary`](crate::model::Summary). `/load` below it takes a [`NewModel`], `/rollback` a [`Reason`],
/// and both answer a [`model::Loaded`](crate::model::Loaded). `/compare` takes a [`NewModel`] too, changes nothing, and
/// answers a [`Comparison`](crate::model::Comparison), or null where no model is in use.
pub const MODELS: &str = "/v1/models";

/// Answers [`ExportedRow`]s, as [`Wanted`] says.
pub const EXPORTED_ROWS: &str = "/v1/exports/rows";

/// `/ID` below it answers the [`Incident`](crate::report::incident::Incident) of an alert, as [`Reporting`] says.
pub const INCIDENTS: &str = "/v1/reports/incident";

/// How a report is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reporting {
    /// With pseudonyms for addresses and names.
    pub pseudonymise: bool,
}

/// Answers an [`Exposure`](crate::exposure::Exposure); `/ADDRESS` below it an [`Exposed`](crate::exposure::Exposed).
pub const EXPOSURE: &str = "/v1/exposure";
/// Answers all [`Advisory`](crate::exposure::advisory::Advisory); takes a [`NewAdvisory`]. `/matches` below it answers
/// [`Matches`](crate::exposure::advisory::Matches), `/judge` takes a [`NewJudgement`], `/remove` an [`OldAdvisory`].
pub const ADVISORIES: &str = "/v1/advisories";

/// Answers a [`Compliance`](crate::report::compliance::Compliance) report, as [`Past`] says.
pub const COMPLIANCE: &str = "/v1/reports/compliance";

/// The time that a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Past {
    /// Its begin, seconds ago.
    pub since: u64,
    /// Its end, seconds ago.
    #[serde(default)]
    pub until: u64,
    /// Under pseudonyms: see [`under`].
    #[serde(default)]
    pub pseudonymise: bool,
}

/// The request target of a compliance report.
#[must_use]
pub fn compliance(since: u64, until: u64) -> String {
    format!("{COMPLIANCE}?since={since}&until={until}")
}

/// An advisory to be imported.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NewAdvisory {
    /// A document of CSAF 2.0.
    pub text: String,
}

/// What a person says of an advisory and a device.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NewJudgement {
    /// The advisory's number.
    pub advisory: String,
    /// The device.
    pub device: IpAddr,
    /// Whether it is about it.
    pub verdict: crate::exposure::advisory::Verdict,
    /// Why, in words.
    pub reason: String,
}

/// An advisory to be taken away.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OldAdvisory {
    /// Its number.
    pub advisory: String,
    /// Why, in words.
    pub reason: String,
}

/// Answers the last [`Entry`](crate::audit::Entry)s of the trail, as [`Last`] says.
pub const AUDIT: &str = "/v1/audit";
/// Answers a [bundle](crate::audit::bundle) of the trail, as text, as [`Part`] says.
pub const EXPORTED_TRAIL: &str = "/v1/exports/audit";

/// How much of the trail is to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Last {
    /// Entries at most, up to [`LIMIT_MAX`].
    pub last: usize,
    /// Under pseudonyms: see [`under`].
    #[serde(default)]
    pub pseudonymise: bool,
}

/// Which part of the trail is to be exported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Part {
    /// Its begin, seconds ago; else the trail's.
    pub since: Option<u64>,
    /// Its end, seconds ago.
    pub until: u64,
    /// Under pseudonyms: see [`under`].
    pub pseudonymise: bool,
}

/// Which rows are to be exported, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Wanted {
    /// Those of labelled alerts; else the recorded ones.
    pub labelled: bool,
    /// Under pseudonyms: see [`under`].
    pub pseudonymise: bool,
}

/// A flow's features as they leave the site.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct ExportedRow {
    /// The flow.
    pub row: Row,
    /// What a person said of the alert that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Verdict>,
}

/// Most items that one page holds.
pub const LIMIT_MAX: usize = 1_000;

/// Hosts as a page.
pub type Devices = Page<HostReport>;

/// All that is known of a device.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct DeviceReport {
    /// What was seen.
    #[serde(flatten)]
    pub host: HostReport,
    /// How far its usual is learnt; none if it did nothing that is learnt from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Progress>,
}

/// Which part of a list is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Query {
    /// Items at most, up to [`LIMIT_MAX`].
    pub limit: usize,
    /// Items to leave out.
    pub offset: usize,
    /// For sessions: `dicom`, `hl7` or `tls`; all without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// Under pseudonyms: see [`under`].
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub pseudonymise: bool,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            limit: 100,
            offset: 0,
            protocol: None,
            pseudonymise: false,
        }
    }
}

/// The request target of a list.
#[must_use]
pub fn target(path: &str, query: &Query) -> String {
    let protocol = query
        .protocol
        .as_ref()
        .map_or_else(String::new, |name| format!("&protocol={name}"));
    let list = format!(
        "{path}?limit={}&offset={}{protocol}",
        query.limit, query.offset
    );
    under(&list, query.pseudonymise)
}

/// The request target of an answer under pseudonyms: each question may have `pseudonymise=true`, and then there are no
/// addresses, names and words of people in what is answered.
#[must_use]
pub fn under(target: &str, pseudonymise: bool) -> String {
    let and = if target.contains('?') { '&' } else { '?' };
    if pseudonymise {
        format!("{target}{and}pseudonymise=true")
    } else {
        target.to_owned()
    }
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Page<T> {
    /// Items that there are.
    pub total: usize,
    /// Those asked for.
    pub items: Vec<T>,
}

impl<T> Page<T> {
    /// The part of `items` that `query` asks for.
    #[must_use]
    pub fn of(items: Vec<T>, query: &Query) -> Self {
        let total = items.len();
        let limit = query.limit.min(LIMIT_MAX);
        Self {
            total,
            items: items.into_iter().skip(query.offset).take(limit).collect(),
        }
    }
}

/// A rule with what it does.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct RuleView {
    /// The rule.
    #[serde(flatten)]
    pub rule: Rule,
    /// What it has hit.
    pub hits: Hits,
    /// Whether it works.
    pub effect: Effect,
}

/// What a rule has dropped, or would have.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Hits {
    /// Packets dropped.
    pub packets: u64,
    /// Their bytes, from the Ethernet header on.
    pub bytes: u64,
    /// Packets that a dry run would have dropped.
    pub would_packets: u64,
    /// Their bytes.
    pub would_bytes: u64,
    /// Time of the last of either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Time>,
}

/// A rule that is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NewRule {
    /// What it is to block.
    pub target: Target,
    /// How much of that.
    #[serde(default)]
    pub scope: Scope,
    /// For how long, seconds.
    pub ttl: u64,
    /// Why, in words.
    pub reason: String,
    /// It is only to count what it would drop.
    #[serde(default)]
    pub dry_run: bool,
    /// It is to stay in force while the daemon is gone.
    #[serde(default)]
    pub sticky: bool,
}

/// A rule that was made or changed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Added {
    /// The rule as it is now; none if it was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleView>,
    /// It was there already and lasts longer now.
    #[serde(default)]
    pub extended: bool,
    /// What has to be known about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}

/// Why something is done, in words.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// They.
    pub reason: String,
}

/// What an alert was.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NewLabel {
    /// It.
    pub verdict: crate::alert::Verdict,
    /// Why, in words.
    pub reason: String,
}

/// A model that is to be put in use.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NewModel {
    /// The name of its file, without folders.
    pub name: String,
    /// The ONNX file, in base64 (RFC 4648 section 4).
    pub graph: String,
    /// Its manifest, JSON as text.
    pub manifest: String,
    /// Why, in words.
    pub reason: String,
    /// Only if it is no worse than the one in use, on the labelled cases and the latest flows.
    #[serde(default)]
    pub no_worse: bool,
}

/// An entry of the never-block list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct ProtectedEntry {
    /// What is protected.
    pub what: Protected,
    /// Why, in words.
    pub reason: String,
    /// By whom.
    pub by: Actor,
    /// Since when.
    pub since: Time,
    /// The configuration protects it.
    pub configured: bool,
}

/// What is to be protected.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NewProtection {
    /// It.
    pub what: Protected,
    /// Why, in words.
    pub reason: String,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Protecting {
    /// Rules that it made void; they ended.
    pub ended: Vec<RuleId>,
}

/// What is to be protected no more.
pub type Unprotecting = NewProtection;

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
    pub model: crate::model::Summary,
    /// Where events go.
    pub outputs: Vec<OutputStatus>,
    /// How the store stands, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<crate::store::StoreStatus>,
    /// What is wrong or likely to mislead, in words.
    pub warnings: Vec<String>,
}

/// An interface.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct InterfaceStatus {
    /// Its name.
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
    /// All kernel counters, by name.
    pub counters: BTreeMap<String, u64>,
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
    /// Room in it.
    pub established_capacity: u64,
    /// Entries in the table of new flows.
    pub fresh: u64,
    /// Room in it.
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
    /// Alerts that were kept back since the start because the budget was used up.
    pub kept_back: u64,
    /// Findings that were excepted since the start.
    pub excepted: u64,
    /// Exceptions in force.
    pub exceptions: u64,
    /// Observations that did not get to the detectors.
    pub lost: u64,
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
    /// Why what was learnt can't be written now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing: Option<String>,
}

/// A device of which nothing is learnt.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Frozen {
    /// It.
    pub address: IpAddr,
    /// Until then.
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
    /// Interfaces at which rules drop.
    pub enforcing: Vec<String>,
    /// The audit trail.
    pub trail: String,
    /// Its entries.
    pub entries: u64,
    /// Entries that wait for the disk.
    pub waiting: u64,
    /// Entries that were dropped because too many waited.
    pub dropped: u64,
    /// Why it can't be written now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing: Option<String>,
}

/// Where events go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct OutputStatus {
    /// Which output.
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

/// An error, with any status other than 200.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Failure {
    /// What is wrong.
    pub error: String,
}
