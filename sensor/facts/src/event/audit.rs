//! Entries of the audit trail as events.

use serde::{Deserialize, Serialize};

use crate::{action::Action, rule::Actor};

/// An entry of the audit trail as an event.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Audit"))]
pub struct AuditReport {
    /// Who did it.
    pub actor: Actor,
    /// What was done.
    #[serde(flatten)]
    pub action: Action,
}
