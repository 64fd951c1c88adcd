//! The facts of the incident: at 09:00 the intruder comes, guesses AE titles at the archive, pulls a study and scans.

use std::net::{IpAddr, Ipv4Addr};

use sensor_facts::{contact::Contact, incident::Incident, rule::Actor, time::Time};
use serde_json::{Value, json};

use super::super::{Collected, Evidence, Facts, RuleNow, Seal};

const fn at(subnet: u8, host: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 77, subnet, host))
}

pub(super) const MODALITY: IpAddr = at(1, 20);
pub(super) const ENGINE: IpAddr = at(1, 30);
pub(super) const WORKSTATION: IpAddr = at(1, 50);
pub(super) const INTRUDER: IpAddr = at(1, 66);
pub(super) const PUMP: IpAddr = at(1, 70);
pub(super) const PRINTER: IpAddr = at(1, 90);
pub(super) const ARCHIVE: IpAddr = at(2, 10);
const EHR: IpAddr = at(2, 40);

/// A moment of the day.
fn moment(text: &str) -> Time {
    serde_json::from_value(json!(format!("2026-03-02T{text}Z"))).unwrap()
}

pub(super) fn facts() -> Facts {
    let from = Time(moment("09:00:10").0 - 7 * 86_400_000_000_000);
    Facts {
        made: moment("09:30:00"),
        by: Actor::Person {
            uid: 1000,
            name: Some("nightshift".to_owned()),
        },
        alert: serde_json::from_value(alert()).unwrap(),
        alerts: vec![serde_json::from_value(other()).unwrap()],
        incident: Some(whole(&[alert()], Some(INTRUDER))),
        contacts: contacts(),
        sessions: serde_json::from_value(sessions()).unwrap(),
        hosts: [
            (MODALITY, "modality", Some("Example CT Works"), "CT_ROOM_1"),
            (ENGINE, "interface_engine", None, ""),
            (WORKSTATION, "workstation", None, "READ_1"),
            (INTRUDER, "workstation", Some("Laptop Makers"), "WS_GUEST"),
            (PUMP, "pump_gateway", None, ""),
            (PRINTER, "printer", None, ""),
            (ARCHIVE, "archive", None, "PACS"),
            (EHR, "health_record", None, ""),
        ]
        .map(host)
        .to_vec(),
        trail: trail(from),
        rules: vec![RuleNow {
            id: 3,
            packets: 214,
            bytes: 15_836,
            effect: serde_json::from_value(json!({
                "verdict": "effective", "since": "2026-03-02T09:00:21Z", "at": "2026-03-02T09:01:40Z",
                "detail": "214 packets dropped, none seen to pass",
            }))
            .unwrap(),
        }],
        evidence: Evidence {
            since: Some(moment("00:00:00")).map(|time| Time(time.0 - 86_400_000_000_000)),
            wanted: from,
            missing: vec!["3 pieces of clinical sessions, lost in the time of the incident.".to_owned()],
        },
        seal: Seal {
            entries: 42,
            head: "ab".repeat(32),
            signed: 42,
            key: Some("cd".repeat(32)),
            flaw: None,
        },
    }
}

/// The incident that has these alerts.
pub(super) fn whole(alerts: &[Value], first: Option<IpAddr>) -> Incident {
    let members: Vec<Value> = alerts
        .iter()
        .map(|one| {
            json!({
                "alert": one["id"], "device": one["device"], "role": one.get("role").unwrap_or(&json!("suspect")),
                "severity": one["severity"], "confidence": one["confidence"], "opened": one["opened"],
                "updated": one["updated"], "techniques": one["techniques"], "title": one["title"],
            })
        })
        .collect();
    let mut incident = json!({
        "id": 3, "title": "10.77.1.66: Credential Access, Collection, Discovery at 2 devices", "severity": "critical",
        "confidence": 0.97, "opened": alerts[0]["opened"], "updated": alerts[0]["updated"], "alerts": members,
        "victims": [ARCHIVE, EHR], "techniques": ["T1110", "T1119", "T1046"],
        "end": { "time": "2026-03-02T09:25:00Z", "by": { "kind": "person", "uid": 1000, "name": "nightshift" }, "reason": "the laptop is gone" },
        "notes": [{ "time": "2026-03-02T09:21:00Z", "by": { "kind": "person", "uid": 1000, "name": "nightshift" }, "note": "ward 3 has the laptop" }],
    });
    incident["first_affected"] = json!(first);
    serde_json::from_value(incident).unwrap()
}

fn finding(
    detector: &str,
    technique: &str,
    time: &str,
    evidence: &str,
    victims: &[IpAddr],
) -> Value {
    json!({
        "id": 1, "time": format!("2026-03-02T{time}Z"), "detector": detector, "technique": technique, "confidence": 0.9,
        "subject": INTRUDER, "victims": victims, "victim_count": victims.len(), "evidence": evidence,
        "wrong_if": "someone tests the archive",
    })
}

