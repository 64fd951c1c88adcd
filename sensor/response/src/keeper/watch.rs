//! Whether rules work: which packets the capture looks for, and what it found.

use std::collections::HashMap;

use sensor_facts::{
    action::Action,
    effect::{self, Effect, Sighting, WatchList, Watched},
    rule::{Actor, Rule, RuleId, State},
};

use super::{Keeper, RuleReport};
use crate::{reset::ResetReport, rule_resets};

impl Keeper {
    /// The rules with what they do.
    #[must_use]
    pub fn reports(&self) -> Vec<RuleReport> {
        let report = |rule: &Rule| RuleReport {
            rule: rule.clone(),
            hits: self.tables.hits(rule.id).unwrap_or_default(),
            effect: self.effect(rule.id),
        };
        self.book.rules().map(report).collect()
    }

    /// Whether a rule works.
    #[must_use]
    pub fn effect(&self, id: RuleId) -> Effect {
        self.effects.get(&id).cloned().unwrap_or_default()
    }

    /// The report of one rule, if there is such a rule.
    #[must_use]
    pub fn report(&self, id: RuleId) -> Option<RuleReport> {
        self.reports().into_iter().find(|one| one.rule.id == id)
    }

    /// What is to be looked out for: the targets of all rules that drop.
    #[must_use]
    pub fn watch_list(&self) -> WatchList {
        let rules = self
            .book
            .rules()
            .filter(|rule| rule.state == State::Enabled);
        WatchList {
            rules: rules
                .map(|rule| Watched {
                    id: rule.id,
                    target: rule.target,
                    scope: rule.scope,
                    since: self.since.get(&rule.id).copied().unwrap_or(u64::MAX),
                    clinical: self.clinical_of(rule).unwrap_or_default(),
                })
                .collect(),
            protected: self.book.protected().map(|entry| entry.what).collect(),
        }
    }

    /// Judges whether the rules work, by their hits, by what was seen of their targets, and by what their
    /// resets came to. A verdict that is new is written down.
    pub fn verify(
        &mut self,
        seen: &HashMap<RuleId, Sighting>,
        resets: &HashMap<RuleId, ResetReport>,
    ) {
        let now = self.now();
        let timebase = self.timebase;
        let mut news = Vec::new();
        for rule in self
            .book
            .rules()
            .filter(|rule| rule.state == State::Enabled)
        {
            let hits = self.tables.hits(rule.id).unwrap_or_default();
            let before = self.effects.get(&rule.id).cloned().unwrap_or_default();
            let sighting = seen.get(&rule.id);
            let after = match resets.get(&rule.id) {
                Some(report) => rule_resets::effect(report, &before, now),
                // Its resets ended it; one that is still seen is another by the same name.
                None if self.reset.contains(&rule.id) && sighting.is_none() => before.clone(),
                None => effect::judge(&hits, sighting, &before, now, |time| timebase.wall(time)),
            };
            if resets.contains_key(&rule.id) {
                self.reset.insert(rule.id);
            }
            if after.verdict != before.verdict {
                news.push(Action::Effect {
                    id: rule.id,
                    verdict: after.verdict.label().to_owned(),
                    detail: after.detail.clone(),
                });
            }
            self.effects.insert(rule.id, after);
        }
        for action in news {
            self.record(&Actor::Daemon, action);
        }
    }
}
