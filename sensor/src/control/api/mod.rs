//! What the control socket answers: JSON over HTTP, one version of it.
//!
//! Flows and sessions are the events of `docs/events.schema.json`, so that a program reads one schema
//! wherever it gets them.

mod evidence;
mod incidents;
mod rules;
mod status;

use std::fmt::Write as _;

use sensor_analysis::baseline::Progress;
use sensor_facts::{alert::Severity, time::Time};
use sensor_sessions::inventory::HostReport;
use serde::{Deserialize, Serialize};

pub use evidence::{NewAdvisory, NewJudgement, OldAdvisory, Part, Past, Reporting, compliance};
pub use incidents::{
    ContainedIncident, LabelledAlerts, NewContainment, NewIncidentLabel, NewNote, NewSplit,
    OtherIncident, Proposed, RefusedProposal,
};
pub use rules::{
    Added, Hits, NewProtection, NewRule, ProtectedEntry, Protecting, RuleView, Unprotecting,
};
pub use status::{
    ConfigurationStatus, ContainmentStatus, DetectionStatus, FlowStatus, Frozen, InterfaceStatus,
    OutputStatus, RingStatus, Status, TrailSegments,
};

/// Answers [`Status`].
pub const STATUS: &str = "/v1/status";
/// Answers a [`Page`] of events.
pub const FLOWS: &str = "/v1/flows";
/// Answers a [`Page`] of events; [`Query::protocol`] chooses.
pub const SESSIONS: &str = "/v1/sessions";
/// Answers a [`Page`] of [`HostReport`]; `/ADDRESS` below it, IP or Ethernet, one of [`DeviceReport`].
pub const DEVICES: &str = "/v1/devices";

/// Answers a [`Page`] of senders of HL7 messages.
pub const HL7_SENDERS: &str = "/v1/hl7-senders";
/// Answers a [`Page`] of AE titles.
pub const AE_TITLES: &str = "/v1/ae-titles";

/// Answers a [`Page`] of [`Alert`](sensor_facts::alert::Alert), the latest first; `/ID` below it one of them, and
/// `/ID/label` takes a [`NewLabel`].
pub const ALERTS: &str = "/v1/alerts";
/// Answers a [`Page`] of [`Incident`](sensor_facts::incident::Incident), the latest first; `/ID` below it the
/// [`Story`](sensor_analysis::incident::Story) of one. `/ID/merge` takes an [`OtherIncident`], `/ID/split` a [`NewSplit`],
/// `/ID/close` a [`Reason`], `/ID/note` a [`NewNote`], and all answer the incident; `/ID/label` takes a
/// [`NewIncidentLabel`] and answers what it did, `/ID/contain` a [`NewContainment`] and answers a [`ContainedIncident`].
pub const INCIDENTS: &str = "/v1/incidents";
/// Answers a [`Page`] of [`Case`](sensor_analysis::alert::Case), the one labelled last first.
pub const CASES: &str = "/v1/cases";
/// Answers a [`Page`] of [`Exception`](sensor_analysis::alert::Exception); takes [`NewExceptions`], all or none, and answers
/// the exceptions made. `/ID/end` below it takes a [`Reason`] and answers the exception that ended.
pub const EXCEPTIONS: &str = "/v1/exceptions";
/// `/ADDRESS` below it answers a device's [`Progress`](sensor_analysis::baseline::Progress); `/ADDRESS/reset` takes a
/// [`Reason`] and forgets what is usual of it.
pub const BASELINES: &str = "/v1/baselines";

/// Answers a [`Page`] of [`RuleView`]; takes a [`NewRule`]. `/ID/enable`, `/ID/disable`, `/ID/approve`,
/// `/ID/remove` and `/release-all` below it take a [`Reason`].
pub const RULES: &str = "/v1/rules";
/// Answers a [`Page`] of [`ProtectedEntry`]; takes a [`NewProtection`], and at `/remove` an
/// [`Unprotecting`].
pub const PROTECTED: &str = "/v1/protected";

/// Answers a [`model::Summary`](sensor_analysis::model::Summary). `/load` below it takes a [`NewModel`], `/rollback` a [`ModelBack`],
/// and both answer a [`model::Loaded`](sensor_analysis::model::Loaded). `/compare` takes a [`NewModel`] too, changes nothing, and
/// answers a [`Comparison`](sensor_analysis::model::Comparison), or null where no model is in use.
pub const MODELS: &str = "/v1/models";

