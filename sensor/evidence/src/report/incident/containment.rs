//! What was done about it: each rule, who made it, whether it worked, and how long it took.

use std::net::IpAddr;

use sensor_facts::{
    action::{Action, Cause, Change},
    effect::Effectiveness,
    rule::{Actor, Rule, RuleId, Scope as Breadth, State},
    target::Target,
    time::Time,
};
use serde::{Deserialize, Serialize};

use super::{Facts, RuleNow, scope::Scope};
use crate::audit::Entry;

/// How a suspect stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contained {
    /// No rule is about it.
    #[default]
    No,
    /// A rule waits for a person, or only counts.
    Proposed,
    /// A rule drops its traffic and nothing of it was seen to pass.
    Effective,
    /// A rule drops, and its traffic was seen all the same.
    NotEffective,
    /// A rule is in force, and nobody can tell whether it works.
    Unverified,
    /// Rules were in force and have ended.
    Ended,
}

impl Contained {
    /// In words.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::No => "not contained",
            Self::Proposed => "proposed, not in force",
            Self::Effective => "contained, effective",
            Self::NotEffective => "contained, not effective",
            Self::Unverified => "contained, unverified",
            Self::Ended => "containment has ended",
        }
    }
}

/// A rule and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measure {
    /// The rule's number.
    pub id: RuleId,
    /// What it blocks.
    pub target: Target,
    /// How much of that.
    pub scope: Breadth,
    /// Who made it.
    pub by: Actor,
    /// Why, in words.
    pub reason: String,
    /// When it was made.
    pub created: Time,
    /// What it did when it was last changed.
    pub state: State,
    /// Who gave it force and when, where it was proposed first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<Approval>,
    /// Since when it dropped; none if it never did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enforced: Option<Time>,
    /// From the first finding to that, milliseconds; a rule may be older than the finding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<i64>,
    /// When it ends by itself, or would have.
    pub expires: Time,
    /// When and why it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<End>,
    /// Packets that it dropped; of an ended rule as far as its last verdict says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packets: Option<u64>,
    /// Their bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// TCP resets that were sent for it.
    pub resets: u64,
    /// Whether it works or worked.
    pub verdict: Effectiveness,
    /// When that became known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<Time>,
    /// By what it is known.
    pub detail: String,
}

/// A person's approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// When the rule was approved.
    pub time: Time,
    /// Who approved it.
    pub by: Actor,
    /// Why, in words.
    pub reason: String,
}

/// The end of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// When the rule ended.
    pub time: Time,
    /// Who ended it.
    pub by: Actor,
    /// What ended it.
    pub cause: Cause,
    /// Why, in words.
    pub reason: String,
}

/// A suspect, and how it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The suspect.
    pub address: IpAddr,
    /// How it stands.
    pub state: Contained,
    /// Why the policy did not act, in words, where no rule was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What was done about it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Containment {
    /// How each suspect stands when the report is made.
    pub suspects: Vec<Held>,
    /// The rules, in the order of their making.
    pub rules: Vec<Measure>,
    /// From the first finding to the first rule in force, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<i64>,
    /// Interfaces at which rules drop; where there are none, rules drop nothing.
    pub inline: bool,
}

/// True if the target takes in the device.
pub(super) fn is_about(facts: &Facts, target: &Target, device: IpAddr) -> bool {
    match target {
        Target::Mac { mac } => facts.hosts.iter().any(|host| {
            let own = || host.macs.iter().any(|one| *one == mac.to_string());
            host.address == device && !host.mac_shared && own()
        }),
        other => other.concerns(device),
    }
}

impl Measure {
    fn new(rule: &Rule, begin: Time) -> Self {
        let mut this = Self {
            id: rule.id,
            target: rule.target,
            scope: rule.scope,
            by: rule.by.clone(),
            reason: rule.reason.clone(),
            created: rule.created,
            state: rule.state,
            approved: None,
            enforced: None,
            delay_ms: None,
            expires: rule.expires,
            ended: None,
            packets: None,
            bytes: None,
            resets: 0,
            verdict: Effectiveness::Unverified,
            verified: None,
            detail: String::new(),
        };
        this.enforce(rule.created, begin);
        this
    }

    fn enforce(&mut self, time: Time, begin: Time) {
        if self.state == State::Enabled && self.enforced.is_none() {
            self.enforced = Some(time);
            self.delay_ms = Some((time.0 - begin.0) / 1_000_000);
        }
    }

