//! Incident events.

use serde::{Deserialize, Serialize};

use crate::incident::{Change, Incident};

/// What became of an incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Incident"))]
pub struct IncidentReport {
    /// What happened to it.
    pub change: Change,
    /// The incident as it is now.
    #[serde(flatten)]
    pub incident: Incident,
}
