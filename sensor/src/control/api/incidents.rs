//! Incidents.

use std::net::IpAddr;

use sensor_facts::{alert::Verdict, incident::Incident, rule::RuleId};
use serde::{Deserialize, Serialize};

/// The incident that another one is merged with.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OtherIncident {
    /// Its number.
    pub other: u64,
    /// Why, in words.
    pub reason: String,
}

/// What is to become an incident of its own.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NewSplit {
    /// The devices whose alerts do.
    pub devices: Vec<IpAddr>,
    /// Why, in words.
    pub reason: String,
}

/// Something to remember.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NewNote {
    /// The note.
    pub note: String,
}

/// What an incident was.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NewIncidentLabel {
    /// What it was.
    pub verdict: Verdict,
    /// Why, in words.
    pub reason: String,
}

/// What a label of an incident did.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct LabelledAlerts {
    /// The incident.
    pub incident: Incident,
    /// Numbers of the alerts that got the label.
    pub alerts: Vec<u64>,
    /// Why others did not get it.
    pub refused: Vec<String>,
}

/// A block of the suspects that is to be proposed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NewContainment {
    /// For how long, seconds.
    pub ttl: u64,
    /// Why, in words.
    pub reason: String,
}

/// A rule that was proposed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Proposed {
    /// The suspect.
    pub device: IpAddr,
    /// Number of the rule, which drops nothing until a person approves it.
    pub rule: RuleId,
}

/// A suspect for whom no rule was proposed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct RefusedProposal {
    /// The suspect.
    pub device: IpAddr,
    /// Why, in words.
    pub reason: String,
}

/// What came of a proposal to block the suspects of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct ContainedIncident {
    /// The rules that were proposed.
    pub proposed: Vec<Proposed>,
    /// The suspects for whom none was.
    pub refused: Vec<RefusedProposal>,
    /// What has to be known about the rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}
