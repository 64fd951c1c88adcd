//! Alerts as Detection Finding (class 2004) of the Open Cybersecurity Schema Framework, version 1.5.0
//! (<https://schema.ocsf.io/1.5.0/classes/detection_finding>), and incidents as Incident Finding (class 2005).
//!
//! `docs/outputs.md` says which attribute has what.

mod incident;

use std::fmt::Write as _;

use sensor_facts::{
    alert::{Alert, Change, Severity, Verdict},
    event::{AlertReport, Body, Event},
    finding::{Basis, Finding},
    time::Time,
};
use serde_json::{Map, Value, json};

use super::{
    cef,
    origin::{Origin, message_id},
};

/// Version of the schema.
const VERSION: &str = "1.5.0";
const CLASS: u32 = 2_004;
/// Observables of this type are IP addresses.
const IP_ADDRESS: u32 = 2;

/// The event, for alerts and incidents.
pub(super) fn of(event: &Event, origin: &Origin) -> Option<Value> {
    match &event.body {
        Body::Alert { alert } => Some(of_alert(event, alert, origin)),
        Body::Incident { incident } => Some(incident::of(event, incident, origin)),
        _ => None,
    }
}

fn product() -> Value {
    json!({ "name": "Wardtap", "vendor_name": "Wardtap", "version": Origin::VERSION })
}

/// The same in all events of one alert, and another one's nowhere.
fn uid(kind: &str, id: u64, opened: Time, origin: &Origin) -> String {
    format!("{}/{kind}/{id}/{}", origin.host, millis(opened))
}

fn of_alert(event: &Event, report: &AlertReport, origin: &Origin) -> Value {
    let alert = &report.alert;
    let (activity_id, activity) = activity(report.change);
    let (severity_id, severity) = severity(alert.severity);
    let (status_id, status) = status(alert);
    let (confidence_id, confidence) = confidence(alert.confidence);
    let class = "Detection Finding";
    let info = info(alert, origin);
    let mut all = json!({
        "activity_id": activity_id, "activity_name": activity,
        "category_uid": 2, "category_name": "Findings",
        "class_uid": CLASS, "class_name": class,
        "type_uid": CLASS * 100 + activity_id, "type_name": format!("{class}: {activity}"),
        "time": millis(event.timestamp),
        "start_time": millis(alert.opened),
        "end_time": millis(alert.closed.unwrap_or(alert.updated)),
        "severity_id": severity_id, "severity": severity,
        "status_id": status_id, "status": status,
        "confidence_id": confidence_id, "confidence": confidence,
        "confidence_score": score(alert.confidence),
        "is_alert": !alert.suppressed,
        "count": alert.finding_count,
        "message": alert.title,
        "metadata": {
            "version": VERSION, "product": product(), "uid": message_id(event), "log_name": "alert",
            "correlation_uid": info["uid"],
        },
        "finding_info": info,
        "evidences": alert.findings.iter().map(evidence).collect::<Vec<_>>(),
        "device": { "ip": alert.device, "type_id": 0, "type": "Unknown" },
        "observables": observables(alert),
        "unmapped": unmapped(alert),
    });
    if !alert.check.is_empty() {
        all["remediation"] = json!({ "desc": advice(alert) });
    }
    if let Some(label) = &alert.label {
        all["comment"] = json!(label.reason);
    }
    all
}

const fn activity(change: Change) -> (u32, &'static str) {
    match change {
        Change::Opened => (1, "Create"),
        Change::Updated => (2, "Update"),
        Change::Closed => (3, "Close"),
    }
}

const fn severity(of: Severity) -> (u32, &'static str) {
    match of {
        Severity::Low => (2, "Low"),
        Severity::Medium => (3, "Medium"),
        Severity::High => (4, "High"),
        Severity::Critical => (5, "Critical"),
    }
}

/// An alert that is over was not thereby reviewed: that is a status of its own.
fn status(alert: &Alert) -> (u32, &'static str) {
    match alert.label.as_ref().map(|label| label.verdict) {
        Some(Verdict::Benign) => (3, "Suppressed"),
        Some(Verdict::Malicious) => (2, "In Progress"),
        None if alert.closed.is_some() => (99, "Over"),
        None => (1, "New"),
    }
}

/// The bounds of the severities of an alert without clinical devices.
fn confidence(of: f64) -> (u32, &'static str) {
    match of {
        c if c >= 0.8 => (3, "High"),
        c if c >= 0.6 => (2, "Medium"),
        _ => (1, "Low"),
    }
}

/// In per cent.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is from 0 to 100"
)]
fn score(confidence: f64) -> u32 {
    (confidence.clamp(0.0, 1.0) * 100.0).round() as u32
}

fn info(alert: &Alert, origin: &Origin) -> Value {
    let mut types: Vec<Value> = Vec::new();
    for finding in &alert.findings {
        let basis = json!(finding.basis);
        if !types.contains(&basis) {
            types.push(basis);
        }
    }
    let mut info = json!({
        "uid": uid("alert", alert.id, alert.opened, origin),
        "title": alert.title,
        "created_time": millis(alert.opened),
        "first_seen_time": millis(alert.opened),
        "modified_time": millis(alert.updated),
        "last_seen_time": millis(alert.updated),
        "types": types,
        "attacks": alert.techniques.iter().map(|one| attack(one)).collect::<Vec<_>>(),
    });
    if let Some(leading) = cef::leading(alert) {
        info["analytic"] = analytic(leading);
        let others = alert.findings.iter();
        let others = others.filter(|one| one.detector != leading.detector);
        info["related_analytics"] = others.map(analytic).collect();
    }
    info
}

