//! What the audit trail says was done, for the timeline.

use super::{Good, Happened, What, scope::Scope, timeline::plain};
use crate::audit::Entry;
use sensor_facts::{
    action::Action,
    rule::{RuleId, State},
    words::utc_moment,
};

/// What an entry of the trail is in the timeline: kind, tone, words, reason.
type Line<'a> = (What, Good, String, &'a String);

/// The entry, if it is about the incident.
pub(super) fn done(entry: &Entry, scope: &Scope<'_>, rules: &[RuleId]) -> Option<Happened> {
    let of_rule = || of_rule(&entry.action, rules);
    let (kind, tone, what, reason) = decided(&entry.action, scope)
        .or_else(|| decided_again(&entry.action, scope))
        .or_else(of_rule)
        .or_else(|| of_people(&entry.action, scope))?;
    Some(Happened {
        what,
        reason: Some(reason.clone()).filter(|reason| !reason.is_empty()),
        by: Some(entry.actor.clone()),
        entry: Some(entry.seq),
        ..plain(entry.time, kind, tone)
    })
}

/// Decisions about a suspect.
fn decided<'a>(action: &'a Action, scope: &Scope<'_>) -> Option<Line<'a>> {
    let Action::Decided(decision) = action else {
        return None;
    };
    if !is_suspect(&decision.subject, scope) {
        return None;
    }
    let verdict = words(&decision.verdict);
    let tone = if decision.verdict == "act" {
        Good::Good
    } else {
        Good::Open
    };
    let what = match (&decision.target, decision.rule) {
        (Some(target), Some(rule)) => format!("Decided to {verdict}: rule {rule} for {target}"),
        (Some(target), None) => format!("Decided to {verdict} about {target}"),
        (None, _) => format!("Decided to {verdict} about {}", decision.subject),
    };
    Some((What::Decision, tone, what, &decision.reason))
}

fn is_suspect(subject: &str, scope: &Scope<'_>) -> bool {
    let mut suspects = scope.suspects.keys();
    suspects.any(|device| device.to_string() == subject)
}

/// What a verdict of the policy means.
fn words(verdict: &str) -> &str {
    match verdict {
        "propose" => "propose a rule",
        "would_act" => "do nothing, though it would act in automatic mode",
        // "refuse" in trails before schema version 2.
        "no_action" | "refuse" => "do nothing",
        other => other,
    }
}

/// Decisions about a suspect that repeated.
fn decided_again<'a>(action: &'a Action, scope: &Scope<'_>) -> Option<Line<'a>> {
    let Action::DecidedAgain(repeats) = action else {
        return None;
    };
    let subject = repeats.subject.as_deref()?;
    if !is_suspect(subject, scope) {
        return None;
    }
    let what = format!(
        "Decided {} times more to {} about {subject}, on findings of {} until {}",
        repeats.count,
        words(&repeats.verdict),
        repeats.detector,
        utc_moment(repeats.last)
    );
    Some((What::Decision, Good::Open, what, &repeats.reason))
}

/// What was done with a rule about a suspect.
fn of_rule<'a>(action: &'a Action, rules: &[RuleId]) -> Option<Line<'a>> {
    let tone = |state: State| {
        if state == State::Enabled {
            Good::Good
        } else {
            Good::Open
        }
    };
    Some(match action {
        Action::RuleAdded { rule } if rules.contains(&rule.id) => {
            let state = match rule.state {
                State::Enabled => "in force",
                State::Proposed => "proposed, waits for a person",
                State::Disabled => "made, switched off",
                State::DryRun => "made, only counts",
            };
            let (id, target, until) = (rule.id, rule.target, utc_moment(rule.expires));
            let what = format!("Rule {id} {state}: drops {target} until {until}");
            (What::Rule, tone(rule.state), what, &rule.reason)
        }
        Action::RuleChanged(changed) if rules.contains(&changed.id) => {
            let (id, change) = (changed.id, changed.change.label());
            let (state, until) = (changed.state.label(), utc_moment(changed.expires));
            let what = format!("Rule {id} {change}, now {state} until {until}");
            (What::Rule, tone(changed.state), what, &changed.reason)
        }
        Action::RuleRemoved { id, reason, .. } if rules.contains(id) => {
            (What::Rule, Good::Open, format!("Rule {id} ended"), reason)
        }
        Action::ReleasedAll { ids, reason } if ids.iter().any(|id| rules.contains(id)) => {
            let what = "All rules were lifted".to_owned();
            (What::Rule, Good::Open, what, reason)
        }
        Action::Effect {
            id,
            verdict,
            detail,
        } if rules.contains(id) => {
            let tone = match verdict.as_str() {
                "effective" => Good::Good,
                "not_effective" => Good::Bad,
                _ => Good::Open,
            };
            let what = format!("Rule {id} is {}", verdict.replace('_', " "));
            (What::Effect, tone, what, detail)
        }
        Action::Reset {
            id,
            packets,
            outcome,
        } if rules.contains(id) => {
            let what = format!("{packets} TCP resets were sent for rule {id}");
            (What::Rule, Good::Plain, what, outcome)
        }
        _ => return None,
    })
}

/// What people said of the alerts and the suspects.
fn of_people<'a>(action: &'a Action, scope: &Scope<'_>) -> Option<Line<'a>> {
    match action {
        Action::Labelled {
            alert,
            verdict,
            reason,
        } if scope.alerts.iter().any(|one| one.id == *alert) => {
            let what = format!("Alert {alert} labelled {verdict}");
            Some((What::Label, Good::Good, what, reason))
        }
        Action::IncidentChanged {
            incident,
            change,
            what,
            reason,
        } if scope.incident == Some(*incident) => {
            let what = match what.as_str() {
                "" => format!("Incident I{incident} {change}"),
                what => format!("Incident I{incident} {change}, {what}"),
            };
            Some((What::Label, Good::Good, what, reason))
        }
        Action::BaselineReset { device, reason } if scope.suspects(*device) => {
            let what = format!("What is usual of {device} begins anew");
            Some((What::Other, Good::Plain, what, reason))
        }
        _ => None,
    }
}
