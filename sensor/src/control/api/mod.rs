//! What the control socket answers: JSON over HTTP, one version of it.
//!
//! Flows and sessions are the events of `docs/events.schema.json`, so that a program reads one schema
//! wherever it gets them.

mod evidence;
mod rules;
mod status;

use sensor_analysis::baseline::Progress;
use sensor_sessions::inventory::HostReport;
use serde::{Deserialize, Serialize};

pub use evidence::{
    Last, NewAdvisory, NewJudgement, OldAdvisory, Part, Past, Reporting, Wanted, compliance,
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

/// Answers a [`Page`] of [`Alert`](sensor_facts::alert::Alert), the latest first; `/ID` below it one of them, and
/// `/ID/label` takes a [`NewLabel`].
pub const ALERTS: &str = "/v1/alerts";
/// Answers a [`Page`] of [`Case`](sensor_analysis::alert::Case), the one labelled last first.
pub const CASES: &str = "/v1/cases";
/// `/ADDRESS` below it answers a device's [`Progress`](sensor_analysis::baseline::Progress); `/ADDRESS/reset` takes a
/// [`Reason`] and forgets what is usual of it.
pub const BASELINES: &str = "/v1/baselines";

/// Answers a [`Page`] of [`RuleView`]; takes a [`NewRule`]. `/ID/enable`, `/ID/disable`, `/ID/approve`,
/// `/ID/remove` and `/release-all` below it take a [`Reason`].
pub const RULES: &str = "/v1/rules";
/// Answers a [`Page`] of [`ProtectedEntry`]; takes a [`NewProtection`], and at `/remove` an
/// [`Unprotecting`].
pub const PROTECTED: &str = "/v1/protected";

/// Answers a [`model::Summary`](sensor_analysis::model::Summary). `/load` below it takes a [`NewModel`], `/rollback` a [`Reason`],
/// and both answer a [`model::Loaded`](sensor_analysis::model::Loaded). `/compare` takes a [`NewModel`] too, changes nothing, and
/// answers a [`Comparison`](sensor_analysis::model::Comparison), or null where no model is in use.
pub const MODELS: &str = "/v1/models";

/// Answers [`ExportedRow`]s, as [`Wanted`] says.
pub const EXPORTED_ROWS: &str = "/v1/exports/rows";

/// `/ID` below it answers the [`Incident`](sensor_evidence::report::incident::Incident) of an alert, as [`Reporting`] says.
pub const INCIDENTS: &str = "/v1/reports/incident";

/// Answers an [`Exposure`](sensor_analysis::exposure::Exposure); `/ADDRESS` below it an [`Exposed`](sensor_analysis::exposure::Exposed).
pub const EXPOSURE: &str = "/v1/exposure";
/// Answers all [`Advisory`](sensor_analysis::exposure::advisory::Advisory); takes a [`NewAdvisory`]. `/matches` below it answers
/// [`Matches`](sensor_analysis::exposure::advisory::Matches), `/judge` takes a [`NewJudgement`], `/remove` an [`OldAdvisory`].
pub const ADVISORIES: &str = "/v1/advisories";

/// Answers a [`Compliance`](sensor_evidence::report::compliance::Compliance) report, as [`Past`] says.
pub const COMPLIANCE: &str = "/v1/reports/compliance";

/// Answers the last [`Entry`](sensor_evidence::audit::Entry)s of the trail, as [`Last`] says.
pub const AUDIT: &str = "/v1/audit";
/// Answers a [bundle](sensor_evidence::audit::bundle) of the trail, as text, as [`Part`] says.
pub const EXPORTED_TRAIL: &str = "/v1/exports/audit";

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
    /// The items of the page that was asked for.
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

/// Why something is done, in words.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// Why, in words.
    pub reason: String,
}

/// What an alert was.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NewLabel {
    /// What the alert was.
    pub verdict: sensor_facts::alert::Verdict,
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

/// An error, with any status other than 200.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Failure {
    /// What is wrong.
    pub error: String,
}
