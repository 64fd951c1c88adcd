//! What happened, in order: what was seen, found, decided and done.

use std::net::IpAddr;

use sensor_facts::{
    action::Action,
    finding::Finding,
    rule::{Actor, RuleId},
    time::Time,
};
use serde::{Deserialize, Serialize};

use super::{Facts, containment::is_about, done::done, scope::Scope};
use crate::report::technique;

/// Things in a timeline.
const HAPPENED_MAX: usize = 300;

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A device was seen for the first time.
    Seen,
    /// Data went.
    Traffic,
    /// A detector found something.
    Finding,
    /// An alert opened or was over.
    Alert,
    /// The policy decided.
    Decision,
    /// A rule was made or changed.
    Rule,
    /// It became known whether a rule works.
    Effect,
    /// A person said what it was.
    Label,
    /// Something else was done that matters here.
    Other,
}

impl What {
    /// In a word.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Traffic => "traffic",
            Self::Finding => "finding",
            Self::Alert => "alert",
            Self::Decision => "decision",
            Self::Rule => "rule",
            Self::Effect => "effect",
            Self::Label => "label",
            Self::Other => "other",
        }
    }
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Happened {
    /// When it happened.
    pub time: Time,
    /// What kind of thing.
    pub kind: What,
    /// In a line.
    pub what: String,
    /// Why, or by what it is known, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Actor>,
    /// The entry of the audit trail that says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<u64>,
    /// How good it is: `plain`, `good`, `open` or `bad`.
    pub tone: Good,
}

/// How good something is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Good {
    /// It is so.
    #[default]
    Plain,
    /// It is well.
    Good,
    /// Someone has to look at it.
    Open,
    /// It is bad.
    Bad,
}

/// The timeline, and how much of it was left out.
pub(super) struct Timeline {
    pub(super) happened: Vec<Happened>,
    pub(super) cut: u64,
}

pub(super) fn of(facts: &Facts, scope: &Scope<'_>) -> Timeline {
    let mut happened = Vec::new();
    seen(facts, scope, &mut happened);
    traffic(facts, scope, &mut happened);
    for alert in &scope.alerts {
        happened.extend(alert.findings.iter().map(found));
        let id = alert.id;
        let severity = alert.severity.label();
        let told = if alert.suppressed {
            "suppressed: the day's budget was used up"
        } else {
            "told"
        };
        happened.push(Happened {
            what: format!("Alert {id} about {} opened, {told}", alert.device),
            reason: Some(format!(
                "now {severity}, {:.0} % sure, by {} findings",
                alert.confidence * 100.0,
                alert.finding_count
            )),
            ..plain(alert.opened, What::Alert, Good::Bad)
        });
        if let Some(closed) = alert.closed {
            happened.push(Happened {
                what: format!("Alert {id} was over: nothing was added for a while"),
                ..plain(closed, What::Alert, Good::Plain)
            });
        }
    }
    let rules = rules(facts, scope);
    let entries = facts.trail.entries.iter();
    let entries = entries.filter(|entry| entry.time >= scope.since);
    happened.extend(entries.filter_map(|entry| done(entry, scope, &rules)));
    // What is found comes before the alert that it opens.
    happened.sort_by_key(|one| (one.time, one.kind));
    let mut happened = collapse(happened);
    let cut = happened.len().saturating_sub(HAPPENED_MAX) as u64;
    happened.truncate(HAPPENED_MAX);
    Timeline { happened, cut }
}

pub(super) const fn plain(time: Time, kind: What, tone: Good) -> Happened {
    Happened {
        time,
        kind,
        what: String::new(),
        reason: None,
        by: None,
        entry: None,
        tone,
    }
}

fn seen(facts: &Facts, scope: &Scope<'_>, out: &mut Vec<Happened>) {
    for host in &facts.hosts {
        if scope.suspects(host.address) {
            let role = host.role.role.label();
            out.push(Happened {
                what: format!(
                    "{} was seen for the first time (role: {role})",
                    host.address
                ),
                ..plain(host.first_seen, What::Seen, Good::Plain)
            });
        }
    }
}

/// The first and the last contact of each suspect with those that findings name.
fn traffic(facts: &Facts, scope: &Scope<'_>, out: &mut Vec<Happened>) {
    for suspect in scope.suspects.keys() {
        let contacts: Vec<_> = facts
            .contacts
            .iter()
            .filter(|one| one.client == *suspect && scope.victims.contains(&one.server))
            .filter(|one| one.last >= scope.since)
            .collect();
        let of = |address: IpAddr, port: Option<u16>, proto: &str| match port {
            Some(port) => format!("{address}, {proto} port {port}"),
            None => format!("{address}, {proto}"),
        };
        if let Some(first) = contacts.iter().min_by_key(|one| one.first) {
            let server = of(first.server, first.port, &first.proto);
            out.push(Happened {
                what: format!("{suspect} first talked to a system that was attacked: {server}"),
                ..plain(first.first, What::Traffic, Good::Open)
            });
        }
        if let Some(last) = contacts.iter().max_by_key(|one| one.last) {
            let server = of(last.server, last.port, &last.proto);
            out.push(Happened {
                what: format!(
                    "Last traffic seen between {suspect} and a system that was attacked: {server}"
                ),
                ..plain(last.last, What::Traffic, Good::Plain)
            });
        }
    }
}

fn found(finding: &Finding) -> Happened {
    let (subject, detector) = (finding.subject, &finding.detector);
    let way = if finding.role.is_victim() {
        "is the victim of"
    } else {
        "did"
    };
    let first: Vec<String> = finding
        .victims
        .iter()
        .take(4)
        .map(IpAddr::to_string)
        .collect();
    let more = finding.victim_count.saturating_sub(first.len() as u64);
    let whom = match (first.is_empty(), more) {
        (true, _) => String::new(),
        (false, 0) => format!(" (at {})", first.join(", ")),
        (false, more) => format!(" (at {} and {more} more)", first.join(", ")),
    };
    Happened {
        what: format!("{subject} {way}: {}{whom}", finding.evidence),
        reason: Some(format!(
            "{detector}, {:.0} % sure; ATT&CK {}",
            finding.confidence * 100.0,
            technique(&finding.technique)
        )),
        ..plain(finding.time, What::Finding, Good::Bad)
    }
}

/// Rules about a suspect.
fn rules(facts: &Facts, scope: &Scope<'_>) -> Vec<RuleId> {
    let entries = facts.trail.entries.iter();
    entries
        .filter_map(|entry| match &entry.action {
            Action::RuleAdded { rule } => {
                let mut suspects = scope.suspects.keys();
                let about = suspects.any(|device| is_about(facts, &rule.target, *device));
                about.then_some(rule.id)
            }
            _ => None,
        })
        .collect()
}

/// Of decisions that say the same one after another only the first stays, with how many there were.
fn collapse(happened: Vec<Happened>) -> Vec<Happened> {
    let mut kept: Vec<(Happened, u64)> = Vec::new();
    for one in happened {
        let alike = |before: &Happened| {
            one.kind == What::Decision
                && (before.kind, &before.what, &before.reason) == (one.kind, &one.what, &one.reason)
        };
        // Findings may stand between two decisions.
        let last = kept
            .iter_mut()
            .rev()
            .take(8)
            .find(|(before, _)| alike(before));
        if let Some((_, more)) = last {
            *more += 1;
        } else {
            kept.push((one, 0));
        }
    }
    kept.into_iter()
        .map(|(mut one, more)| {
            if more > 0 {
                one.what = format!("{} (and {more} more alike)", one.what);
            }
            one
        })
        .collect()
}
