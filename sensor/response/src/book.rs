//! The rules and the never-block list, as they follow from the audit trail's entries.
//!
//! [`Book::apply`] is the one way in which anything changes, at start for every entry that is read and
//! later for every entry that is written; so what a restart finds is what was there before.

use std::collections::{BTreeMap, HashMap};

use sensor_facts::{
    action::{Action, Cause, Standing, StandingPast, StandingProtection},
    rule::{Actor, Rule, RuleId, State},
    target::{Protected, Target},
    time::Time,
};

/// Targets whose past is remembered; beyond it the longest past goes first.
const HISTORY_MAX: usize = 16_384;

/// An entry of the never-block list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protection {
    /// What is protected.
    pub what: Protected,
    /// Why, in words.
    pub reason: String,
    /// Who put it there.
    pub by: Actor,
    /// When it was put on the list.
    pub since: Time,
}

/// A target's past.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// Rules that the policy has put in force for it, in all.
    pub offences: u32,
    /// When the last of its rules ended.
    pub last_end: Option<Time>,
    /// When a person last lifted one of its rules.
    pub released: Option<Time>,
}

/// The rules and the never-block list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Book {
    rules: BTreeMap<RuleId, Rule>,
    protected: BTreeMap<Protected, Protection>,
    configured: Vec<Protection>,
    past: HashMap<Target, Past>,
    last_id: RuleId,
}

impl Book {
    /// Takes over what was done.
    pub fn apply(&mut self, time: Time, actor: &Actor, action: &Action) {
        match action {
            Action::RuleAdded { rule } => {
                self.last_id = self.last_id.max(rule.id);
                if matches!(rule.by, Actor::Policy { .. }) && rule.state == State::Enabled {
                    self.past_of(rule.target).offences += 1;
                }
                self.rules.insert(rule.id, (**rule).clone());
            }
            Action::RuleChanged(changed) => {
                let Some(rule) = self.rules.get_mut(&changed.id) else {
                    return;
                };
                let approved = rule.state == State::Proposed && changed.state == State::Enabled;
                (rule.state, rule.expires) = (changed.state, changed.expires);
                let target = rule.target;
                if approved {
                    self.past_of(target).offences += 1;
                }
            }
            Action::RuleRemoved { id, cause, .. } => {
                self.end(*id, time, *cause == Cause::Released && is_person(actor));
            }
            Action::ReleasedAll { ids, .. } => {
                for id in ids {
                    self.end(*id, time, is_person(actor));
                }
            }
            Action::Protected { what, reason } => {
                let protection = Protection {
                    what: *what,
                    reason: reason.clone(),
                    by: actor.clone(),
                    since: time,
                };
                self.protected.insert(*what, protection);
            }
            Action::Unprotected { what, .. } => {
                self.protected.remove(what);
            }
            Action::SegmentBegun { standing, .. } => self.stand(standing),
            Action::Started { .. }
            | Action::Stopped
            | Action::ConfigurationChanged(_)
            | Action::ReloadFailed { .. }
            | Action::Refused { .. }
            | Action::Decided(_)
            | Action::DecidedAgain(_)
            | Action::SegmentRemoved { .. }
            | Action::EntriesDropped { .. }
            | Action::Effect { .. }
            | Action::Labelled { .. }
            | Action::IncidentChanged { .. }
            | Action::Exported { .. }
            | Action::AdvisoryImported { .. }
            | Action::AdvisoryRemoved { .. }
            | Action::AdvisoryJudged { .. }
            | Action::BaselineReset { .. }
            | Action::ExceptionMade { .. }
            | Action::ExceptionEnded { .. }
            | Action::ModelLoaded(_)
            | Action::ModelRolledBack(_)
            | Action::ModelRefused { .. }
            | Action::Reset { .. } => {}
        }
    }

