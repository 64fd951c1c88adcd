//! `ArcSight` Common Event Format: `CEF:0|Wardtap|Wardtap|version|class|name|severity|key=value ...` (Micro Focus, "Implementing
//! `ArcSight` Common Event Format (CEF)", version 25, whose dictionary names the keys and their lengths).
//!
//! `docs/outputs.md` says which key has what.

mod incident;
mod line;

use self::line::{Line, TEXT, WORD};
use super::origin::{Origin, message_id};
use sensor_facts::{
    action::{Action, RuleChange},
    alert::{Alert, Change, Severity},
    event::{AuditReport, Body, Event},
    finding::Finding,
    mirror::MirrorReport,
    rule::Actor,
    target::Target,
    time::Time,
};

/// The event as a line, for alerts, incidents, findings, audit entries and what is wrong with the mirror.
pub(super) fn of(event: &Event, origin: &Origin) -> Option<String> {
    let mut line = match &event.body {
        Body::Alert { alert } => of_alert(alert.change, &alert.alert),
        Body::Incident { incident } => incident::of(incident),
        Body::Finding { finding } => of_finding(finding),
        Body::Audit { audit } => of_audit(audit),
        Body::Mirror { mirror } => of_mirror(mirror),
        _ => return None,
    };
    line.put("rt", millis(event.timestamp), WORD);
    line.put("externalId", message_id(event), WORD);
    line.put("dvchost", &origin.host, 100);
    Some(line.text)
}

/// From 0 to 10: low to 3, medium to 6, high to 8, very high above.
const fn severity(of: Severity) -> u8 {
    match of {
        Severity::Low => 3,
        Severity::Medium => 6,
        Severity::High => 8,
        Severity::Critical => 10,
    }
}

fn of_alert(change: Change, alert: &Alert) -> Line {
    let leading = leading(alert);
    let class = leading.map_or("alert", |one| one.detector.as_str());
    let mut line = Line::new(class, &alert.title, severity(alert.severity));
    line.put("cat", "alert", TEXT);
    line.custom("cs2", "change", change.label());
    line.custom("cn1", "alert", alert.id);
    line.custom("cfp1", "confidence", format!("{:.3}", alert.confidence));
    line.custom("cs1", "ATT&CK", alert.techniques.join(" "));
    let detectors: Vec<&str> = alert.findings.iter().map(|one| &*one.detector).collect();
    line.custom("cs3", "detectors", detectors.join(" "));
    line.custom("cs4", "check", alert.check.join("; "));
    if let Some(touched) = &alert.containment {
        line.custom("cs5", "containment would", &touched.action);
    }
    if let Some(decided) = alert.decisions.last() {
        line.put("act", &decided.verdict, WORD);
        line.put("reason", &decided.reason, TEXT);
    }
    line.put("cnt", alert.finding_count, WORD);
    line.put("start", millis(alert.opened), WORD);
    line.put("end", millis(alert.closed.unwrap_or(alert.updated)), WORD);
    line.put("msg", &alert.title, TEXT);
    line.ends(alert.device, alert.role.is_victim(), leading);
    line
}

/// The finding of an alert that weighs most.
pub(super) fn leading(alert: &Alert) -> Option<&Finding> {
    let by_confidence = |a: &&Finding, b: &&Finding| a.confidence.total_cmp(&b.confidence);
    // The first of those that are equally sure, as in the alert's title.
    alert.findings.iter().rev().max_by(by_confidence)
}

fn of_finding(finding: &Finding) -> Line {
    let severity = if finding.confidence >= 0.8 { 5 } else { 3 };
    let mut line = Line::new(&finding.detector, &finding.evidence, severity);
    line.put("cat", "finding", TEXT);
    line.custom("cn1", "finding", finding.id);
    line.custom("cfp1", "confidence", format!("{:.3}", finding.confidence));
    line.custom("cs1", "ATT&CK", &finding.technique);
    line.custom("cs4", "wrong if", &finding.wrong_if);
    line.put("msg", &finding.evidence, TEXT);
    line.ends(finding.subject, finding.role.is_victim(), Some(finding));
    line
}

fn of_audit(report: &AuditReport) -> Line {
    let action = &report.action;
    let (severity, rule) = match action {
        Action::RuleAdded { rule } => (5, Some(rule.id)),
        Action::RuleChanged(RuleChange { id, .. }) | Action::RuleRemoved { id, .. } => {
            (5, Some(*id))
        }
        Action::ReleasedAll { .. }
        | Action::Unprotected { .. }
        | Action::ModelRefused { .. }
        | Action::ReloadFailed { .. }
        | Action::ConfigurationChanged(_) => (5, None),
        Action::SegmentRemoved { .. } | Action::EntriesDropped { .. } => (6, None),
        Action::Effect { id, verdict, .. } if verdict == "not_effective" => (6, Some(*id)),
        Action::Effect { id, .. } | Action::Reset { id, .. } => (3, Some(*id)),
        Action::Decided(decision) => (3, decision.rule),
        _ => (3, None),
    };
    let class = tag(action);
    let mut line = Line::new(&class, &class.replace('_', " "), severity);
    line.put("cat", "audit", TEXT);
    line.put("act", &class, WORD);
    if matches!(
        action,
        Action::Refused { .. } | Action::ModelRefused { .. } | Action::ReloadFailed { .. }
    ) {
        line.put("outcome", "failure", WORD);
    }
    match &report.actor {
        Actor::Person { uid, .. } => {
            line.put("suser", &report.actor, TEXT);
            line.put("suid", uid, TEXT);
        }
        Actor::Policy { .. } | Actor::Signal | Actor::Daemon => {
            line.put("sproc", &report.actor, TEXT);
        }
    }
    if let Some(rule) = rule {
        line.custom("cn1", "rule", rule);
    }
    let target = match action {
        Action::RuleAdded { rule } => Some(rule.target),
        Action::Decided(decision) => decision.target,
        _ => None,
    };
    if let Some(target) = target {
        line.custom("cs1", "target", target);
    }
    if let Some(Target::Device { address }) = target {
        line.source(address, None);
    }
    line.put("msg", action, TEXT);
    line
}

