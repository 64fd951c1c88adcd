//! Alerts: what a person is told.

mod label;
mod severity;

use std::{fmt, net::IpAddr};

use serde::{Deserialize, Serialize};

use crate::{
    finding::{AttackRole, Basis, Contribution, Finding},
    target::{ClinicalPeer, Target},
    time::Time,
};

pub use label::{Label, LabelError, Verdict};
pub use severity::Severity;

/// What became of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, schemars(rename = "AlertChange"))]
pub enum Change {
    /// It is new.
    Opened,
    /// It changed: it has grown, another detector agrees, the policy decided, or a person labelled it.
    Updated,
    /// It is over.
    Closed,
}

impl Change {
    /// As in events.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Updated => "updated",
            Self::Closed => "closed",
        }
    }
}

/// What the policy decided about a finding of the alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Decided {
    /// When the policy decided.
    pub time: Time,
    /// `act`, `propose`, `would_act`, `wait` or `no_action`.
    #[cfg_attr(test, schemars(extend("enum" = ["act", "propose", "would_act", "wait", "no_action"])))]
    pub verdict: String,
    /// What a rule would block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// Why, in words.
    pub reason: String,
}

/// What containment would do, and which clinical traffic it would stop.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Touched {
    /// What containment would do, in words.
    pub action: String,
    /// Clinical traffic that the device is known for, and that would stop with it, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clinical: Vec<String>,
    /// Clinical traffic of the device that is not known for long enough to be sure of its peers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recent: Option<Recent>,
}

/// Clinical traffic of a device that was first seen a short time ago.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Recent {
    /// Associations and accepted messages.
    pub exchanges: u64,
    /// Services that it exchanged them with, its own included.
    pub peers: u64,
}

impl fmt::Display for Recent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (exchanges, peers) = (self.exchanges, self.peers);
        write!(
            f,
            "{exchanges} associations or accepted messages with {peers} services, all first seen less than `clinical_after` (a day by default) ago"
        )
    }
}

/// Clinical peers that an alert names.
const CLINICAL_SHOWN: usize = 32;

impl Touched {
    /// What containment of an alert's device would touch, with its learnt clinical peers and what was seen of others.
    #[must_use]
    pub fn by(alert: &Alert, peers: &[ClinicalPeer], recent: Recent) -> Self {
        if alert.role.is_victim() {
            return Self {
                action: "do nothing: the device is the victim and must not be contained".to_owned(),
                ..Self::default()
            };
        }
        let action = alert
            .decisions
            .iter()
            .rev()
            .find_map(|one| one.target)
            .map_or_else(
                || format!("drop all traffic of {}", alert.device),
                |target| format!("drop {target}"),
            );
        let clinical = peers
            .iter()
            .take(CLINICAL_SHOWN)
            .map(|one| {
                let (peer, service) = (one.peer, one.service);
                let way = if one.serves { "serves" } else { "uses" };
                format!(
                    "{way} {peer}, {} port {}",
                    service.transport.label(),
                    service.port
                )
            })
            .collect();
        Self {
            action,
            clinical,
            recent: (recent.exchanges > 0).then_some(recent),
        }
    }
}

/// What people are told: the findings of one episode of one device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Alert {
    /// Number of the alert.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub id: u64,
    /// The device that it is about.
    pub device: IpAddr,
    /// What part the device has in the attack.
    #[serde(default, alias = "suffers")]
    pub role: AttackRole,
    /// How urgent the alert is.
    pub severity: Severity,
    /// How sure it is that at least one of the detectors is right, 0 to 1.
    #[cfg_attr(test, schemars(range(min = 0, max = 1)))]
    pub confidence: f64,
    /// What was found, in one line.
    pub title: String,
    /// When its first finding was made.
    pub opened: Time,
    /// When its last finding was made.
    pub updated: Time,
    /// When it was over: nothing was added for a while.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Time>,
    /// MITRE ATT&CK techniques of the findings.
    #[cfg_attr(test, schemars(inner(regex(pattern = r"^T[0-9]{4}(\.[0-9]{3})?$"))))]
    pub techniques: Vec<String>,
    /// The last finding of each detector.
    pub findings: Vec<Finding>,
    /// How many findings the alert has had.
    pub finding_count: u64,
    /// The features that contributed, and what is usual.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<Contribution>,
    /// What to check before acting.
    pub check: Vec<String>,
    /// What containment would do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub containment: Option<Touched>,
    /// What the policy decided, the latest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<Decided>,
    /// The label that a person gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Label>,
    /// The alert is only listed and was sent to nobody, since the day's budget was used up.
    #[serde(
        default,
        alias = "kept_back",
        skip_serializing_if = "std::ops::Not::not"
    )]
    #[cfg_attr(test, schemars(extend("const" = true)))]
    pub suppressed: bool,
}

/// Findings, the surest first.
fn by_weight(findings: &[Finding]) -> Vec<&Finding> {
    let mut all: Vec<&Finding> = findings.iter().collect();
    all.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    all
}

/// Decisions that an alert keeps.
const DECISIONS_MAX: usize = 16;