fn alert() -> Value {
    json!({
        "id": 7, "device": INTRUDER, "severity": "critical", "confidence": 0.97,
        "title": "6 pairs of AE titles that 1 DICOM server did not recognise, within 10 s",
        "opened": "2026-03-02T09:00:10Z", "updated": "2026-03-02T09:00:19Z", "closed": "2026-03-02T09:15:19Z",
        "techniques": ["T1110", "T1119", "T1046"], "finding_count": 5,
        "findings": [
            finding("ae_rejects", "T1110", "09:00:10", "6 pairs of AE titles that 1 DICOM server did not recognise, within 10 s", &[ARCHIVE]),
            finding("new_puller", "T1119", "09:00:12", "1 C-MOVE or C-GET request after 1 C-FIND request under the AE title \"WS_GUEST\"", &[ARCHIVE]),
            finding("scan", "T1046", "09:00:19", "32 connections refused or unanswered within 10 s, to 24 ports of 2 hosts", &[ARCHIVE, EHR]),
        ],
        "check": ["ae_rejects: wrong if someone tests the archive"],
        "label": {
            "verdict": "malicious", "by": {"kind": "person", "uid": 1000, "name": "nightshift"},
            "time": "2026-03-02T09:20:00Z", "reason": "a laptop of an unknown person, taken away",
        },
    })
}

/// The pump gateway scans too; nothing connects both.
fn other() -> Value {
    json!({
        "id": 8, "device": PUMP, "severity": "high", "confidence": 0.9, "title": "it scans",
        "opened": "2026-03-02T09:05:00Z", "updated": "2026-03-02T09:05:00Z", "techniques": ["T1046"], "finding_count": 1,
        "findings": [finding("scan", "T1046", "09:05:00", "it scans", &[ARCHIVE])], "check": [],
    })
}

fn host(
    (address, role, vendor, title): (IpAddr, &str, Option<&str>, &str),
) -> sensor_sessions::inventory::HostReport {
    let new = address == INTRUDER;
    let last = match address {
        IpAddr::V4(it) => it.octets()[3],
        IpAddr::V6(_) => 0,
    };
    let titles: Vec<Value> = [title]
        .iter()
        .filter(|title| !title.is_empty())
        .map(|title| json!({"title": title, "requestor": true, "acceptor": false, "scu": true, "scp": false}))
        .collect();
    serde_json::from_value(json!({
        "address": address, "macs": [format!("02:00:00:00:00:{last:02x}")], "mac_shared": false, "vendor": vendor,
        "role": {"role": role, "confidence": 0.9},
        "first_seen": if new { "2026-03-02T08:59:58Z" } else { "2026-02-01T08:00:00Z" }, "last_seen": "2026-03-02T09:20:00Z",
        "bytes_in": 1, "bytes_out": 1, "flows_opened": 1, "flows_accepted": 1, "ae_titles": titles,
        "cleartext_dicom": true, "cleartext_hl7": false, "tls": false,
    }))
    .unwrap()
}

fn contacts() -> Vec<Contact> {
    let contact =
        |client, server, port, app: &'static str, first: &str, last: &str, flows, refused| {
            Contact {
                client,
                server,
                proto: "TCP".into(),
                port: Some(port),
                app: (!app.is_empty()).then(|| app.into()),
                first: moment(first),
                last: moment(last),
                flows,
                refused,
                bytes_to_server: 1_000 * flows,
                bytes_to_client: 2_000 * flows,
            }
        };
    let mut contacts = vec![
        contact(
            INTRUDER, ARCHIVE, 104, "dicom", "09:00:02", "09:00:13", 10, 0,
        ),
        contact(INTRUDER, EHR, 8080, "", "09:00:18", "09:00:18", 1, 0),
        // The archive sends on to the workstation, as it always does.
        contact(
            ARCHIVE,
            WORKSTATION,
            11112,
            "dicom",
            "07:00:00",
            "09:10:00",
            20,
            0,
        ),
        // Over before the intruder came.
        contact(ARCHIVE, PRINTER, 9100, "", "07:00:00", "08:00:00", 2, 0),
        contact(
            MODALITY, ARCHIVE, 104, "dicom", "07:00:00", "09:20:00", 30, 0,
        ),
        contact(ENGINE, EHR, 2575, "hl7", "07:00:00", "09:20:00", 1, 0),
    ];
    contacts
        .extend((1..20).map(|port| contact(INTRUDER, EHR, port, "", "09:00:17", "09:00:19", 1, 1)));
    contacts
}