fn analytic(finding: &Finding) -> Value {
    let (id, label) = match finding.basis {
        Basis::Exposure => (1, "Rule"),
        Basis::Behaviour | Basis::Novelty => (2, "Behavioral"),
        Basis::Statistics => (3, "Statistical"),
        Basis::Model => (4, "Learning (ML/DL)"),
    };
    json!({ "name": finding.detector, "uid": finding.detector, "type_id": id, "type": label })
}

/// `T1557.002` is sub-technique 002 of T1557.
fn attack(technique: &str) -> Value {
    let (above, below) = technique.split_once('.').unzip();
    let mut attack = json!({ "technique": { "uid": above.unwrap_or(technique) } });
    if below.is_some() {
        attack["sub_technique"] = json!({ "uid": technique });
    }
    attack
}

fn evidence(finding: &Finding) -> Value {
    let mut all = json!({
        "name": finding.detector,
        "uid": finding.id.to_string(),
        "data": {
            "time": finding.time, "evidence": finding.evidence, "wrong_if": finding.wrong_if,
            "confidence": finding.confidence, "victims": finding.victims,
            "victim_count": finding.victim_count, "features": finding.features,
        },
    });
    let own = finding.connection.map(|(own, _)| own);
    let other = finding.connection.map(|(_, other)| other);
    let subject = json!({ "ip": finding.subject });
    if finding.role.is_victim() {
        all["dst_endpoint"] = subject;
        return all;
    }
    all["src_endpoint"] = subject;
    if let Some(own) = own {
        all["src_endpoint"]["port"] = json!(own.port());
    }
    let victim = other
        .map(|other| other.ip())
        .or(finding.victims.first().copied());
    if let Some(victim) = victim {
        all["dst_endpoint"] = json!({ "ip": victim });
        let service = finding.service.map(|service| service.port);
        if let Some(port) = other.map(|other| other.port()).or(service) {
            all["dst_endpoint"]["port"] = json!(port);
        }
    }
    let transport = finding.service.map(|service| service.transport);
    if let Some(transport) = transport {
        all["connection_info"] = json!({
            "direction_id": 0, "direction": "Unknown",
            "protocol_num": transport.number(), "protocol_name": transport.label(),
        });
    }
    all
}

fn observables(alert: &Alert) -> Vec<Value> {
    let of = |name: &str, value| json!({ "name": name, "type_id": IP_ADDRESS, "type": "IP Address", "value": value });
    let mut all = vec![of("device.ip", alert.device)];
    for victim in alert.findings.iter().flat_map(|one| &one.victims) {
        let one = of("evidences[].data.victims", *victim);
        if *victim != alert.device && !all.contains(&one) {
            all.push(one);
        }
    }
    all
}

fn advice(alert: &Alert) -> String {
    let mut advice = format!("Check first: {}.", alert.check.join("; "));
    if let Some(touched) = &alert.containment {
        advice.push_str(" Containment would ");
        advice.push_str(&touched.action);
        if !touched.clinical.is_empty() {
            advice.push_str(", and stop clinical traffic: ");
            advice.push_str(&touched.clinical.join("; "));
        }
        if let Some(recent) = touched.recent {
            let _ = write!(advice, "; it would also stop {recent}");
        }
        advice.push('.');
    }
    advice
}

/// What the schema has no attribute for.
fn unmapped(alert: &Alert) -> Value {
    let mut all = Map::new();
    all.insert("alert_id".to_owned(), json!(alert.id));
    all.insert("role".to_owned(), json!(alert.role));
    all.insert("decisions".to_owned(), json!(alert.decisions));
    if let Some(label) = &alert.label {
        all.insert("label".to_owned(), json!(label));
    }
    Value::Object(all)
}

fn millis(time: Time) -> i64 {
    time.0.div_euclid(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::alert;

    #[test]
    fn an_alert_opens_and_closes() {
        let origin = Origin {
            host: "sensor-1".to_owned(),
            process: 1,
        };
        let opened = alert();
        let mut closed = opened.clone();
        let Body::Alert { alert } = &mut closed.body else {
            panic!("no alert")
        };
        alert.change = Change::Closed;
        alert.alert.closed = Some(closed.timestamp);
        let (a, b) = (of(&opened, &origin), of(&closed, &origin));
        let (a, b) = (a.expect("a finding"), b.expect("a finding"));
        assert_eq!(a["type_uid"], 200_401);
        assert_eq!(b["type_uid"], 200_403);
        assert_eq!((&a["status_id"], &b["status_id"]), (&json!(1), &json!(99)));
        assert_eq!(a["finding_info"]["uid"], b["finding_info"]["uid"]);
        assert_ne!(a["metadata"]["uid"], b["metadata"]["uid"]);
        assert_eq!(a["time"], 1_764_201_600_123_i64);
        assert_eq!(a["finding_info"]["analytic"]["name"], "scan");
        assert_eq!(
            a["evidences"][1]["dst_endpoint"],
            json!({ "ip": "10.0.0.9", "port": 104 })
        );
        assert_eq!(a["severity_id"], 4);
        assert_eq!(a["confidence_score"], 90);
    }

    #[test]
    fn techniques() {
        assert_eq!(attack("T1046"), json!({ "technique": { "uid": "T1046" } }));
        assert_eq!(
            attack("T1557.002"),
            json!({ "technique": { "uid": "T1557" }, "sub_technique": { "uid": "T1557.002" } })
        );
    }
}
