//! Rules and the never-block list.

use sensor_facts::{
    effect::Effect,
    rule::{Actor, Rule, RuleId, Scope},
    target::{Protected, Target},
    time::Time,
};
use serde::{Deserialize, Serialize};

/// A rule with what it does.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct RuleView {
    /// The rule as it is in force.
    #[serde(flatten)]
    pub rule: Rule,
    /// What it has hit.
    pub hits: Hits,
    /// Whether the rule works, and how that is known.
    pub effect: Effect,
}

/// What a rule has dropped, or would have.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Hits {
    /// Packets that the rule dropped.
    pub packets: u64,
    /// Their bytes, from the Ethernet header on.
    pub bytes: u64,
    /// Packets that a dry run would have dropped.
    pub would_packets: u64,
    /// Bytes of the packets that it would have dropped.
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

/// An entry of the never-block list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct ProtectedEntry {
    /// What is protected.
    pub what: Protected,
    /// Why, in words.
    pub reason: String,
    /// Who put it on the list.
    pub by: Actor,
    /// When it was put on the list.
    pub since: Time,
    /// The configuration protects it.
    pub configured: bool,
}

/// What is to be protected.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NewProtection {
    /// What is to be protected.
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
