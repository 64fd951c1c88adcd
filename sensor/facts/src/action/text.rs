//! Actions and decisions as sentences.

use std::fmt;

use super::{Action, Decision, Repeats};
use crate::{hex::short, words::several};

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = self.verdict.replace('_', " ");
        write!(
            f,
            "{} of {}; decided to {verdict}",
            self.finding, self.subject
        )?;
        if let Some(target) = &self.target {
            write!(f, " on {target}")?;
        }
        write!(f, " ({}, group {}): {}", self.mode, self.group, self.reason)
    }
}

impl fmt::Display for Repeats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = self.verdict.replace('_', " ");
        let subject = self.subject.as_deref().unwrap_or("other devices");
        write!(
            f,
            "{} more findings of {} about {subject} between {} and {}; decided to {verdict} ({}, group {}): {}; the last one: {}",
            self.count,
            self.detector,
            self.first,
            self.last,
            self.mode,
            self.group,
            self.reason,
            self.finding
        )
    }
}

impl fmt::Display for Action {
    #[expect(
        clippy::too_many_lines,
        reason = "a sentence for each thing that can be done"
    )]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started {
                version,
                rules,
                differences,
                ..
            } => {
                write!(f, "wardtap {version} started, {rules} rules in force")?;
                if !differences.is_empty() {
                    write!(f, "; put right: {}", differences.join("; "))?;
                }
                Ok(())
            }
            Self::ConfigurationChanged(change) => change.fmt(f),
            Self::ReloadFailed { error } => {
                write!(
                    f,
                    "reload failed, the old configuration stays in force: {error}"
                )
            }
            Self::Stopped => f.write_str("wardtap stopped"),
            Self::RuleAdded { rule } => write!(
                f,
                "rule {} ({}) for {}, until {}: {}",
                rule.id,
                rule.state.label(),
                rule.target,
                rule.expires,
                rule.reason
            ),
            Self::RuleChanged(changed) => write!(
                f,
                "rule {} {}, now {} until {}: {}",
                changed.id,
                changed.change.label(),
                changed.state.label(),
                changed.expires,
                changed.reason
            ),
            Self::RuleRemoved { id, cause, reason } => {
                write!(f, "rule {id} {}: {reason}", cause.label())
            }
            Self::ReleasedAll { ids, reason } => {
                write!(
                    f,
                    "released {}: {reason}",
                    several(ids.len() as u64, "rules")
                )
            }
            Self::Protected { what, reason } => write!(f, "{what} protected: {reason}"),
            Self::Unprotected { what, reason } => write!(f, "{what} protected no more: {reason}"),
            Self::Refused { what, reason } => write!(f, "refused: {what}: {reason}"),
            Self::Decided(decision) => decision.fmt(f),
            Self::Effect {
                id,
                verdict,
                detail,
            } => write!(f, "rule {id} is {}: {detail}", verdict.replace('_', " ")),
            Self::Labelled {
                alert,
                verdict,
                reason,
            } => write!(f, "alert {alert} labelled {verdict}: {reason}"),
            Self::IncidentChanged {
                incident,
                change,
                what,
                reason,
            } => {
                write!(f, "incident I{incident} {change}")?;
                if !what.is_empty() {
                    write!(f, ", {what}")?;
                }
                write!(f, ": {reason}")
            }
            Self::ExceptionMade {
                exception,
                whom,
                detectors,
                until,
                reason,
            } => {
                let which = if detectors.is_empty() {
                    "all detectors".to_owned()
                } else {
                    detectors.join(", ")
                };
                write!(f, "exception {exception}: {which} muted for {whom}")?;
                match until {
                    Some(until) => write!(f, " until {until}: {reason}"),
                    None => write!(f, " for good: {reason}"),
                }
            }
            Self::ExceptionEnded {
                exception,
                whom,
                muted,
                reason,
            } => write!(
                f,
                "exception {exception} for {whom} ended, it had muted {}: {reason}",
                several(*muted, "findings")
            ),
            Self::BaselineReset { device, reason } => {
                write!(f, "the baseline of {device} begins anew: {reason}")
            }
            Self::ModelLoaded(model) => {
                let (name, hash) = (&model.name, short(&model.sha256));
                write!(f, "model {name} ({hash}) in use: {}", model.reason)
            }
            Self::ModelRolledBack(model) => {
                let (name, hash) = (&model.name, short(&model.sha256));
                write!(f, "back to model {name} ({hash}): {}", model.reason)
            }
            Self::ModelRefused {
                name, check, why, ..
            } => write!(f, "model {name} refused ({check}): {why}"),
            Self::Exported {
                what,
                items,
                pseudonymised,
            } => {
                let how = if *pseudonymised {
                    "under pseudonyms"
                } else {
                    "with addresses and names"
                };
                write!(f, "exported {what}, {items} items, {how}")
            }
            Self::AdvisoryImported {
                advisory,
                version,
                hash,
            } => write!(
                f,
                "advisory {advisory} version {version} ({}) imported",
                short(hash)
            ),
            Self::AdvisoryRemoved { advisory, reason } => {
                write!(f, "advisory {advisory} removed: {reason}")
            }
            Self::AdvisoryJudged {
                advisory,
                device,
                verdict,
                reason,
            } => write!(f, "advisory {advisory} {verdict} for {device}: {reason}"),
            Self::DecidedAgain(repeats) => repeats.fmt(f),
            Self::SegmentBegun {
                segment,
                previous,
                standing,
            } => write!(
                f,
                "segment {segment} of the trail begins after entry {} of segment {}; {} rules in force",
                previous.last_entry,
                previous.segment,
                standing.rules.len()
            ),
            Self::SegmentRemoved {
                removed, exported, ..
            } => {
                write!(
                    f,
                    "segment {} of the trail, to entry {} with hash {}, removed: the trail has reached its largest size; ",
                    removed.segment, removed.last_entry, removed.hash
                )?;
                match exported {
                    Some(folder) => write!(f, "exported to {folder} before"),
                    None => f.write_str("exported nowhere, so it is gone"),
                }
            }
            Self::EntriesDropped { count, first, last } => write!(
                f,
                "{count} entries between {first} and {last} are missing: too many waited for the disk; none changed a rule"
            ),
            Self::Reset {
                id,
                packets,
                outcome,
            } => write!(f, "{packets} TCP resets for rule {id}: {outcome}"),
        }
    }
}