fn of_mirror(report: &MirrorReport) -> Line {
    let condition = report.standing.condition;
    let severity = if report.until.is_none() { 7 } else { 3 };
    let name = condition.label().replace('_', " ");
    let mut line = Line::new(condition.label(), &name, severity);
    line.put("cat", "mirror", TEXT);
    line.put("deviceInboundInterface", &report.interface, TEXT);
    line.custom("cs2", "change", report.change.label());
    line.custom("cs4", "check", &report.check);
    line.put("start", millis(report.standing.since), WORD);
    if let Some(until) = report.until {
        line.put("end", millis(until), WORD);
    }
    line.put("msg", report, TEXT);
    line
}

/// The action's name in events.
fn tag(action: &Action) -> String {
    let json = serde_json::to_value(action).unwrap_or_default();
    json["action"].as_str().unwrap_or("audit").to_owned()
}

fn millis(time: Time) -> i64 {
    time.0.div_euclid(1_000_000)
}

#[cfg(test)]
mod tests {
    use sensor_facts::mirror::{Condition, Standing};

    use super::{line::tests::read, *};
    use crate::tests::{alert, audit, finding};

    fn origin() -> Origin {
        Origin {
            host: "sensor-1".to_owned(),
            process: 1,
        }
    }

    #[test]
    fn an_alert() {
        let (fields, values) = read(&of(&alert(), &origin()).expect("a line"));
        assert_eq!(fields[4..], ["scan", "41 ports | of 10.0.0.9=x", "8"]);
        for (key, value) in [
            ("src", "10.0.0.3"),
            ("spt", "40000"),
            ("dst", "10.0.0.9"),
            ("dpt", "104"),
            ("proto", "TCP"),
            ("cs6", "10.0.0.10"),
            ("cn1", "17"),
            ("cn1Label", "alert"),
            ("cs1", "T1046 T1018"),
            ("cs2", "opened"),
            ("cs3", "sweep scan"),
            ("cfp1", "0.900"),
            ("cnt", "5"),
            ("rt", "1764201600123"),
            ("start", "1764201600000"),
            ("msg", "41 ports | of 10.0.0.9=x"),
            ("dvchost", "sensor-1"),
        ] {
            assert_eq!(values.get(key).map(String::as_str), Some(value), "{key}");
        }
        assert_eq!(values["externalId"].len(), 32);
    }

    #[test]
    fn a_victim_is_the_destination() {
        let Body::Finding { mut finding } = finding().body else {
            panic!("no finding")
        };
        finding.role = sensor_facts::finding::AttackRole::Victim;
        finding.subject = "2001:db8::7".parse().expect("an address");
        let event = Event::general(finding.time, Body::Finding { finding });
        let (_, values) = read(&of(&event, &origin()).expect("a line"));
        assert_eq!(values["c6a3"], "2001:db8::7");
        assert_eq!(values["c6a3Label"], "Destination IPv6 Address");
        assert!(!values.contains_key("src") && !values.contains_key("dst"));
    }

    #[test]
    fn what_is_wrong_with_the_mirror() {
        let standing = Standing {
            condition: Condition::Silent,
            since: Time(1_764_201_600_000_000_000),
            detail: "no packet has come for 21s".to_owned(),
        };
        for (until, severity, change) in [(None, "7", "began"), (Some(Time(0)), "3", "ended")] {
            let mirror = Box::new(MirrorReport::new("eth1", standing.clone(), until));
            let event = Event::general(Time(0), Body::Mirror { mirror });
            let (fields, values) = read(&of(&event, &origin()).expect("a line"));
            assert_eq!(fields[4..], ["silent", "silent", severity]);
            for (key, value) in [
                ("cat", "mirror"),
                ("deviceInboundInterface", "eth1"),
                ("cs2", change),
                ("start", "1764201600000"),
            ] {
                assert_eq!(values.get(key).map(String::as_str), Some(value), "{key}");
            }
            assert!(
                values["msg"].contains("no packet has come"),
                "{}",
                values["msg"]
            );
        }
    }

    #[test]
    fn an_entry_of_the_trail() {
        let (fields, values) = read(&of(&audit(), &origin()).expect("a line"));
        assert_eq!(fields[4..], ["rule_added", "rule added", "5"]);
        for (key, value) in [
            ("suser", "ann"),
            ("suid", "1000"),
            ("cn1", "4"),
            ("cn1Label", "rule"),
            ("src", "10.0.0.3"),
            ("act", "rule_added"),
        ] {
            assert_eq!(values.get(key).map(String::as_str), Some(value), "{key}");
        }
        assert!(values["msg"].contains("a=b\nc"), "{}", values["msg"]);
    }
}
