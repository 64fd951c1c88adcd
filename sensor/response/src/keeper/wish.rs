//! Requests to the keeper, why it refuses them, and its reports.

use std::time::Duration;

use sensor_common::rule::Hits;
use sensor_facts::{
    effect::Effect,
    rule::{Rule, Scope, State},
    target::Target,
};
use sensor_kernel::KernelError;

use crate::Refusal;

/// What a person or the policy wants to be blocked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// What the rule is to block.
    pub target: Target,
    /// How much of it.
    pub scope: Scope,
    /// [`State::Enabled`], [`State::DryRun`] or [`State::Proposed`].
    pub state: State,
    /// It stays in force while the daemon is gone.
    pub sticky: bool,
    /// How long the rule is to last.
    pub ttl: Duration,
    /// Why, in words.
    pub reason: String,
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    /// It would not be right.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The kernel did not do it.
    #[error("the kernel did not take the change, and nothing else was changed: {0}")]
    Kernel(#[from] KernelError),
    /// It would not be written down.
    #[error(
        "{waiting} entries of the audit trail wait for the disk already, so nothing was changed: what can't be written down is not done; `wardtap status` says why. Lifting rules is always possible"
    )]
    TrailFull {
        /// Entries that wait.
        waiting: u64,
    },
}

/// A rule and what it does.
#[derive(Clone, Debug)]
pub struct RuleReport {
    /// The rule as it is in force.
    pub rule: Rule,
    /// What it has hit.
    pub hits: Hits,
    /// Whether the rule works, and how that is known.
    pub effect: Effect,
}
