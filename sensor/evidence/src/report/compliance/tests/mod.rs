//! A month made by hand.

mod document;

use sensor_analysis::{detect::Detect, exposure::Exposure};
use sensor_facts::{
    action::{Action, Change, Decision, RuleChange},
    alert::Alert,
    contact::Contact,
    rule::{Actor, Rule, Scope, State},
    target::Target,
    time::Time,
};
use sensor_sessions::{inventory::HostReport, pipeline::PipelineOptions};
use serde_json::json;

use std::collections::BTreeMap;

use super::*;
use crate::{
    audit::Entry,
    report::{html, markdown},
};

const MINUTE: i64 = 60_000_000_000;

fn at(minute: i64) -> Time {
    Time(minute * MINUTE)
}

fn person() -> Actor {
    Actor::Person {
        uid: 1_000,
        name: Some("ada".to_owned()),
    }
}

fn started(config: &str) -> Action {
    Action::Started {
        version: "1.2.3".to_owned(),
        config: config.to_owned(),
        interfaces: vec!["span0 (mirror, driver mode)".to_owned()],
        differences: Vec::new(),
        rules: 0,
    }
}

fn trail(actions: Vec<(i64, Actor, Action)>) -> Trail {
    let entries = actions.into_iter().enumerate();
    let entries = entries.map(|(place, (minute, actor, action))| Entry {
        seq: place as u64 + 1,
        time: at(minute),
        actor,
        action,
    });
    Trail {
        entries: entries.collect(),
        state: TrailState {
            whole: true,
            ..TrailState::default()
        },
        omitted: 0,
    }
}

/// What a report is made from, by itself.
struct Month {
    trail: Trail,
    counted: Counted,
    hosts: Vec<HostReport>,
    contacts: Vec<Contact>,
    alerts: Vec<Alert>,
    exposure: Exposure,
    site: Detect,
    ports: PipelineOptions,
    missing: Vec<String>,
}

impl Month {
    fn new(actions: Vec<(i64, Actor, Action)>) -> Self {
        Self {
            trail: trail(actions),
            counted: Counted::default(),
            hosts: Vec::new(),
            contacts: Vec::new(),
            alerts: Vec::new(),
            exposure: Exposure::default(),
            site: Detect::default(),
            ports: PipelineOptions::default(),
            missing: Vec::new(),
        }
    }

    /// Of the minutes 100 to 200.
    fn report(&self) -> Compliance {
        report(Facts {
            time: at(201),
            since: at(100),
            until: at(200),
            version: "1.2.3",
            trail: &self.trail,
            counted: &self.counted,
            hosts: &self.hosts,
            contacts: &self.contacts,
            alerts: &self.alerts,
            exposure: &self.exposure,
            site: &self.site,
            ports: &self.ports,
            missing: &self.missing,
        })
    }
}

fn counters(all: &[(&str, u64)]) -> BTreeMap<String, u64> {
    all.iter()
        .map(|(name, value)| ((*name).to_owned(), *value))
        .collect()
}

#[test]
fn gaps_are_the_times_without_a_daemon() {
    let mut month = Month::new(vec![
        (50, Actor::Daemon, started("aa")),
        (110, Actor::Daemon, Action::Stopped),
        (120, Actor::Daemon, started("aa")),
        // Killed some time after its last counters at 140.
        (150, Actor::Daemon, started("bb")),
    ]);
    let readings = [
        (at(125), counters(&[("packets", 100), ("ring_lost", 1)])),
        (at(140), counters(&[("packets", 400), ("ring_lost", 3)])),
        // Counters began anew.
        (at(155), counters(&[("packets", 50), ("ring_lost", 0)])),
        (
            at(190),
            counters(&[
                ("packets", 60),
                ("ring_lost", 0),
                ("output_json_dropped_queue_full", 7),
            ]),
        ),
    ];
    for (time, counters) in readings {
        month.counted.add(time, counters);
    }
    let report = month.report();
    let gaps: Vec<_> = report
        .coverage
        .gaps
        .iter()
        .map(|gap| (gap.since, gap.until))
        .collect();
    assert_eq!(gaps, [(at(110), at(120)), (at(140), at(150))]);
    assert!(report.coverage.gaps[0].why.contains("stopped"));
    assert!(report.coverage.gaps[1].why.contains("killed"));
    assert_eq!(
        (report.coverage.listened_seconds, report.coverage.seconds),
        (80 * 60, 100 * 60)
    );
    // The daemon that counted first began within the time.
    assert_eq!(report.coverage.counters["packets"], 400 + 50 + 10);
    assert_eq!(report.coverage.counted_since, Some(at(120)));
    let losses = report.coverage.losses.iter().filter(|loss| loss.count > 0);
    let losses: Vec<_> = losses
        .map(|loss| (loss.counter.as_str(), loss.count))
        .collect();
    assert_eq!(
        losses,
        [("ring_lost", 3), ("output_json_dropped_queue_full", 7)]
    );
    // The configuration changed once within the time.
    assert_eq!(report.acts.configurations.len(), 1);
    assert!(report.acts.configurations[0].what.contains("bb"));
}

