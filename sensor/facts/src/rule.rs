//! A containment rule.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::target::Target;
use crate::time::Time;

/// Names a rule for good: no id is given twice, also after a restart.
pub type RuleId = u64;

/// How much of its target's traffic a rule drops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// All of it.
    #[default]
    All,
    /// All but the device's learnt clinical traffic, and what an address lives by (ARP, neighbour
    /// discovery, DHCP). For a device only, by IP or Ethernet address.
    KeepClinical,
}

/// What a rule does now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It drops nothing until a person approves it.
    Proposed,
    /// It drops packets.
    Enabled,
    /// It drops nothing, since a person has switched it off.
    Disabled,
    /// It drops nothing and counts what it would drop.
    DryRun,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Proposed, Self::Enabled, Self::Disabled, Self::DryRun];

    /// As in JSON.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::DryRun => "dry-run",
        }
    }
}

/// Who did something: a person, the policy, the daemon, or whoever sent it a signal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Actor {
    /// A person at the control socket, by the socket's peer credentials (`SO_PEERCRED`, unix(7)).
    Person {
        /// Numeric user id.
        uid: u32,
        /// The user's name, where the id has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// The policy, by the rules of a device group.
    Policy {
        /// Name of the device group.
        group: String,
    },
    /// Whoever sent the daemon a signal, as `systemctl reload` does; the system does not tell who that was.
    Signal,
    /// The daemon itself: what follows from a clock, a start or an end.
    Daemon,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person {
                name: Some(name), ..
            } => f.write_str(name),
            Self::Person { uid, .. } => write!(f, "user {uid}"),
            Self::Policy { group } => write!(f, "policy {group}"),
            Self::Signal => f.write_str("signal"),
            Self::Daemon => f.write_str("wardtap"),
        }
    }
}

/// A containment rule.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Rule {
    /// Id of the rule.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub id: RuleId,
    /// What it blocks, in canonical form.
    pub target: Target,
    /// How much of that.
    pub scope: Scope,
    /// What it does now.
    pub state: State,
    /// It stays in force while the daemon is gone, until it expires. Only a person makes such rules.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, schemars(extend("const" = true)))]
    pub sticky: bool,
    /// When it was made.
    pub created: Time,
    /// When it ends, whatever its state.
    pub expires: Time,
    /// Why it was made, in words.
    pub reason: String,
    /// Who made it.
    pub by: Actor,
}
