//! What people and policy did, from the audit trail.

use super::{Act, Acts, Facts, Settings};
use crate::audit::Entry;
use sensor_facts::{
    action::{Action, RuleChange},
    words::several,
};

pub(super) fn acts(facts: Facts<'_>) -> Acts {
    let mut acts = Acts::default();
    let mut config: Option<&str> = None;
    for entry in &facts.trail.entries {
        if let Action::Started {
            config: now,
            version,
            ..
        } = &entry.action
        {
            if facts.has(entry.time) && config != Some(now) {
                let what = format!("version {version} began with the configuration {now}");
                acts.configurations.push(act(entry, what, ""));
            }
            config = Some(now);
        }
        if facts.has(entry.time) {
            take(&mut acts, entry);
            acts.settings.extend(settings(entry));
        }
    }
    acts
}

fn act(entry: &Entry, what: String, reason: &str) -> Act {
    Act {
        entry: entry.seq,
        time: entry.time,
        by: entry.actor.to_string(),
        what,
        reason: reason.to_owned(),
    }
}

/// The configuration was read again, or was another one at a start.
fn settings(entry: &Entry) -> Option<Settings> {
    let (what, reason, change) = match &entry.action {
        Action::ConfigurationChanged(change) => {
            let what = format!("another configuration {}", change.occasion.label());
            (what, "", Some(change.as_ref().clone()))
        }
        Action::ReloadFailed { error } => {
            let what = "a reload failed, and the old configuration stayed in force".to_owned();
            (what, error.as_str(), None)
        }
        _ => return None,
    };
    Some(Settings {
        act: act(entry, what, reason),
        change,
    })
}

fn take(acts: &mut Acts, entry: &Entry) {
    let did = |what: String, reason: &str| act(entry, what, reason);
    match &entry.action {
        Action::RuleAdded { rule } => acts.containment.push(did(
            format!(
                "rule {} {}: drop {}, until {}",
                rule.id,
                rule.state.label(),
                rule.target,
                rule.expires
            ),
            &rule.reason,
        )),
        Action::RuleChanged(RuleChange {
            id, change, reason, ..
        }) => acts
            .containment
            .push(did(format!("rule {id} {}", change.label()), reason)),
        Action::RuleRemoved { id, cause, reason } => acts
            .containment
            .push(did(format!("rule {id} {}", cause.label()), reason)),
        Action::ReleasedAll { ids, reason } => {
            let what = format!("released {}", several(ids.len() as u64, "rules"));
            acts.containment.push(did(what, reason));
        }
        Action::Effect {
            id,
            verdict,
            detail,
        } => {
            let what = format!("rule {id} is {}", verdict.replace('_', " "));
            acts.containment.push(did(what, detail));
        }
        Action::Refused { what, reason } => acts.refusals.push(did(what.clone(), reason)),
        Action::Protected { what, reason } => {
            acts.protections
                .push(did(format!("{what} protected"), reason));
        }
        Action::Unprotected { what, reason } => {
            acts.protections
                .push(did(format!("{what} protected no more"), reason));
        }
        Action::Decided(decision) => {
            *acts.decisions.entry(decision.verdict.clone()).or_default() += 1;
        }
        Action::DecidedAgain(repeats) => {
            *acts.decisions.entry(repeats.verdict.clone()).or_default() += repeats.count;
        }
        Action::Labelled {
            alert,
            verdict,
            reason,
        } => acts
            .labels
            .push(did(format!("alert {alert}: {verdict}"), reason)),
        Action::ModelLoaded(model) => {
            let what = format!("{} in use, SHA-256 {}", model.name, model.sha256);
            acts.models.push(did(what, &model.reason));
        }
        Action::ModelRolledBack(model) => {
            let what = format!("back to {}, SHA-256 {}", model.name, model.sha256);
            acts.models.push(did(what, &model.reason));
        }
        Action::ModelRefused {
            name,
            check,
            why,
            reason,
            ..
        } => acts
            .models
            .push(did(format!("{name} refused ({check}): {why}"), reason)),
        Action::Exported { .. } => acts.exports.push(did(entry.action.to_string(), "")),
        Action::SegmentRemoved { .. }
        | Action::EntriesDropped { .. }
        | Action::AdvisoryImported { .. } => acts.other.push(did(entry.action.to_string(), "")),
        Action::AdvisoryRemoved { .. }
        | Action::IncidentChanged { .. }
        | Action::AdvisoryJudged { .. }
        | Action::BaselineReset { .. }
        | Action::ExceptionMade { .. }
        | Action::ExceptionEnded { .. } => {
            let done = judged(&entry.action).map(|(what, reason)| did(what, reason));
            acts.other.extend(done);
        }
        // Coverage has the first two, `settings` the next two; how many resets a rule took is in the trail, which splits itself.
        Action::Started { .. }
        | Action::Stopped
        | Action::ConfigurationChanged(_)
        | Action::ReloadFailed { .. }
        | Action::Reset { .. }
        | Action::SegmentBegun { .. } => {}
    }
}

/// What a person said of how the sensor judges devices and advisories, without the reason, and the reason.
fn judged(action: &Action) -> Option<(String, &str)> {
    match action {
        Action::AdvisoryRemoved { advisory, reason } => {
            Some((format!("advisory {advisory} removed"), reason))
        }
        Action::AdvisoryJudged {
            advisory,
            device,
            verdict,
            reason,
        } => Some((
            format!("advisory {advisory} {verdict} for {device}"),
            reason,
        )),
        Action::IncidentChanged {
            incident,
            change,
            what,
            reason,
        } => {
            let what = if what.is_empty() {
                String::new()
            } else {
                format!(", {what}")
            };
            Some((format!("incident I{incident} {change}{what}"), reason))
        }
        Action::BaselineReset { device, reason } => {
            Some((format!("what is usual of {device} is learnt anew"), reason))
        }
        Action::ExceptionMade { whom, reason, .. } => {
            Some((format!("findings about {whom} are muted"), reason))
        }
        Action::ExceptionEnded { whom, reason, .. } => {
            Some((format!("findings about {whom} are muted no more"), reason))
        }
        _ => None,
    }
}