#[test]
fn a_time_before_the_first_start_is_a_gap() {
    let report = Month::new(vec![(150, Actor::Daemon, started("aa"))]).report();
    assert_eq!(report.coverage.gaps.len(), 1);
    assert_eq!(
        (report.coverage.gaps[0].since, report.coverage.gaps[0].until),
        (at(100), at(150))
    );
    assert_eq!(Month::new(Vec::new()).report().coverage.listened_seconds, 0);
}

fn rule(state: State) -> Box<Rule> {
    Box::new(Rule {
        id: 7,
        target: Target::Device {
            address: [10, 0, 0, 66].into(),
        },
        scope: Scope::All,
        state,
        sticky: false,
        created: at(121),
        expires: at(181),
        reason: "it spreads".to_owned(),
        by: Actor::Policy {
            group: "default".to_owned(),
        },
    })
}

fn alert() -> Alert {
    serde_json::from_value(json!({
        "id": 3, "device": "10.0.0.66", "severity": "high", "confidence": 0.9, "title": "it spreads",
        "opened": at(120), "updated": at(125), "techniques": [], "finding_count": 1, "check": [], "findings": [],
    }))
    .unwrap()
}

fn contained() -> Month {
    let policy = Actor::Policy {
        group: "default".to_owned(),
    };
    let decision = |rule| {
        Action::Decided(Decision {
            finding: "it spreads".to_owned(),
            subject: "10.0.0.66".to_owned(),
            target: None,
            group: "default".to_owned(),
            mode: "propose".to_owned(),
            verdict: "propose".to_owned(),
            reason: "two findings agree".to_owned(),
            rule,
        })
    };
    let mut month = Month::new(vec![
        (90, Actor::Daemon, started("aa")),
        (121, policy.clone(), decision(Some(7))),
        (
            121,
            policy,
            Action::RuleAdded {
                rule: rule(State::Proposed),
            },
        ),
        (
            123,
            person(),
            Action::RuleChanged(RuleChange {
                id: 7,
                change: Change::Approved,
                state: State::Enabled,
                expires: at(181),
                reason: "seen at the desk".to_owned(),
            }),
        ),
        (
            124,
            Actor::Daemon,
            Action::Effect {
                id: 7,
                verdict: "effective".to_owned(),
                detail: "12 packets dropped".to_owned(),
            },
        ),
        (
            130,
            person(),
            Action::Labelled {
                alert: 3,
                verdict: "malicious".to_owned(),
                reason: "it was an intruder".to_owned(),
            },
        ),
        (
            140,
            person(),
            Action::Exported {
                what: "features".to_owned(),
                items: 5,
                pseudonymised: true,
            },
        ),
    ]);
    month.alerts = vec![alert()];
    month
}

#[test]
fn an_alert_has_its_times_from_finding_to_label() {
    let report = contained().report();
    let one = &report.incidents.alerts[0];
    assert_eq!(
        (
            one.decided,
            one.contained,
            one.effective,
            one.lifted,
            one.labelled
        ),
        (
            Some(at(121)),
            Some(at(123)),
            Some(at(124)),
            None,
            Some(at(130))
        )
    );
    assert_eq!(
        (one.rules.as_slice(), one.label.as_deref()),
        ([7].as_slice(), Some("malicious"))
    );
    let close = |median: Option<f64>, minutes: f64| (median.unwrap() - minutes * 60.0).abs() < 1e-9;
    assert!(close(report.incidents.median_to_containment, 3.0));
    assert!(close(report.incidents.median_to_label, 10.0));
    assert_eq!(report.incidents.malicious, 1);
    let approved = report
        .acts
        .containment
        .iter()
        .find(|act| act.what == "rule 7 approved");
    let approved = approved.unwrap();
    assert_eq!(
        (approved.by.as_str(), approved.reason.as_str()),
        ("ada", "seen at the desk")
    );
    assert_eq!(report.acts.exports.len(), 1);
    assert_eq!(report.acts.decisions["propose"], 1);
}

#[test]
fn a_rule_of_another_device_or_time_is_not_the_alerts() {
    let mut month = contained();
    let other = serde_json::from_value(json!({
        "id": 4, "device": "10.0.0.5", "severity": "low", "confidence": 0.6, "title": "",
        "opened": at(120), "updated": at(125), "techniques": [], "finding_count": 1, "check": [], "findings": [],
    }));
    let later = Alert {
        id: 5,
        opened: at(190),
        updated: at(191),
        ..alert()
    };
    month.alerts = vec![other.unwrap(), later];
    let report = month.report();
    assert!(
        report
            .incidents
            .alerts
            .iter()
            .all(|one| one.rules.is_empty() && one.contained.is_none())
    );
    assert_eq!(report.incidents.unlabelled, 2);
}
