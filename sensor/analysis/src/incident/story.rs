//! The story of an incident, in order: who did what to whom, how far it got, what may come next. Each statement names the
//! alerts that it rests on.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use sensor_facts::{
    alert::Alert,
    finding::AttackRole,
    incident::{Incident, Stage},
    time::Time,
};
use serde::{Deserialize, Serialize};

/// Devices that a statement names.
const NAMED: usize = 6;

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// When it was found.
    pub time: Time,
    /// The stage of the attack; none where the technique has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// MITRE ATT&CK technique.
    pub technique: String,
    /// The device that it is about.
    pub device: IpAddr,
    /// What part the device has in it.
    pub role: AttackRole,
    /// The evidence.
    pub evidence: String,
    /// Whom it was done to, the first of them.
    pub victims: Vec<IpAddr>,
    /// How many they are.
    pub victim_count: u64,
    /// They are where the packets of a flood come from.
    #[serde(default)]
    pub are_sources: bool,
    /// The detector that found it.
    pub detector: String,
    /// How sure the detector is by itself, 0 to 1.
    pub confidence: f64,
    /// Number of the alert; none of a hint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<u64>,
}

/// A statement, and the alerts that it rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The statement.
    pub text: String,
    /// Numbers of the alerts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<u64>,
}

/// The story of an incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Story {
    /// The incident.
    pub incident: Incident,
    /// Who is suspected, and how each came into it.
    pub who: Vec<Claim>,
    /// What was found, by time.
    pub steps: Vec<Step>,
    /// To whom it was done.
    pub whom: Option<Claim>,
    /// How far it got.
    pub far: Option<Claim>,
    /// What may come next.
    pub next: Option<Claim>,
}

impl Story {
    /// Of an incident, with its alerts as far as they are known.
    #[must_use]
    pub fn of(incident: &Incident, alerts: &[Alert]) -> Self {
        let steps = steps(incident, alerts);
        let far = far(incident);
        Self {
            who: who(incident),
            whom: whom(incident, &steps),
            next: far.as_ref().and_then(|_| next(incident)),
            far,
            steps,
            incident: incident.clone(),
        }
    }
}

fn steps(incident: &Incident, alerts: &[Alert]) -> Vec<Step> {
    let of_alert = |alert: &Alert| {
        let id = alert.id;
        let findings = alert.findings.iter();
        findings
            .map(|one| Step {
                time: one.time,
                stage: Stage::of(&one.technique),
                technique: one.technique.clone(),
                device: one.subject,
                role: one.role,
                evidence: one.evidence.clone(),
                victims: one.victims.clone(),
                victim_count: one.victim_count,
                are_sources: one.targets().is_empty(),
                detector: one.detector.clone(),
                confidence: one.confidence,
                alert: Some(id),
            })
            .collect::<Vec<_>>()
    };
    let known = alerts.iter().filter(|one| incident.has(one.id));
    let mut all: Vec<Step> = known.flat_map(of_alert).collect();
    all.extend(incident.hints.iter().map(|one| Step {
        time: one.time,
        stage: Stage::of(&one.technique),
        technique: one.technique.clone(),
        device: one.device,
        role: one.role,
        evidence: one.evidence.clone(),
        victims: Vec::new(),
        victim_count: 0,
        are_sources: false,
        detector: one.detector.clone(),
        confidence: one.confidence,
        alert: None,
    }));
    all.sort_by_key(|one| (one.time, one.alert));
    all
}

fn who(incident: &Incident) -> Vec<Claim> {
    let of = |device: IpAddr| -> Vec<u64> {
        let alerts = incident.alerts.iter();
        let own = alerts.filter(|one| one.device == device && !one.role.is_victim());
        own.map(|one| one.alert).collect()
    };
    let mut all = Vec::new();
    let Some(first) = incident.first_affected else {
        all.push(Claim {
            text: "No device is suspected: only victims are known.".to_owned(),
            alerts: incident.alerts.iter().map(|one| one.alert).collect(),
        });
        return all;
    };
    all.push(Claim {
        text: format!("{first} is the suspected device that it began with, as far as is known."),
        alerts: of(first),
    });
    for device in incident.suspects() {
        if device == first {
            continue;
        }
        let own = of(device);
        let about = incident.links.iter();
        let mut about: Vec<_> = about
            .filter(|link| own.contains(&link.to) || own.contains(&link.from))
            .collect();
        // What it follows from says more than what it has in common.
        about.sort_by_key(|link| (!link.because.is_step(), !own.contains(&link.to)));
        all.push(match about.first() {
            Some(link) => Claim {
                text: format!("{device} is suspected too: {}.", link.because),
                alerts: vec![link.from, link.to],
            },
            None => Claim {
                text: format!("{device} is suspected too."),
                alerts: own,
            },
        });
    }
    all
}

fn whom(incident: &Incident, steps: &[Step]) -> Option<Claim> {
    let mut by: BTreeMap<IpAddr, BTreeSet<u64>> = BTreeMap::new();
    for step in steps {
        let Some(alert) = step.alert else { continue };
        if step.role.is_victim() {
            by.entry(step.device).or_default().insert(alert);
        }
        for victim in step.victims.iter().filter(|_| !step.are_sources) {
            by.entry(*victim).or_default().insert(alert);
        }
    }
    if by.is_empty() {
        return None;
    }
    let suspects = incident.suspects();
    let named: Vec<String> = by
        .keys()
        .take(NAMED)
        .map(|one| {
            let mark = if suspects.contains(one) {
                " (suspected too)"
            } else {
                ""
            };
            format!("{one}{mark}")
        })
        .collect();
    let more = match by.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more that the alerts name"),
    };
    let alerts: BTreeSet<u64> = by.values().flatten().copied().collect();
    Some(Claim {
        text: format!("Attacked: {}{more}.", named.join(", ")),
        alerts: alerts.into_iter().collect(),
    })
}

fn furthest(incident: &Incident) -> Option<(Stage, Vec<u64>)> {
    let stage = incident.stages().into_iter().max()?;
    let alerts = incident.alerts.iter().filter(|alert| {
        let mut techniques = alert.techniques.iter();
        techniques.any(|one| Stage::of(one) == Some(stage))
    });
    Some((stage, alerts.map(|one| one.alert).collect()))
}

fn far(incident: &Incident) -> Option<Claim> {
    let (stage, alerts) = furthest(incident)?;
    Some(Claim {
        text: format!(
            "The furthest stage that was found is {stage} (ATT&CK {}).",
            stage.id()
        ),
        alerts,
    })
}

/// What attacks that got so far do next. It is no finding, and says so.
fn next(incident: &Incident) -> Option<Claim> {
    let (stage, alerts) = furthest(incident)?;
    let suspects = incident.suspects();
    let others = incident.victims.iter();
    let others: Vec<String> = others
        .filter(|one| !suspects.contains(one))
        .take(NAMED)
        .map(ToString::to_string)
        .collect();
    let look = if others.is_empty() {
        String::new()
    } else {
        format!(" Look first at {}.", others.join(", "))
    };
    Some(Claim {
        text: format!(
            "Attacks that got this far usually go on with {}. This is experience, and no finding.{look}",
            stage.next()
        ),
        alerts,
    })
}