    fn follow(&mut self, entry: &Entry, begin: Time) {
        let end = |cause, reason: &str| End {
            time: entry.time,
            by: entry.actor.clone(),
            cause,
            reason: reason.to_owned(),
        };
        match &entry.action {
            Action::RuleChanged(changed) if changed.id == self.id => {
                (self.state, self.expires) = (changed.state, changed.expires);
                if changed.change == Change::Approved {
                    self.approved = Some(Approval {
                        time: entry.time,
                        by: entry.actor.clone(),
                        reason: changed.reason.clone(),
                    });
                }
                self.enforce(entry.time, begin);
            }
            Action::RuleRemoved { id, cause, reason } if *id == self.id => {
                self.ended = Some(end(*cause, reason));
            }
            Action::ReleasedAll { ids, reason } if ids.contains(&self.id) => {
                self.ended = Some(end(Cause::Released, reason));
            }
            Action::Effect {
                id,
                verdict,
                detail,
            } if *id == self.id => {
                let known = Effectiveness::ALL.iter().find(|one| one.label() == verdict);
                self.verdict = known.copied().unwrap_or_default();
                self.verified = Some(entry.time);
                self.detail.clone_from(detail);
            }
            Action::Reset { id, packets, .. } if *id == self.id => self.resets += packets,
            _ => {}
        }
    }

    fn now(&mut self, now: &RuleNow) {
        (self.packets, self.bytes) = (Some(now.packets), Some(now.bytes));
        self.verdict = now.effect.verdict;
        self.verified = now.effect.since.or(self.verified);
        self.detail.clone_from(&now.effect.detail);
    }

    /// How well it holds.
    const fn state(&self) -> Contained {
        match (self.enforced, &self.ended, self.state) {
            (Some(_), Some(_), _) => Contained::Ended,
            (_, None, State::Enabled) => match self.verdict {
                Effectiveness::Effective => Contained::Effective,
                Effectiveness::NotEffective => Contained::NotEffective,
                Effectiveness::Unverified => Contained::Unverified,
            },
            (_, None, State::Proposed | State::DryRun) => Contained::Proposed,
            _ => Contained::No,
        }
    }
}

/// What was done about the suspects.
pub(super) fn of(facts: &Facts, scope: &Scope<'_>) -> Containment {
    let entries = &facts.trail.entries;
    let about = |target: &Target| {
        let mut devices = scope.suspects.keys();
        devices.any(|device| is_about(facts, target, *device))
    };
    let mut rules: Vec<Measure> = Vec::new();
    for entry in entries.iter().filter(|entry| entry.time >= scope.since) {
        if let Action::RuleAdded { rule } = &entry.action
            && about(&rule.target)
        {
            rules.push(Measure::new(rule, scope.begin));
        }
        for rule in &mut rules {
            rule.follow(entry, scope.begin);
        }
    }
    for rule in &mut rules {
        if let Some(now) = facts.rules.iter().find(|now| now.id == rule.id) {
            rule.now(now);
        }
    }
    let enforced = rules.iter().filter_map(|rule| rule.delay_ms);
    let inline = |name: &String| name.contains("(inline,");
    Containment {
        suspects: scope
            .suspects
            .keys()
            .map(|device| held(facts, &rules, *device))
            .collect(),
        delay_ms: enforced.min(),
        inline: facts.trail.force.interfaces.iter().any(inline),
        rules,
    }
}

/// How a suspect stands: the broadest rule that holds says so.
fn held(facts: &Facts, rules: &[Measure], device: IpAddr) -> Held {
    let mut about: Vec<&Measure> = rules
        .iter()
        .filter(|rule| is_about(facts, &rule.target, device))
        .collect();
    about.sort_by_key(|rule| (rule.ended.is_none(), rule.target.breadth(), rule.id));
    let state = about.last().map_or(Contained::No, |rule| rule.state());
    let subject = device.to_string();
    let decided = facts.trail.entries.iter().rev().find_map(|entry| {
        let Action::Decided(decision) = &entry.action else {
            return None;
        };
        (decision.subject == subject).then(|| decision.reason.clone())
    });
    Held {
        address: device,
        state,
        detail: decided.filter(|_| about.is_empty()),
    }
}