/// Answers the [`ExportedRow`](sensor_analysis::model::ExportedRow)s of the flows of late that a [`Query`] asks for, all at once.
pub const EXPORTED_ROWS: &str = "/v1/exports/rows";
/// The same of the flows of labelled alerts.
pub const LABELLED_ROWS: &str = "/v1/exports/labelled-rows";

/// `/ID` below it answers the [report](sensor_evidence::report::incident::Incident) of the incident of an alert, or of an
/// incident where the letter `I` stands before the number, as [`Reporting`] says.
pub const INCIDENT_REPORTS: &str = "/v1/reports/incident";

/// Answers an [`Exposure`](sensor_analysis::exposure::Exposure); `/ADDRESS` below it an [`Exposed`](sensor_analysis::exposure::Exposed).
pub const EXPOSURE: &str = "/v1/exposure";
/// Answers all [`Advisory`](sensor_analysis::exposure::advisory::Advisory); takes a [`NewAdvisory`]. `/matches` below it answers
/// [`Matches`](sensor_analysis::exposure::advisory::Matches), `/judge` takes a [`NewJudgement`], `/remove` an [`OldAdvisory`].
pub const ADVISORIES: &str = "/v1/advisories";

/// Answers a [`Compliance`](sensor_evidence::report::compliance::Compliance) report, as [`Past`] says.
pub const COMPLIANCE: &str = "/v1/reports/compliance";

/// Answers the last [`Entry`](sensor_evidence::audit::Entry)s of the trail that a [`Query`] asks for, the latest last.
pub const AUDIT: &str = "/v1/audit";
/// Answers a [bundle](sensor_evidence::audit::bundle) of the trail, as text, as [`Part`] says.
pub const EXPORTED_TRAIL: &str = "/v1/exports/audit";

/// Takes a [`NewReload`], and answers a [`ConfigurationChange`](sensor_facts::action::ConfigurationChange).
pub const RELOAD: &str = "/v1/reload";

/// Most items that one page holds.
pub const LIMIT_MAX: usize = 1_000;

/// Hosts as a page.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Devices {
    /// Hosts that there are.
    pub total: usize,
    /// The hosts of the page that was asked for.
    pub items: Vec<HostReport>,
    /// With [`Query::site_only`]: hosts of the Internet that were left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub internet: Option<usize>,
}

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
    /// Only what this device has to do with: an address, a subnet, a name or an AE title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Only what was seen from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// Only what was seen until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// Only what a device of this role has to do with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Only what is so urgent or more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Only what this detector found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detector: Option<String>,
    /// Only what is in this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Without what hosts of the Internet have to do with.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub site_only: bool,
    /// Only what this text stands in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// By which column it is sorted: its name, with `:desc` the greatest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            limit: 100,
            offset: 0,
            protocol: None,
            pseudonymise: false,
            device: None,
            since: None,
            until: None,
            role: None,
            severity: None,
            detector: None,
            state: None,
            site_only: false,
            text: None,
            sort: None,
        }
    }
}

/// The request target of a list.
#[must_use]
pub fn target(path: &str, query: &Query) -> String {
    let mut target = path.to_owned();
    let fields = serde_json::to_value(query).unwrap_or_default();
    for (at, (name, value)) in fields.as_object().into_iter().flatten().enumerate() {
        target.push(if at == 0 { '?' } else { '&' });
        target.push_str(name);
        target.push('=');
        let text = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        encode(&mut target, &text);
    }
    target
}

/// Adds a value to a request target (RFC 3986 section 2.1).
fn encode(target: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            target.push(char::from(byte));
        } else {
            // Writing to a string can't fail.
            let _ = write!(target, "%{byte:02X}");
        }
    }
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
    /// The items of the page that was asked for.
    pub items: Vec<T>,
}

/// Why something is done, in words.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// Why, in words.
    pub reason: String,
}

/// Which model is to give way to the one before it, and why.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ModelBack {
    /// Why, in words.
    pub reason: String,
    /// The model of windows, and not that of flows.
    #[serde(default)]
    pub windows: bool,
}

/// The configuration is to be read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NewReload {}

/// What an alert was.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NewLabel {
    /// What the alert was.
    pub verdict: sensor_facts::alert::Verdict,
    /// Why, in words.
    pub reason: String,
}

/// Exceptions that are wanted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NewExceptions {
    /// The exceptions.
    pub exceptions: Vec<sensor_analysis::alert::NewException>,
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

/// An error, with any status other than 200.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Failure {
    /// What is wrong.
    pub error: String,
}
