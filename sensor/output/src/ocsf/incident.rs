//! Incidents as Incident Finding, class 2005 (<https://schema.ocsf.io/1.5.0/classes/incident_finding>).

use sensor_facts::{
    alert::Verdict,
    event::{Event, IncidentReport},
    incident::{Change, Incident, Member, Stage},
};
use serde_json::{Value, json};

use super::{IP_ADDRESS, VERSION, attack, confidence, millis, product, score, severity, uid};
use crate::origin::{Origin, message_id};

const CLASS: u32 = 2_005;

pub(super) fn of(event: &Event, report: &IncidentReport, origin: &Origin) -> Value {
    let incident = &report.incident;
    let (activity_id, activity) = match report.change {
        Change::Opened => (1, "Create"),
        Change::Updated | Change::Merged | Change::Split | Change::Labelled => (2, "Update"),
        Change::Closed => (3, "Close"),
    };
    let (severity_id, severity) = severity(incident.severity);
    let (status_id, status) = status(incident);
    let (confidence_id, confidence) = confidence(incident.confidence);
    let (verdict_id, verdict) = match incident.label.as_ref().map(|label| label.verdict) {
        None => (0, "Unknown"),
        Some(Verdict::Malicious) => (2, "True Positive"),
        Some(Verdict::Benign) => (5, "Benign"),
    };
    let class = "Incident Finding";
    let end = incident.end.as_ref();
    let mut all = json!({
        "activity_id": activity_id, "activity_name": activity,
        "category_uid": 2, "category_name": "Findings",
        "class_uid": CLASS, "class_name": class,
        "type_uid": CLASS * 100 + activity_id, "type_name": format!("{class}: {activity}"),
        "time": millis(event.timestamp),
        "start_time": millis(incident.opened),
        "end_time": millis(end.map_or(incident.updated, |end| end.time)),
        "severity_id": severity_id, "severity": severity,
        "status_id": status_id, "status": status,
        "confidence_id": confidence_id, "confidence": confidence,
        "confidence_score": score(incident.confidence),
        "verdict_id": verdict_id, "verdict": verdict,
        "count": incident.alerts.len(),
        "message": incident.title,
        "desc": incident.title,
        "metadata": {
            "version": VERSION, "product": product(), "uid": message_id(event), "log_name": "incident",
            "correlation_uid": uid("incident", incident.id, incident.opened, origin),
        },
        "attacks": incident.techniques.iter().map(|one| staged(one)).collect::<Vec<_>>(),
        "finding_info_list": incident.alerts.iter().map(|one| info(one, origin)).collect::<Vec<_>>(),
        "observables": observables(incident),
        "unmapped": {
            "incident_id": incident.id, "change": report.change,
            "first_affected": incident.first_affected, "suspects": incident.suspects(),
            "links": incident.links, "took_in": incident.took_in, "merged_into": incident.merged_into,
        },
    });
    let comment = incident.notes.last().map(|one| &one.note);
    if let Some(comment) = incident.label.as_ref().map(|one| &one.reason).or(comment) {
        all["comment"] = json!(comment);
    }
    all
}

fn status(incident: &Incident) -> (u32, &'static str) {
    match (&incident.end, &incident.label) {
        (Some(_), _) => (5, "Closed"),
        (None, Some(_)) => (2, "In Progress"),
        (None, None) => (1, "New"),
    }
}

/// A technique with the tactic that the incident counts it to.
fn staged(technique: &str) -> Value {
    let mut attack = attack(technique);
    if let Some(stage) = Stage::of(technique) {
        attack["tactic"] = json!({ "uid": stage.id(), "name": stage.label() });
    }
    attack
}

/// An alert of it, under the uid that it has in its own events.
fn info(one: &Member, origin: &Origin) -> Value {
    json!({
        "uid": uid("alert", one.alert, one.opened, origin),
        "title": one.title,
        "created_time": millis(one.opened),
        "first_seen_time": millis(one.opened),
        "modified_time": millis(one.updated),
        "last_seen_time": millis(one.updated),
        "attacks": one.techniques.iter().map(|one| attack(one)).collect::<Vec<_>>(),
    })
}

fn observables(incident: &Incident) -> Vec<Value> {
    let of = |name: &str, value| json!({ "name": name, "type_id": IP_ADDRESS, "type": "IP Address", "value": value });
    let suspects = incident.suspects();
    let victims = incident.victims.iter();
    let victims = victims.filter(|one| !suspects.contains(one));
    let mut all: Vec<Value> = suspects
        .iter()
        .map(|one| of("unmapped.suspects", *one))
        .collect();
    all.extend(victims.map(|one| of("victims", *one)));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ocsf, tests::incident};

    #[test]
    fn an_incident_is_one_finding_with_its_alerts() {
        let origin = Origin {
            host: "sensor-1".to_owned(),
            process: 1,
        };
        let value = ocsf::of(&incident(), &origin).expect("a finding");
        assert_eq!(
            (&value["class_uid"], &value["type_uid"]),
            (&json!(2005), &json!(200_501))
        );
        assert_eq!(
            value["finding_info_list"][0]["uid"],
            "sensor-1/alert/17/1764201600000"
        );
        assert_eq!(value["attacks"][0]["tactic"]["uid"], "TA0007");
        assert_eq!(value["unmapped"]["first_affected"], "10.0.0.3");
        let named: Vec<&str> = value["observables"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|one| one["value"].as_str())
            .collect();
        assert_eq!(named, ["10.0.0.3", "10.0.0.9"]);
        assert_eq!(
            (&value["status_id"], &value["verdict_id"]),
            (&json!(1), &json!(0))
        );
    }
}
