//! How many alerts people are told of in a day: low and medium severity have a budget each, so that many small alerts do
//! not hide a greater one.

use std::collections::VecDeque;

use sensor_facts::{
    alert::{Alert, Severity},
    time::Time,
};

const DAY: i64 = 86_400_000_000_000;

/// Techniques whose alerts are never suppressed (ATT&CK): someone stands between others, has a way in or out, or takes
/// data along.
const GRAVE: [&str; 11] = [
    "T1041",
    "T1048",
    "T1071.004",
    "T1095",
    "T1219",
    "T1557",
    "T1557.001",
    "T1557.002",
    "T1557.003",
    "T1565.002",
    "T1567.002",
];

/// A suppressed alert that has so many findings has grown.
const GROWN: u64 = 16;

/// When alerts were opened that the budgets paid for.
#[derive(Default)]
pub(super) struct Budget {
    low: VecDeque<Time>,
    medium: VecDeque<Time>,
}

impl Budget {
    /// True if people are told of an alert that opens; `most` is the budget of each severity for a day. Alerts of high
    /// severity, of clinical devices and of grave techniques take nothing from it.
    pub(super) fn pays(&mut self, alert: &Alert, clinical: bool, now: Time, most: usize) -> bool {
        let opened = match alert.severity {
            Severity::Low => &mut self.low,
            Severity::Medium => &mut self.medium,
            Severity::High | Severity::Critical => return true,
        };
        let grave = |one: &String| GRAVE.contains(&one.as_str());
        if clinical || alert.techniques.iter().any(grave) {
            return true;
        }
        while opened
            .front()
            .is_some_and(|opened| now.0.saturating_sub(opened.0) > DAY)
        {
            opened.pop_front();
        }
        if opened.len() >= most {
            return false;
        }
        opened.push_back(now);
        true
    }
}

/// True for a suppressed alert that has grown: another detector agrees or it is more urgent (`more`), or it has gone on
/// for long.
pub(super) fn has_grown(alert: &Alert, more: bool) -> bool {
    alert.suppressed && (more || alert.finding_count == GROWN)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use sensor_facts::finding::{AttackRole, Finding, Origin};

    use super::super::{AlertUpdate, Alerts};
    use super::*;
    use crate::config::Alerting;

    fn finding(host: u8, detector: &str, technique: &str, confidence: f64) -> Finding {
        Finding {
            id: 1,
            time: Time(DAY),
            detector: detector.to_owned(),
            technique: technique.to_owned(),
            basis: sensor_facts::finding::Basis::Behaviour,
            confidence,
            subject: IpAddr::from([10, 0, 0, host]),
            role: AttackRole::Suspect,
            victims: Vec::new(),
            victim_count: 0,
            service: None,
            offered: None,
            connection: None,
            evidence: String::new(),
            features: Vec::new(),
            wrong_if: String::new(),
            origin: Origin::Confirmed,
            sender_mac: None,
        }
    }

    fn alerts(budget: u32) -> Alerts {
        Alerts::new(Alerting {
            budget,
            ..Alerting::default()
        })
    }

    fn told(alerts: &mut Alerts, finding: Finding, clinical: bool) -> Option<AlertUpdate> {
        alerts.take(finding, clinical, 10)
    }

    #[test]
    fn low_alerts_do_not_use_up_the_budget_of_others() {
        let mut alerts = alerts(2);
        for host in 1..=5 {
            let update = told(&mut alerts, finding(host, "scan", "T1046", 0.55), false);
            assert_eq!(update.is_some(), host <= 2, "{host}");
        }
        assert_eq!(alerts.suppressed(), 3);
        let medium = finding(6, "scan", "T1046", 0.7);
        assert!(
            told(&mut alerts, medium, false).is_some(),
            "of its own budget"
        );
        let clinical = finding(7, "scan", "T1046", 0.55);
        assert!(
            told(&mut alerts, clinical, true).is_some(),
            "a clinical device"
        );
        let tunnel = finding(8, "dns_tunnel", "T1071.004", 0.55);
        assert!(told(&mut alerts, tunnel, false).is_some(), "a way out");
    }

    #[test]
    fn a_suppressed_alert_comes_back_when_it_grows() {
        let mut alerts = alerts(0);
        let low = || finding(1, "scan", "T1046", 0.55);
        assert!(told(&mut alerts, low(), false).is_none());
        let update = told(&mut alerts, finding(1, "sweep", "T1018", 0.2), false);
        let update = update.expect("another detector agrees");
        assert!(!update.alert.suppressed && update.change == sensor_facts::alert::Change::Opened);
        assert_eq!(alerts.suppressed(), 0, "the list and the number agree");

        let mut alerts = self::alerts(0);
        let rounds = (1..=GROWN).filter(|_| told(&mut alerts, low(), false).is_some());
        assert_eq!(rounds.count(), 1, "it goes on for long");
        let standing = alerts.standing();
        assert_eq!((standing.suppressed, standing.suppressed_ever), (0, 1));
    }
}
