//! The actions that the audit trail records.

mod configuration;
mod text;
mod trail;

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

pub use configuration::{ChangedKey, Concern, ConfigurationChange, Occasion};
pub use trail::{Repeats, SegmentEnd, Standing, StandingPast, StandingProtection};

use crate::{
    rule::{Rule, RuleId, State},
    target::{Protected, Target},
    time::Time,
};

/// Why a rule ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Its time was over.
    Expired,
    /// A person lifted it.
    Released,
    /// Its target was put on the never-block list.
    Protected,
    /// The audit trail did not take the change that made it.
    Undone,
}

impl Cause {
    /// The words for people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Released => "released",
            Self::Protected => "lifted, its target being protected",
            Self::Undone => "undone",
        }
    }
}

/// What of a rule was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, schemars(rename = "ChangeOfRule"))]
pub enum Change {
    /// It ends later.
    Extended,
    /// A person approved what the policy had proposed.
    Approved,
    /// It drops again.
    Enabled,
    /// It drops no more.
    Disabled,
    /// It is as it was before a change that the audit trail did not take.
    Undone,
}

impl Change {
    /// The words for people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Extended => "extended",
            Self::Approved => "approved",
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::Undone => "put back as it was",
        }
    }
}

/// How a rule was changed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RuleChange {
    /// Id of the rule.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub id: RuleId,
    /// In what way.
    pub change: Change,
    /// Its state from now on.
    pub state: State,
    /// Its end from now on.
    pub expires: Time,
    /// Why, in words.
    pub reason: String,
}

/// What the policy made of a finding, also if it did nothing.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Decision {
    /// What was found, in words.
    pub finding: String,
    /// The device that the finding is about.
    pub subject: String,
    /// What a rule would be about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// Group of devices whose mode decided.
    pub group: String,
    /// `observe`, `propose` or `automatic`.
    #[cfg_attr(test, schemars(extend("enum" = ["observe", "propose", "automatic"])))]
    pub mode: String,
    /// `act`, `propose`, `would_act`, `wait` or `no_action`.
    #[cfg_attr(test, schemars(extend("enum" = ["act", "propose", "would_act", "wait", "no_action"])))]
    pub verdict: String,
    /// Why, in words.
    pub reason: String,
    /// The rule that came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub rule: Option<RuleId>,
}

/// A model that was put in use.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ModelChange {
    /// The name of the model's file.
    pub name: String,
    /// SHA-256 of that file, in hex.
    #[cfg_attr(test, schemars(regex(pattern = "^[0-9a-f]{64}$")))]
    pub sha256: String,
    /// The hash of the model that was in use before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(regex(pattern = "^[0-9a-f]{64}$")))]
    pub replaces: Option<String>,
    /// Why the model was put in use, in words.
    pub reason: String,
}

