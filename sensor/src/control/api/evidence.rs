//! Requests for what leaves the sensor: reports, exports and the trail; and for advisories, which reports use.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::COMPLIANCE;

/// How a report is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reporting {
    /// With pseudonyms for addresses and names.
    pub pseudonymise: bool,
}

/// The time that a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Past {
    /// Its begin, seconds ago.
    pub since: u64,
    /// Its end, seconds ago.
    #[serde(default)]
    pub until: u64,
    /// Under pseudonyms: see [`under`](super::under).
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
    /// Address of the device.
    pub device: IpAddr,
    /// Whether it is about it.
    pub verdict: sensor_analysis::exposure::advisory::AdvisoryVerdict,
    /// Why, in words.
    pub reason: String,
}

/// An advisory to be taken away.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OldAdvisory {
    /// The advisory's number.
    pub advisory: String,
    /// Why, in words.
    pub reason: String,
}

/// Which part of the trail is to be exported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Part {
    /// Its begin, seconds ago; else the trail's.
    pub since: Option<u64>,
    /// Its end, seconds ago.
    pub until: u64,
    /// Under pseudonyms: see [`under`](super::under).
    pub pseudonymise: bool,
}
