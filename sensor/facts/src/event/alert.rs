//! Alert events.

use serde::{Deserialize, Serialize};

use crate::alert::{Alert, Change};

/// What became of an alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlertReport {
    /// Opened, updated or closed.
    pub change: Change,
    /// The alert as it is now.
    #[serde(flatten)]
    pub alert: Alert,
}
