//! Alerts with their times: from the first finding to the decision, to containment, to its effect, to a person's word.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sensor_facts::{
    action::{Action, Decision},
    alert::Alert,
    rule::{RuleId, State},
    target::Target,
    time::Time,
};

use super::{Facts, Incident, Incidents};

/// A decision about an alert's device belongs to it up to so long after its last finding, nanoseconds.
const AFTER: i64 = 3_600_000_000_000;

/// What the trail has of a rule.
#[derive(Default)]
struct Rule {
    target: Option<Target>,
    made: Option<Time>,
    drops_since: Option<Time>,
    effective: Option<Time>,
    ended: Option<Time>,
}

pub(super) fn incidents(facts: Facts<'_>) -> Incidents {
    let trail = FromTrail::of(facts);
    let alerts: Vec<Incident> = facts
        .alerts
        .iter()
        .filter(|alert| facts.has(alert.opened))
        .map(|alert| trail.incident(alert))
        .collect();
    let mut severities = BTreeMap::new();
    for alert in &alerts {
        *severities.entry(alert.severity.clone()).or_default() += 1;
    }
    let labelled = |label: &str| {
        let with = alerts
            .iter()
            .filter(|one| one.label.as_deref() == Some(label));
        with.count() as u64
    };
    let (malicious, benign) = (labelled("malicious"), labelled("benign"));
    Incidents {
        severities,
        malicious,
        benign,
        unlabelled: alerts.len() as u64 - malicious - benign,
        median_to_decision: median(&alerts, |one| one.decided),
        median_to_containment: median(&alerts, |one| one.contained),
        median_to_effect: median(&alerts, |one| one.effective),
        median_to_label: median(&alerts, |one| one.labelled),
        alerts,
    }
}

/// Half of the alerts that got so far needed less, seconds.
fn median(alerts: &[Incident], moment: impl Fn(&Incident) -> Option<Time>) -> Option<f64> {
    let times = alerts.iter().filter_map(|one| {
        let nanoseconds = moment(one)?.0.saturating_sub(one.opened.0);
        Some(nanoseconds.max(0))
    });
    let mut times: Vec<i64> = times.collect();
    times.sort_unstable();
    let middle = times.get(times.len() / 2)?;
    #[expect(clippy::cast_precision_loss, reason = "it is shown to the millisecond")]
    let seconds = (middle / 1_000_000) as f64 / 1_000.0;
    Some(seconds)
}

/// What the trail tells of rules, decisions and labels.
struct FromTrail<'a> {
    rules: HashMap<RuleId, Rule>,
    decisions: HashMap<&'a str, Vec<(Time, &'a Decision)>>,
    labels: HashMap<u64, (Time, &'a str)>,
}

impl<'a> FromTrail<'a> {
    fn of(facts: Facts<'a>) -> Self {
        let mut this = Self {
            rules: HashMap::new(),
            decisions: HashMap::new(),
            labels: HashMap::new(),
        };
        for entry in &facts.trail.entries {
            this.take(entry.time, &entry.action);
        }
        this
    }

    fn take(&mut self, time: Time, action: &'a Action) {
        match action {
            Action::RuleAdded { rule } => {
                let known = self.rules.entry(rule.id).or_default();
                known.target = Some(rule.target);
                known.made = Some(time);
                if rule.state == State::Enabled {
                    known.drops_since = Some(time);
                }
            }
            Action::RuleChanged(changed) if changed.state == State::Enabled => {
                let known = self.rules.entry(changed.id).or_default();
                known.drops_since = known.drops_since.or(Some(time));
            }
            Action::Effect { id, verdict, .. } if verdict == "effective" => {
                let known = self.rules.entry(*id).or_default();
                known.effective = known.effective.or(Some(time));
            }
            Action::RuleRemoved { id, .. } => {
                self.rules.entry(*id).or_default().ended = Some(time);
            }
            Action::ReleasedAll { ids, .. } => {
                for id in ids {
                    self.rules.entry(*id).or_default().ended = Some(time);
                }
            }
            Action::Decided(decision) => {
                let about = self.decisions.entry(decision.subject.as_str()).or_default();
                about.push((time, decision));
            }
            Action::Labelled { alert, verdict, .. } => {
                self.labels.insert(*alert, (time, verdict));
            }
            _ => {}
        }
    }

    fn incident(&self, alert: &Alert) -> Incident {
        let end = Time(alert.updated.0.saturating_add(AFTER));
        let within = |time: Time| (alert.opened..=end).contains(&time);
        let subject = alert.device.to_string();
        let decisions = self.decisions.get(subject.as_str());
        let decisions: Vec<_> = decisions
            .into_iter()
            .flatten()
            .filter(|(time, _)| within(*time))
            .collect();
        let kept = alert.decisions.first().map(|one| one.time);
        let decided = decisions.first().map(|(time, _)| *time).or(kept);
        let verdict = decisions.last().map(|(_, one)| one.verdict.clone());
        let last = alert.decisions.last();
        let mut rules: BTreeSet<RuleId> =
            decisions.iter().filter_map(|(_, one)| one.rule).collect();
        // Those that a person made about the device while it went on.
        rules.extend(self.rules.iter().filter_map(|(id, rule)| {
            let about = rule
                .target
                .is_some_and(|target| target.concerns(alert.device));
            (about && rule.made.is_some_and(within)).then_some(*id)
        }));
        let known: Vec<&Rule> = rules.iter().filter_map(|id| self.rules.get(id)).collect();
        let all_ended = !known.is_empty() && known.iter().all(|rule| rule.ended.is_some());
        let label = self.labels.get(&alert.id);
        let said = alert.label.as_ref();
        Incident {
            id: alert.id,
            device: alert.device,
            role: alert.role,
            severity: alert.severity.label().to_owned(),
            title: alert.title.clone(),
            opened: alert.opened,
            decided,
            verdict: verdict.or_else(|| last.map(|one| one.verdict.clone())),
            contained: known.iter().filter_map(|rule| rule.drops_since).min(),
            effective: known.iter().filter_map(|rule| rule.effective).min(),
            lifted: known
                .iter()
                .filter_map(|rule| rule.ended)
                .max()
                .filter(|_| all_ended),
            rules: rules.into_iter().collect(),
            label: label
                .map(|(_, verdict)| (*verdict).to_owned())
                .or_else(|| said.map(|label| label.verdict.label().to_owned())),
            labelled: label
                .map(|(time, _)| *time)
                .or_else(|| said.map(|label| label.time)),
        }
    }
}