/// An action that is written to the audit trail.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// The daemon began to listen.
    Started {
        /// Version of the daemon.
        version: String,
        /// BLAKE3 of the configuration in force, in hex.
        config: String,
        /// Interfaces with their roles.
        interfaces: Vec<String>,
        /// Differences between the kernel's rules and the trail, which were corrected.
        differences: Vec<String>,
        /// How many rules are in force.
        rules: usize,
    },
    /// Another configuration was read, and is in force.
    ConfigurationChanged(Box<ConfigurationChange>),
    /// The configuration was to be read again and could not be; the old one stays in force.
    ReloadFailed {
        /// What is wrong with it.
        error: String,
    },
    /// The daemon ended in order.
    Stopped,
    /// A rule was made.
    RuleAdded {
        /// The rule as it was made.
        rule: Box<Rule>,
    },
    /// A rule was changed.
    RuleChanged(RuleChange),
    /// A rule ended.
    RuleRemoved {
        /// Id of the rule.
        #[cfg_attr(test, schemars(range(min = 1)))]
        id: RuleId,
        /// What ended it.
        cause: Cause,
        /// Why, in words.
        reason: String,
    },
    /// All rules were lifted at once.
    ReleasedAll {
        /// Ids of the rules.
        #[cfg_attr(test, schemars(inner(range(min = 1))))]
        ids: Vec<RuleId>,
        /// Why, in words.
        reason: String,
    },
    /// Something was put on the never-block list.
    Protected {
        /// What is on the list now.
        what: Protected,
        /// Why, in words.
        reason: String,
    },
    /// Something was taken off the never-block list.
    Unprotected {
        /// What is no longer on the list.
        what: Protected,
        /// Why, in words.
        reason: String,
    },
    /// A request was refused.
    Refused {
        /// What was asked for.
        what: String,
        /// Why the request was refused.
        reason: String,
    },
    /// The policy decided.
    Decided(Decision),
    /// It became known whether a rule works.
    Effect {
        /// Id of the rule.
        #[cfg_attr(test, schemars(range(min = 1)))]
        id: RuleId,
        /// `effective`, `not_effective` or `unverified`.
        #[cfg_attr(test, schemars(extend("enum" = ["effective", "not_effective", "unverified"])))]
        verdict: String,
        /// The evidence for the verdict.
        detail: String,
    },
    /// A person said what an alert was.
    Labelled {
        /// Number of the alert.
        #[cfg_attr(test, schemars(range(min = 1)))]
        alert: u64,
        /// `benign` or `malicious`.
        #[cfg_attr(test, schemars(extend("enum" = ["benign", "malicious"])))]
        verdict: String,
        /// Why, in words.
        reason: String,
    },
    /// A person changed an incident.
    IncidentChanged {
        /// Number of the incident.
        #[cfg_attr(test, schemars(range(min = 1)))]
        incident: u64,
        /// `merged`, `split`, `closed`, `noted`, `labelled` or `contained`.
        #[cfg_attr(test, schemars(extend("enum" = ["merged", "split", "closed", "noted", "labelled", "contained"])))]
        change: String,
        /// With what, in words.
        what: String,
        /// Why, in words, or the note.
        reason: String,
    },
    /// A person had findings muted.
    ExceptionMade {
        /// Number of the exception.
        #[cfg_attr(test, schemars(range(min = 1)))]
        exception: u64,
        /// Whose findings are muted: an address, a subnet or a role.
        whom: String,
        /// The detectors whose findings are muted; if empty, those of all.
        detectors: Vec<String>,
        /// When it ends; none if it is permanent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Time>,
        /// Why, in words.
        reason: String,
    },
    /// A person ended an exception.
    ExceptionEnded {
        /// Number of the exception.
        #[cfg_attr(test, schemars(range(min = 1)))]
        exception: u64,
        /// Whose findings were muted.
        whom: String,
        /// How many findings it had muted.
        muted: u64,
        /// Why, in words.
        reason: String,
    },
    /// The baseline of a device was deleted, so that it is learnt again.
    BaselineReset {
        /// Address of the device.
        device: IpAddr,
        /// Why, in words.
        reason: String,
    },
    /// A model was put in use.
    ModelLoaded(ModelChange),
    /// The model before was put in use again.
    ModelRolledBack(ModelChange),
    /// A model was not taken.
    ModelRefused {
        /// The name of its file.
        name: String,
        /// SHA-256 of its file, in hex; none if it could not be read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, schemars(regex(pattern = "^[0-9a-f]{64}$")))]
        sha256: Option<String>,
        /// The check that it failed.
        check: String,
        /// What is wrong with it.
        why: String,
        /// Why it was to be loaded, in words.
        reason: String,
    },
    /// Data left the sensor as an export or a report.
    Exported {
        /// What, in words.
        what: String,
        /// How many items it has: rows, entries, alerts.
        items: u64,
        /// Addresses and names were replaced by pseudonyms.
        pseudonymised: bool,
    },
    /// A security advisory was imported.
    AdvisoryImported {
        /// Its number with its publisher.
        advisory: String,
        /// Its version.
        version: String,
        /// BLAKE3 of its file, in hex.
        #[cfg_attr(test, schemars(regex(pattern = "^[0-9a-f]{64}$")))]
        hash: String,
    },
    /// A security advisory was removed, and with it the judgements about its matches.
    AdvisoryRemoved {
        /// Number of the advisory.
        advisory: String,
        /// Why, in words.
        reason: String,
    },
    /// A person said whether an advisory is about a device.
    AdvisoryJudged {
        /// Number of the advisory.
        advisory: String,
        /// Address of the device.
        device: IpAddr,
        /// `confirmed` or `dismissed`.
        #[cfg_attr(test, schemars(extend("enum" = ["confirmed", "dismissed"])))]
        verdict: String,
        /// Why, in words.
        reason: String,
    },
    /// Decisions of the policy that were alike and changed nothing, counted.
    DecidedAgain(Repeats),
    /// A segment of the trail begins; the first entry of every segment but the first one.
    SegmentBegun {
        /// Number of the segment.
        segment: u64,
        /// The end of the segment before it.
        previous: SegmentEnd,
        /// What is in force.
        standing: Box<Standing>,
    },
    /// The oldest segment of the trail was removed, since the trail had reached its largest size.
    SegmentRemoved {
        /// The end of the removed segment: what the next one follows.
        removed: SegmentEnd,
        /// Its size with its checkpoints, bytes.
        bytes: u64,
        /// The folder that it was exported to before; none if it was exported nowhere.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exported: Option<String>,
    },
    /// Entries are missing here, since too many waited for the disk. None of them changed a rule.
    EntriesDropped {
        /// How many entries are missing.
        #[cfg_attr(test, schemars(range(min = 1)))]
        count: u64,
        /// When the first of them was made.
        first: Time,
        /// When the last of them was made.
        last: Time,
    },
    /// TCP resets were sent.
    Reset {
        /// Id of the rule that they enforce.
        #[cfg_attr(test, schemars(range(min = 1)))]
        id: RuleId,
        /// How many resets were sent.
        packets: u64,
        /// How it ended.
        outcome: String,
    },
}

impl Action {
    /// It changes what is blocked or protected, so a restart has to read it.
    #[must_use]
    pub const fn changes_rules(&self) -> bool {
        matches!(
            self,
            Self::RuleAdded { .. }
                | Self::RuleChanged { .. }
                | Self::RuleRemoved { .. }
                | Self::ReleasedAll { .. }
                | Self::Protected { .. }
                | Self::Unprotected { .. }
        )
    }
}
