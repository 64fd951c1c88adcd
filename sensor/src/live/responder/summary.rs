//! A summary of containment for other threads.

use sensor_evidence::audit::TrailStatus;
use sensor_facts::{
    effect::Effectiveness,
    rule::{RuleId, State},
};
use sensor_response::Keeper;

/// How containment stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Rules by [`State`].
    pub rules: Vec<(State, u64)>,
    /// Rules that drop, by whether they work.
    pub effects: Vec<(Effectiveness, u64)>,
    /// Rules that drop and were seen not to, with how that is known.
    pub not_effective: Vec<(RuleId, String)>,
    /// Entries of the never-block list.
    pub protected: u64,
    /// Path of the audit trail's file.
    pub trail: String,
    /// How the trail fares.
    pub trail_status: TrailStatus,
    /// TCP resets sent since the start.
    pub resets: u64,
}

impl Summary {
    pub(crate) fn of(keeper: &Keeper, resets: u64) -> Self {
        let trail = keeper.trail();
        let rules = || keeper.book().rules();
        let count = |state| rules().filter(|rule| rule.state == state).count() as u64;
        let mut effects = Effectiveness::ALL.map(|verdict| (verdict, 0));
        let mut not_effective = Vec::new();
        for rule in rules().filter(|rule| rule.state == State::Enabled) {
            let effect = keeper.effect(rule.id);
            for (_, count) in effects.iter_mut().filter(|(it, _)| *it == effect.verdict) {
                *count += 1;
            }
            if effect.verdict == Effectiveness::NotEffective {
                not_effective.push((rule.id, effect.detail));
            }
        }
        Self {
            rules: State::ALL.map(|state| (state, count(state))).to_vec(),
            effects: effects.to_vec(),
            not_effective,
            protected: keeper.book().protected().count() as u64,
            trail: trail.path().display().to_string(),
            trail_status: trail.status(),
            resets,
        }
    }
}