fn sessions() -> Value {
    let session = |flow_id: u64,
                   time: &str,
                   called: &str,
                   outcome: &str,
                   commands: Value,
                   bytes: u64| {
        let kind = if outcome == "rejected" {
            "rejected"
        } else {
            "closed"
        };
        json!({
            "timestamp": format!("2026-03-02T{time}Z"), "v": 1, "flow_id": flow_id, "src_ip": INTRUDER, "src_port": 40_000,
            "dest_ip": ARCHIVE, "dest_port": 104, "proto": "TCP", "event_type": "dicom",
            "dicom": {
                "type": kind, "start": format!("2026-03-02T{time}Z"), "end": format!("2026-03-02T{time}Z"), "outcome": outcome,
                "midstream": false, "incomplete": false, "calling_ae": "WS_GUEST", "called_ae": called, "commands": commands,
                "requestor_data_bytes": 120, "acceptor_data_bytes": bytes,
            },
        })
    };
    let command = |name: &str, class: &str| {
        json!({
            "scu": "requestor", "command": name, "sop_class": {"uid": "1.2.3", "name": class}, "requests": 1,
            "responses": {"success": 1, "pending": 0, "warning": 0, "failure": 0, "cancel": 0},
            "request_data_bytes": 120, "response_data_bytes": 100,
        })
    };
    let root = "Study Root Query/Retrieve Information Model";
    let find = json!([command("C-FIND", &format!("{root} - FIND"))]);
    let get = json!([
        command("C-GET", &format!("{root} - GET")),
        command("C-STORE", "CT Image Storage")
    ]);
    json!([
        session(1, "09:00:03", "ARCHIVE", "rejected", json!([]), 0),
        session(2, "09:00:05", "ORTHANC", "rejected", json!([]), 0),
        session(3, "09:00:11", "PACS", "released", find, 400),
        session(4, "09:00:12", "PACS", "released", get, 1_500_000),
    ])
}

fn trail(from: Time) -> Collected {
    let mut collected = Collected::between(from, moment("09:00:10"), moment("09:30:00"));
    let policy = json!({"kind": "policy", "group": "default"});
    let person = json!({"kind": "person", "uid": 1000, "name": "nightshift"});
    let daemon = json!({"kind": "daemon"});
    let pair = json!({"kind": "pair", "a": INTRUDER, "b": ARCHIVE, "service": {"transport": "tcp", "port": 104}});
    let device = json!({"kind": "device", "address": INTRUDER});
    let rule = |id: u64, target: &Value, created: &str, reason: &str| {
        json!({
            "action": "rule_added", "rule": {
                "id": id, "target": target, "scope": "all", "state": "enabled", "created": format!("2026-03-02T{created}Z"),
                "expires": "2026-03-02T10:00:20Z", "reason": reason, "by": policy,
            },
        })
    };
    let decided = |verdict: &str, target: &Value, rule: Option<u64>, reason: &str| {
        json!({
            "action": "decided", "finding": "ae_rejects", "subject": INTRUDER, "target": target, "group": "default",
            "mode": "automatic", "verdict": verdict, "reason": reason, "rule": rule,
        })
    };
    let one_alone = "one finding alone is not acted upon";
    let entries = [
        (
            "08:00:00",
            &daemon,
            json!({
                "action": "started", "version": "0.1.0", "config": "ef".repeat(32),
                "interfaces": ["floor0 (inline, generic mode)", "core0 (inline, generic mode)"], "differences": [], "rules": 0,
            }),
        ),
        (
            "08:00:00",
            &daemon,
            json!({
                "action": "model_loaded", "name": "flow-v1.onnx", "sha256": "12".repeat(32), "reason": "it ships with the sensor",
            }),
        ),
        ("09:00:10", &policy, decided("wait", &pair, None, one_alone)),
        ("09:00:11", &policy, decided("wait", &pair, None, one_alone)),
        (
            "09:00:12.4",
            &policy,
            rule(2, &pair, "09:00:12.4", "new_puller: it pulls"),
        ),
        (
            "09:00:12.4",
            &policy,
            decided("act", &pair, Some(2), "two findings of different kinds"),
        ),
        (
            "09:00:20",
            &policy,
            rule(3, &device, "09:00:20", "scan: it scans"),
        ),
        (
            "09:00:20",
            &policy,
            decided("act", &device, Some(3), "it goes on"),
        ),
        (
            "09:00:21",
            &daemon,
            json!({
                "action": "effect", "id": 3, "verdict": "effective", "detail": "4 packets dropped, none seen to pass",
            }),
        ),
        (
            "09:00:30",
            &daemon,
            json!({
                "action": "rule_removed", "id": 2, "cause": "expired", "reason": "its time was over",
            }),
        ),
        (
            "09:05:00",
            &policy,
            json!({
                "action": "decided", "finding": "scan", "subject": PUMP, "group": "default", "mode": "automatic",
                "verdict": "refuse", "reason": "it is protected",
            }),
        ),
        (
            "09:20:00",
            &person,
            json!({
                "action": "labelled", "alert": 7, "verdict": "malicious", "reason": "a laptop of an unknown person, taken away",
            }),
        ),
    ];
    for (seq, (time, actor, action)) in (1..).zip(entries) {
        let mut entry = action;
        let fields = entry.as_object_mut().unwrap();
        fields.insert("seq".to_owned(), json!(seq));
        fields.insert("time".to_owned(), json!(format!("2026-03-02T{time}Z")));
        fields.insert("actor".to_owned(), actor.clone());
        collected.take(serde_json::from_value(entry).unwrap());
    }
    collected
}
