//! What was stored is read again as it was.

use std::collections::BTreeMap;

use sensor_facts::{
    action::{Action, Change, Decision, RuleChange},
    alert::{Alert, Severity},
    event::{
        AlertReport, Association, AuditReport, DicomEvent, DicomEventType, Hl7Event, Hl7Message,
        TlsReport,
    },
    finding::AttackRole,
    rule::{Actor, Rule, Scope, State},
    target::Target,
};

use super::*;
use crate::store::Reader;

fn session(time: i64, client: &str, body: Body) -> Event {
    Event {
        src_ip: Some(address(client)),
        dest_ip: Some(address("10.0.0.2")),
        dest_port: Some(104),
        ..Event::general(Time(time), body)
    }
}

fn sessions() -> Vec<Event> {
    let association = Association {
        calling_ae: Some("CT".to_owned()),
        ..Association::default()
    };
    let dicom = DicomEvent {
        kind: DicomEventType::Closed,
        association,
    };
    let message = Hl7Message {
        message_type: Some("ADT^A01".to_owned()),
        ..Hl7Message::default()
    };
    let tls = TlsReport {
        version: Some("TLS 1.3".to_owned()),
        ..TlsReport::default()
    };
    vec![
        session(
            NOON,
            "10.0.0.1",
            Body::Dicom {
                dicom: Box::new(dicom),
            },
        ),
        session(
            NOON + SECOND,
            "10.0.0.3",
            Body::Hl7 {
                hl7: Box::new(Hl7Event::Message(message)),
            },
        ),
        session(
            NOON + 2 * SECOND,
            "10.0.0.1",
            Body::Tls { tls: Box::new(tls) },
        ),
    ]
}

fn alert(id: u64, opened: i64, severity: Severity) -> Event {
    let (device, role) = (address("10.0.0.9"), AttackRole::Suspect);
    let alert = Alert {
        severity,
        confidence: 0.5,
        title: "it scans".to_owned(),
        ..Alert::new(id, device, role, Time(opened))
    };
    let change = sensor_facts::alert::Change::Opened;
    Event::general(
        Time(opened),
        Body::Alert {
            alert: Box::new(AlertReport { change, alert }),
        },
    )
}

fn audit(time: i64, action: Action) -> Event {
    let actor = Actor::Policy {
        group: "default".to_owned(),
    };
    let audit = Box::new(AuditReport { actor, action });
    Event::general(Time(time), Body::Audit { audit })
}

#[test]
fn what_was_stored_is_read_again() {
    let folder = Folder::new();
    let mut running = Running::quick(&folder.0);
    let all = sessions();
    for event in &all {
        running.send(event.clone());
    }
    running.send(alert(7, NOON, Severity::Low));
    running.send(alert(8, NOON + HOUR, Severity::Low));
    running.send(alert(7, NOON, Severity::High));
    let counters = BTreeMap::from([("packets".to_owned(), 5)]);
    running.send(Event::stats(Time(NOON), counters.clone()));
    running.settle();

    let reader = Reader::open(&folder.0).expect("opens beside the writer");
    let (from, to) = (Time(NOON), Time(NOON + 2 * SECOND));
    assert_eq!(reader.sessions(from..to, None).expect("reads"), all[..2]);
    let to = Time(NOON + 3 * SECOND);
    let of_ct = reader.sessions(from..to, Some(address("10.0.0.1")));
    assert_eq!(of_ct.expect("reads"), [all[0].clone(), all[2].clone()]);
    let of_archive = reader.sessions(from..to, Some(address("10.0.0.2")));
    assert_eq!(of_archive.expect("reads"), all);

    let read = reader.alert(7).expect("reads").expect("is there");
    assert_eq!(read.severity, Severity::High);
    assert_eq!(reader.alert(9).expect("reads"), None);
    let ids = |alerts: Vec<Alert>| alerts.iter().map(|one| one.id).collect::<Vec<_>>();
    let noon = reader.alerts(Time(NOON)..Time(NOON + 1));
    assert_eq!(ids(noon.expect("reads")), [7]);
    let both = reader.alerts(Time(NOON)..Time(NOON + 2 * HOUR));
    assert_eq!(ids(both.expect("reads")), [7, 8]);

    let statistics = reader.statistics(Time(NOON)..Time(NOON + 1_000));
    assert_eq!(statistics.expect("reads"), [(Time(NOON), counters)]);
}