impl Alert {
    /// A new alert about the finding's device; it says nothing yet.
    #[must_use]
    pub fn open(id: u64, finding: &Finding) -> Self {
        Self::new(id, finding.subject, finding.role, finding.time)
    }

    /// An alert about a device that opens at a time and says nothing.
    #[must_use]
    pub fn new(id: u64, device: IpAddr, role: AttackRole, time: Time) -> Self {
        Self {
            id,
            device,
            role,
            severity: Severity::Low,
            confidence: 0.0,
            title: String::new(),
            opened: time,
            updated: time,
            closed: None,
            techniques: Vec::new(),
            findings: Vec::new(),
            finding_count: 0,
            features: Vec::new(),
            check: Vec::new(),
            containment: None,
            decisions: Vec::new(),
            label: None,
            suppressed: false,
        }
    }

    /// Takes a finding; `weigh` says how much a detector's confidence counts, `clinical` whether the alert
    /// is about clinical devices.
    pub fn take(&mut self, finding: Finding, clinical: bool, weigh: impl Fn(&str) -> f64) {
        self.updated = self.updated.max(finding.time);
        self.opened = self.opened.min(finding.time);
        self.finding_count += 1;
        let same = |one: &&mut Finding| one.detector == finding.detector;
        if let Some(before) = self.findings.iter_mut().find(same) {
            let confidence = before.confidence.max(finding.confidence);
            *before = finding;
            before.confidence = confidence;
        } else {
            self.findings.push(finding);
        }
        self.explain(clinical, weigh);
    }

    fn explain(&mut self, clinical: bool, weigh: impl Fn(&str) -> f64) {
        // One change makes several things new at once, so of findings that say no more than that only the surest counts.
        let (mut newest, mut doubt) = (0.0_f64, 1.0);
        for one in &self.findings {
            let weight = one.confidence * weigh(&one.detector);
            if one.basis == Basis::Novelty {
                newest = newest.max(weight);
            } else {
                doubt *= 1.0 - weight;
            }
        }
        self.confidence = 1.0 - doubt * (1.0 - newest);
        self.severity = Severity::of(self.confidence, clinical);
        self.collect_features();
        let by_weight = by_weight(&self.findings);
        self.title = by_weight
            .first()
            .map_or_else(String::new, |one| one.evidence.clone());
        self.techniques = by_weight.iter().map(|one| one.technique.clone()).collect();
        self.techniques.dedup();
        self.check = by_weight
            .iter()
            .map(|one| format!("{}: wrong if {}", one.detector, one.wrong_if))
            .collect();
    }

    /// Takes the features of all findings over.
    pub fn collect_features(&mut self) {
        let findings = by_weight(&self.findings).into_iter();
        self.features = findings
            .flat_map(|one| one.features.iter().cloned())
            .collect();
    }

    /// A person said that it was nothing bad.
    #[must_use]
    pub fn is_benign(&self) -> bool {
        let label = self.label.as_ref();
        label.is_some_and(|label| label.verdict == Verdict::Benign)
    }

    /// It rests on more than that something is new: what the device does now must not become usual.
    #[must_use]
    pub fn is_more_than_new(&self) -> bool {
        let behaviour = |one: &Finding| one.basis == Basis::Behaviour && !one.role.is_victim();
        self.findings.len() > 1 || self.findings.iter().any(behaviour)
    }

    /// Notes what the policy decided.
    pub fn note(&mut self, decided: Decided) {
        if self.decisions.len() == DECISIONS_MAX {
            self.decisions.remove(0);
        }
        self.decisions.push(decided);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn confidence(of: &[(&str, f64, Basis)]) -> f64 {
        let device = IpAddr::from([10, 0, 0, 1]);
        let mut alert = Alert::new(1, device, AttackRole::Suspect, Time(0));
        for (detector, confidence, basis) in of {
            let finding = Finding {
                id: 1,
                time: Time(0),
                detector: (*detector).to_owned(),
                technique: "T1046".to_owned(),
                basis: *basis,
                confidence: *confidence,
                subject: device,
                role: AttackRole::Suspect,
                victims: Vec::new(),
                victim_count: 0,
                service: None,
                offered: None,
                connection: None,
                evidence: String::new(),
                features: Vec::new(),
                wrong_if: String::new(),
                origin: crate::finding::Origin::Confirmed,
                sender_mac: None,
            };
            alert.take(finding, false, |_| 1.0);
        }
        alert.confidence
    }

    #[test]
    fn what_is_new_in_two_ways_is_no_surer_than_in_one() {
        let new = [
            ("new_service", 0.5, Basis::Novelty),
            ("off_hours", 0.4, Basis::Novelty),
        ];
        assert!((confidence(&new) - 0.5).abs() < 1e-9);
        // What was done, and an amount, are other evidence.
        let more = [new[0], new[1], ("scan", 0.5, Basis::Behaviour)];
        assert!((confidence(&more) - 0.75).abs() < 1e-9);
        let amount = [new[0], ("unusual_amount", 0.2, Basis::Statistics)];
        assert!((confidence(&amount) - 0.6).abs() < 1e-9);
    }
}
