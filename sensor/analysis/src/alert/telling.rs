//! Keeping the outputs current: what an alert says there is what the lists say, a few seconds later at most.

use sensor_facts::{
    alert::{Alert, Change},
    finding::Finding,
    time::Time,
};

use super::{AlertUpdate, Alerts};
use crate::detect::caution;

/// Outputs are told of an alert that goes on changing once in so long, nanoseconds.
const PAUSE: i64 = 10_000_000_000;

impl Alerts {
    /// An attack is greater than the last finding of it said: the alert says so. It counts as no finding of its own.
    pub(crate) fn grow(&mut self, more: &Finding) {
        let key = (more.subject, more.role);
        let Some(id) = self.episodes.get(&key).map(|episode| episode.id) else {
            return;
        };
        let grow = |alert: &mut Alert| {
            let same = |one: &&mut Finding| one.detector == more.detector;
            let Some(finding) = alert.findings.iter_mut().find(same) else {
                return;
            };
            let evidence = format!("{}{}", more.evidence, caution(finding));
            if alert.title == finding.evidence {
                alert.title.clone_from(&evidence);
            }
            finding.evidence = evidence;
            finding.features.clone_from(&more.features);
            finding.victims.clone_from(&more.victims);
            finding.victim_count = more.victim_count;
            alert.updated = alert.updated.max(more.time);
            alert.collect_features();
        };
        if id == 0 {
            // Nobody was told of it yet.
            self.episodes.get_mut(&key).map(grow);
            return;
        }
        self.change(id, grow);
        self.is_untold(id, more.time);
    }

    /// An alert changed, and the outputs do not know.
    pub(super) fn is_untold(&mut self, id: u64, now: Time) {
        self.content.untold.entry(id).or_insert(now);
    }

    /// The alerts that changed some time ago, as they are now.
    pub(super) fn catch_up(&mut self, now: Time) -> Vec<AlertUpdate> {
        let due = |since: &Time| now.0.saturating_sub(since.0) >= PAUSE;
        let untold = self.content.untold.iter();
        let due: Vec<(u64, Time)> = untold
            .filter(|(_, since)| due(since))
            .map(|(id, since)| (*id, *since))
            .collect();
        let mut told = Vec::new();
        for (id, since) in due {
            self.content.untold.remove(&id);
            self.changed = true;
            let alert = self.get(id).filter(|alert| !alert.suppressed).cloned();
            told.extend(alert.map(|alert| AlertUpdate {
                // One that was closed before was told as closed.
                change: if alert.closed.is_some_and(|closed| closed >= since) {
                    Change::Closed
                } else {
                    Change::Updated
                },
                alert,
            }));
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use sensor_facts::{
        alert::{Label, Verdict},
        finding::{AttackRole, Basis, Origin},
        rule::Actor,
    };

    use super::*;
    use crate::config::Alerting;

    const SECOND: i64 = 1_000_000_000;

    fn scan(second: i64, evidence: &str) -> Finding {
        Finding {
            id: 1,
            time: Time(second * SECOND),
            detector: "scan".to_owned(),
            technique: "T1046".to_owned(),
            basis: Basis::Behaviour,
            confidence: 0.9,
            subject: IpAddr::from([10, 0, 0, 3]),
            role: AttackRole::Suspect,
            victims: Vec::new(),
            victim_count: 0,
            service: None,
            offered: None,
            connection: None,
            evidence: evidence.to_owned(),
            features: Vec::new(),
            wrong_if: String::new(),
            origin: Origin::Confirmed,
            sender_mac: None,
        }
    }

    fn changes(told: &[AlertUpdate]) -> Vec<(Change, &str)> {
        told.iter()
            .map(|one| (one.change, one.alert.title.as_str()))
            .collect()
    }

    #[test]
    fn outputs_catch_up_with_an_attack_that_grows() {
        let mut alerts = Alerts::new(Alerting::default());
        let opened = alerts.take(scan(100, "20 ports"), false, 10);
        assert_eq!(opened.map(|one| one.change), Some(Change::Opened));
        assert!(alerts.tick(Time(130 * SECOND)).is_empty(), "nothing is new");
        assert!(alerts.take(scan(131, "40 ports"), false, 10).is_none());
        alerts.grow(&scan(133, "47 ports"));
        let count = alerts.get(1).map(|alert| alert.finding_count);
        assert_eq!(count, Some(2), "growth is no finding");
        assert!(alerts.tick(Time(135 * SECOND)).is_empty(), "it may go on");
        let told = alerts.tick(Time(141 * SECOND));
        assert_eq!(changes(&told), [(Change::Updated, "47 ports")]);
        assert_eq!(told[0].alert.updated, Time(133 * SECOND));
        assert!(alerts.tick(Time(160 * SECOND)).is_empty(), "once");
    }

    #[test]
    fn outputs_hear_of_a_label_that_closes_an_alert() {
        let mut alerts = Alerts::new(Alerting::default());
        alerts.take(scan(100, "20 ports"), false, 10);
        let label = Label {
            verdict: Verdict::Benign,
            by: Actor::Daemon,
            time: Time(101 * SECOND),
            reason: "our scanner".to_owned(),
        };
        alerts.label(1, &label).expect("a label");
        let told = alerts.tick(Time(111 * SECOND));
        assert_eq!(changes(&told), [(Change::Closed, "20 ports")]);
        assert!(told[0].alert.is_benign());
    }

    #[test]
    fn what_was_not_told_before_a_restart_is_told_after_it() {
        let folder = std::env::temp_dir().join(format!("wardtap-untold-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let mut alerts = Alerts::new(Alerting::default());
        alerts.take(scan(100, "20 ports"), false, 10);
        alerts.grow(&scan(103, "23 ports"));
        alerts.save(&folder).expect("it is saved");
        let mut alerts = Alerts::open(&folder, Alerting::default());
        let told = alerts.tick(Time(120 * SECOND));
        assert_eq!(changes(&told), [(Change::Updated, "23 ports")]);
        std::fs::remove_dir_all(folder).expect("the folder goes");
    }
}
