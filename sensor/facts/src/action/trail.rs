//! Entries of the audit trail about the trail itself: summaries, segments, and missing entries.

use serde::{Deserialize, Serialize};

use crate::{
    rule::{Actor, Rule, RuleId},
    target::{Protected, Target},
    time::Time,
};

/// Decisions that were alike, counted in one entry. The first of its kind has an entry of its own before it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Repeats {
    /// The detector whose findings were decided about.
    pub detector: String,
    /// Whom the findings concern; none where there were too many to have an entry each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// How many decisions are counted here.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub count: u64,
    /// When the first of them was made.
    pub first: Time,
    /// When the last of them was made.
    pub last: Time,
    /// The last finding, in words.
    pub finding: String,
    /// Group of devices whose mode decided last.
    pub group: String,
    /// `observe`, `propose` or `automatic`.
    #[cfg_attr(test, schemars(extend("enum" = ["observe", "propose", "automatic"])))]
    pub mode: String,
    /// `would_act`, `wait` or `no_action`: a decision that changed a rule is never counted here.
    #[cfg_attr(test, schemars(extend("enum" = ["would_act", "wait", "no_action"])))]
    pub verdict: String,
    /// Why it was decided so the last time, in words.
    pub reason: String,
}

/// The end of a segment: its number, its last entry and that entry's hash.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SegmentEnd {
    /// The segment's number, from 1 on.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub segment: u64,
    /// The number of its last entry.
    pub last_entry: u64,
    /// That entry's hash: BLAKE3, hexadecimal.
    #[cfg_attr(test, schemars(regex(pattern = "^[0-9a-f]{64}$")))]
    pub hash: String,
}

/// What was protected, by whom and why.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StandingProtection {
    /// The address, subnet or Ethernet address.
    pub what: Protected,
    /// Why, in words.
    pub reason: String,
    /// Who put it on the list.
    pub by: Actor,
    /// When it was put on the list.
    pub since: Time,
}

/// What is remembered of a target that had rules.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StandingPast {
    /// The target that the rules were about.
    pub target: Target,
    /// Rules that the policy has put in force for it.
    pub offences: u32,
    /// When the last of its rules ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_end: Option<Time>,
    /// When a person last lifted one of its rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released: Option<Time>,
}

/// What is in force at the beginning of a segment, so that a start does not have to read older segments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Standing {
    /// The highest id that a rule ever had.
    pub last_id: RuleId,
    /// The rules that have not ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
    /// The never-block list, without what the configuration adds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub protected: Vec<StandingProtection>,
    /// What is remembered of targets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub past: Vec<StandingPast>,
}
