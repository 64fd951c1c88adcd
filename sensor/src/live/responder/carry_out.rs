//! Doing what was decided about a finding, and writing it down.

use std::time::Duration;

use sensor_facts::{
    action::{self, Action},
    alert::Decided,
    finding::Finding,
    rule::{Actor, Scope, State},
};
use sensor_response::{
    Ended, Wish,
    policy::{ContainmentVerdict, Decision},
};

use super::Responder;

impl Responder {
    /// Does what was decided, and writes it down, also if it was to do nothing.
    pub(super) fn carry_out(&mut self, finding: &Finding, mut decision: Decision) {
        let actor = Actor::Policy {
            group: decision.group.clone(),
        };
        let found = format!("{}: {}", finding.detector, finding.evidence);
        let mut rule = None;
        if let (ContainmentVerdict::Act | ContainmentVerdict::Propose, Some((target, ttl))) =
            (decision.verdict, decision.target)
        {
            let wish = Wish {
                target,
                scope: Scope::All,
                state: if decision.verdict == ContainmentVerdict::Act {
                    State::Enabled
                } else {
                    State::Proposed
                },
                sticky: false,
                ttl: Duration::from_nanos(ttl),
                reason: found.clone(),
            };
            match self.keeper.add(&actor, wish) {
                Ok((id, _)) => rule = Some(id),
                Err(denied) => {
                    decision.verdict = ContainmentVerdict::NoAction;
                    decision.reason = denied.to_string();
                }
            }
        }
        let decided = Decided {
            time: finding.time,
            verdict: decision.verdict.label().to_owned(),
            target: decision.target.map(|(target, _)| target),
            reason: decision.reason.clone(),
        };
        self.analysis.decided(finding, &decided);
        let action = Action::Decided(action::Decision {
            finding: found,
            subject: finding.subject.to_string(),
            target: decision.target.map(|(target, _)| target),
            group: decision.group,
            mode: decision.mode.label().to_owned(),
            verdict: decision.verdict.label().to_owned(),
            reason: decision.reason,
            rule,
        });
        self.keeper.record(&actor, action);
    }

    /// Writes down what resets came to.
    pub(super) fn note_resets(&mut self, ended: Vec<Ended>) {
        for Ended {
            id,
            packets,
            outcome,
        } in ended
        {
            let action = Action::Reset {
                id,
                packets,
                outcome,
            };
            self.keeper.record(&Actor::Daemon, action);
        }
    }
}