    /// What is in force, for the begin of a segment.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let mut past: Vec<_> = self
            .past
            .iter()
            .map(|(target, past)| StandingPast {
                target: *target,
                offences: past.offences,
                last_end: past.last_end,
                released: past.released,
            })
            .collect();
        past.sort_by_key(|past| (past.last_end, past.target.to_string()));
        let protected = self.protected.values().map(|entry| StandingProtection {
            what: entry.what,
            reason: entry.reason.clone(),
            by: entry.by.clone(),
            since: entry.since,
        });
        Standing {
            last_id: self.last_id,
            rules: self.rules.values().cloned().collect(),
            protected: protected.collect(),
            past,
        }
    }

    /// Takes over what is in force, in place of what was.
    fn stand(&mut self, standing: &Standing) {
        let rules = standing.rules.iter();
        self.rules = rules.map(|rule| (rule.id, rule.clone())).collect();
        let protected = standing.protected.iter();
        self.protected = protected
            .map(|entry| {
                let protection = Protection {
                    what: entry.what,
                    reason: entry.reason.clone(),
                    by: entry.by.clone(),
                    since: entry.since,
                };
                (entry.what, protection)
            })
            .collect();
        let past = standing.past.iter();
        self.past = past
            .map(|one| {
                let past = Past {
                    offences: one.offences,
                    last_end: one.last_end,
                    released: one.released,
                };
                (one.target, past)
            })
            .collect();
        self.last_id = standing.last_id;
    }

    fn end(&mut self, id: RuleId, time: Time, by_person: bool) {
        let Some(rule) = self.rules.remove(&id) else {
            return;
        };
        let past = self.past_of(rule.target);
        past.last_end = Some(time);
        if by_person {
            past.released = Some(time);
        }
    }

    fn past_of(&mut self, target: Target) -> &mut Past {
        if self.past.len() >= HISTORY_MAX && !self.past.contains_key(&target) {
            let oldest = self.past.iter().min_by_key(|(_, past)| past.last_end);
            if let Some(oldest) = oldest.map(|(target, _)| *target) {
                self.past.remove(&oldest);
            }
        }
        self.past.entry(target).or_default()
    }

    /// What the configuration protects: part of the never-block list, and no matter of the trail.
    pub fn configure(&mut self, protected: &[Protected], since: Time) {
        let entry = |what: &Protected| Protection {
            what: *what,
            reason: "the configuration says so".to_owned(),
            by: Actor::Daemon,
            since,
        };
        self.configured = protected.iter().map(entry).collect();
    }

    /// True if the configuration protects it.
    #[must_use]
    pub fn is_configured(&self, what: &Protected) -> bool {
        self.configured.iter().any(|entry| entry.what == *what)
    }

    /// The rules that have not ended, by id.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.values()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// True if there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// A rule.
    #[must_use]
    pub fn rule(&self, id: RuleId) -> Option<&Rule> {
        self.rules.get(&id)
    }

    /// The rules whose time is over at `now`.
    #[must_use]
    pub fn expired(&self, now: Time) -> Vec<RuleId> {
        let over = self.rules.values().filter(|rule| rule.expires <= now);
        over.map(|rule| rule.id).collect()
    }

    /// When the next rule ends.
    #[must_use]
    pub fn next_end(&self) -> Option<Time> {
        self.rules.values().map(|rule| rule.expires).min()
    }

    /// An id that no rule had.
    #[must_use]
    pub const fn next_id(&self) -> RuleId {
        self.last_id + 1
    }

    /// The never-block list.
    pub fn protected(&self) -> impl Iterator<Item = &Protection> {
        self.configured.iter().chain(self.protected.values())
    }

    /// An entry of it.
    #[must_use]
    pub fn protection(&self, what: &Protected) -> Option<&Protection> {
        self.protected.get(what)
    }

    /// A target's past.
    #[must_use]
    pub fn past(&self, target: &Target) -> Past {
        self.past.get(target).copied().unwrap_or_default()
    }
}

const fn is_person(actor: &Actor) -> bool {
    matches!(actor, Actor::Person { .. })
}

#[cfg(test)]
mod tests;