#[test]
fn a_rule_has_its_latest_state_and_decisions_are_listed() {
    let folder = Folder::new();
    let mut running = Running::quick(&folder.0);
    let rule = Rule {
        id: 3,
        target: Target::Device {
            address: address("10.0.0.9"),
        },
        scope: Scope::All,
        state: State::Proposed,
        sticky: false,
        created: Time(NOON),
        expires: Time(NOON + HOUR),
        reason: "it scans".to_owned(),
        by: Actor::Daemon,
    };
    let rule = Box::new(rule);
    running.send(audit(NOON, Action::RuleAdded { rule }));
    running.send(audit(
        NOON + 1_000,
        Action::RuleChanged(RuleChange {
            id: 3,
            change: Change::Approved,
            state: State::Enabled,
            expires: Time(NOON + 2 * HOUR),
            reason: "yes".to_owned(),
        }),
    ));
    running.send(audit(
        NOON + HOUR,
        Action::RuleRemoved {
            id: 3,
            cause: sensor_facts::action::Cause::Released,
            reason: "done".to_owned(),
        },
    ));
    running.send(audit(
        NOON,
        Action::Decided(Decision {
            finding: "scan".to_owned(),
            subject: "10.0.0.9".to_owned(),
            target: None,
            group: "default".to_owned(),
            mode: "observe".to_owned(),
            verdict: "would_act".to_owned(),
            reason: "mode".to_owned(),
            rule: None,
        }),
    ));
    running.send(audit(
        NOON,
        Action::Labelled {
            alert: 7,
            verdict: "benign".to_owned(),
            reason: "a test".to_owned(),
        },
    ));
    running.settle();
    let database = folder.database();
    let text = |query: &str| -> String {
        database
            .query_row(query, [], |row| row.get(0))
            .expect("reads")
    };
    let rule = "SELECT state || ' ' || expires || ' ' || ended || ' ' || cause FROM rules";
    assert_eq!(
        text(rule),
        "enabled 2026-11-26T14:00:00Z 2026-11-26T13:00:00Z released"
    );
    let decision = "SELECT actor || ' ' || subject || ' ' || verdict FROM decisions";
    assert_eq!(text(decision), "policy default 10.0.0.9 would_act");
    assert_eq!(
        text("SELECT alert || ' ' || verdict FROM labels"),
        "7 benign"
    );
}

#[test]
fn flows_that_go_on_count_once_also_over_a_restart() {
    let folder = Folder::new();
    let mut running = Running::quick(&folder.0);
    let start = NOON + 50 * 60 * SECOND;
    // In the hour, then in the next one; the flow's totals grow.
    running.send(flow(
        1,
        start,
        start + SECOND,
        FlowWhy::Snapshot,
        (1_000, 2_000),
    ));
    running.send(flow(
        1,
        start,
        start + 300 * SECOND,
        FlowWhy::Active,
        (5_000, 6_000),
    ));
    running.settle();
    running.stop();
    let mut running = Running::quick(&folder.0);
    running.send(flow(
        1,
        start,
        start + 900 * SECOND,
        FlowWhy::Active,
        (5_500, 6_000),
    ));
    running.send(flow(
        1,
        start,
        start + 901 * SECOND,
        FlowWhy::Closed,
        (5_600, 6_001),
    ));
    running.send(flow(
        2,
        start,
        start + 902 * SECOND,
        FlowWhy::Closed,
        (100, 0),
    ));
    running.settle();

    let reader = Reader::open(&folder.0).expect("opens");
    let first = reader.contacts(Time(start)..Time(start + SECOND));
    let [first] = &first.expect("reads")[..] else {
        panic!("one contact");
    };
    assert_eq!((first.flows, first.refused), (1, 0));
    assert_eq!(
        (first.bytes_to_server, first.bytes_to_client),
        (5_000, 6_000)
    );
    assert_eq!(
        (first.port, first.app.as_deref()),
        (Some(104), Some("dicom"))
    );
    assert_eq!(first.first, Time(start));
    let all = reader.contacts(Time(start)..Time(start + HOUR));
    let [all] = &all.expect("reads")[..] else {
        panic!("one contact");
    };
    assert_eq!((all.flows, all.refused), (2, 1));
    assert_eq!((all.bytes_to_server, all.bytes_to_client), (5_700, 6_001));
    assert_eq!(count(&folder.database(), "mark"), 0);
}

#[test]
fn a_database_of_version_1_is_read_and_brought_up_to_date() {
    let folder = Folder::new();
    let old = Connection::open(database::path(&folder.0)).expect("opens");
    old.execute_batch(database::MIGRATIONS[0])
        .expect("makes it");
    let mut alert = serde_json::to_value(Alert::new(
        7,
        address("10.0.0.9"),
        AttackRole::Suspect,
        Time(NOON),
    ))
    .expect("is JSON");
    // The name in events of version 1.
    alert["kept_back"] = true.into();
    old.execute_batch(&format!(
        "INSERT INTO alert VALUES (7, '10.0.0.9', 'low', 0.5, 'it scans', 1, 1, NULL, NULL, 1, '{alert}');
         PRAGMA user_version = 1"
    ))
    .expect("is filled");
    let read = || {
        let reader = Reader::open(&folder.0).expect("opens");
        reader.alert(7).expect("reads").expect("is there")
    };
    assert!(read().suppressed, "read as it is");
    drop(old);
    let new = folder.database();
    for source in ["alert", "alerts"] {
        let suppressed = new.query_row(&format!("SELECT suppressed FROM {source}"), [], |row| {
            row.get::<_, bool>(0)
        });
        assert_eq!(suppressed, Ok(true), "{source}");
    }
    assert!(read().suppressed);
}
