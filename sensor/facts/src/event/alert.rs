//! Alert events.

use serde::{Deserialize, Serialize};

use crate::alert::{Alert, Change};

/// What became of an alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Alert"))]
pub struct AlertReport {
    /// Opened, updated or closed.
    pub change: Change,
    /// The alert as it is now.
    #[serde(flatten)]
    pub alert: Alert,
}
