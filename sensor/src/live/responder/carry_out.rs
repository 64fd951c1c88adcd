//! Deciding about a finding, doing what was decided, and writing it down.

use std::time::Duration;

use sensor_facts::{
    action,
    alert::Decided,
    finding::Finding,
    rule::{Actor, RuleId, Scope, State},
};
use sensor_response::{
    Keeper, Wish,
    policy::{ContainmentVerdict, Decision},
};

use super::Responder;

impl Responder {
    /// Decides about a finding, does it, and writes it down, also if it was to do nothing.
    pub(super) fn respond(&mut self, finding: &Finding) {
        let decided = {
            // No command comes between what is decided and what is done.
            let mut enforcement = self.shared.get();
            let resets = enforcement.resets.possible();
            let decision = self.judgement.decide(finding, &enforcement, resets);
            carry_out(&mut enforcement, finding, decision)
        };
        self.analysis.decided(finding, &decided);
    }
}

/// Does what was decided, and writes it down.
fn carry_out(keeper: &mut Keeper, finding: &Finding, mut decision: Decision) -> Decided {
    let actor = Actor::Policy {
        group: decision.group.clone(),
    };
    let found = format!("{}: {}", finding.detector, finding.evidence);
    let rule = act(keeper, &actor, &found, &mut decision);
    let decided = Decided {
        time: finding.time,
        verdict: decision.verdict.label().to_owned(),
        target: decision.target.map(|(target, _)| target),
        reason: decision.reason.clone(),
    };
    let written = action::Decision {
        finding: found,
        subject: finding.subject.to_string(),
        target: decision.target.map(|(target, _)| target),
        group: decision.group,
        mode: decision.mode.label().to_owned(),
        verdict: decision.verdict.label().to_owned(),
        reason: decision.reason,
        rule,
    };
    keeper.decided(&finding.detector, &actor, written);
    decided
}

/// Makes the rule that was decided, if one was; else says in the decision why there is none.
fn act(keeper: &mut Keeper, actor: &Actor, found: &str, decision: &mut Decision) -> Option<RuleId> {
    let (state, (target, ttl)) = match (decision.verdict, decision.target) {
        (ContainmentVerdict::Act, Some(target)) => (State::Enabled, target),
        (ContainmentVerdict::Propose, Some(target)) => (State::Proposed, target),
        _ => return None,
    };
    let wish = Wish {
        target,
        scope: Scope::All,
        state,
        sticky: false,
        ttl: Duration::from_nanos(ttl),
        reason: found.to_owned(),
    };
    match keeper.add(actor, wish) {
        Ok((id, _)) => Some(id),
        Err(denied) => {
            decision.verdict = ContainmentVerdict::NoAction;
            decision.reason = denied.to_string();
            None
        }
    }
}
