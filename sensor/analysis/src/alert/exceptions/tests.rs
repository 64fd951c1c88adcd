use serde_json::json;

use super::*;

const NOW: Time = Time(1_000);

fn finding(subject: &str, detector: &str, confidence: f64) -> Finding {
    serde_json::from_value(json!({
        "id": 1, "time": "1970-01-01T00:00:00.000002Z", "detector": detector, "technique": "T1046",
        "confidence": confidence, "subject": subject, "victims": ["10.0.0.1"], "victim_count": 1,
        "evidence": "", "wrong_if": ""
    }))
    .expect("a finding")
}

fn new(whom: Whom, detectors: &[&str]) -> NewException {
    NewException {
        whom,
        detectors: detectors.iter().map(|one| (*one).to_owned()).collect(),
        until: None,
        reason: "our own scanner".to_owned(),
    }
}

fn person() -> Actor {
    Actor::Person {
        uid: 7,
        name: Some("ada".to_owned()),
    }
}

#[test]
fn what_is_muted_is_counted_with_its_impact() {
    let mut all = Exceptions::default();
    let scanner = new("10.0.0.9".parse().expect("whom"), &["scan", "sweep"]);
    let servers = new(Whom::Role(Role::Server), &[]);
    let made = all
        .add(vec![scanner, servers], &person(), NOW)
        .expect("made");
    assert_eq!(made.iter().map(|one| one.id).collect::<Vec<_>>(), [1, 2]);
    let roles = HashMap::from([([10, 0, 0, 8].into(), Role::Server)]);
    for (subject, detector, confidence, clinical, muted) in [
        ("10.0.0.9", "scan", 0.9, false, true),
        ("10.0.0.9", "scan", 0.5, false, true),
        // At a clinical device less is needed to be of high impact.
        ("10.0.0.9", "sweep", 0.7, true, true),
        ("10.0.0.9", "exfiltration", 0.9, false, false),
        ("10.0.0.7", "scan", 0.9, false, false),
        ("10.0.0.8", "exfiltration", 0.6, false, true),
    ] {
        let finding = finding(subject, detector, confidence);
        assert_eq!(all.mutes(&finding, clinical, &roles), muted, "{finding:?}");
    }
    let counts: Vec<_> = all
        .all()
        .iter()
        .map(|one| (one.muted, one.muted_high))
        .collect();
    assert_eq!(counts, [(3, 2), (1, 0)]);
    assert_eq!((all.muted.all, all.muted.high), (4, 2));
    assert!(all.all().iter().all(|one| one.last == Some(Time(2_000))));
    assert!(all.remove(1).is_some() && all.remove(1).is_none());
    assert!(!all.mutes(&finding("10.0.0.9", "scan", 0.9), false, &roles));
    // A number is given once.
    let again = new("10.0.0.9".parse().expect("whom"), &[]);
    let made = all.add(vec![again], &person(), NOW).expect("made");
    assert_eq!(made.first().map(|one| one.id), Some(3));
}

#[test]
fn all_or_none_are_taken() {
    let mut all = Exceptions::default();
    let good = || new("10.0.0.9".parse().expect("whom"), &["scan"]);
    for (bad, words) in [
        (new(Whom::Role(Role::Server), &["scam"]), "scan"),
        (
            NewException {
                reason: " ".to_owned(),
                ..good()
            },
            "say why",
        ),
        (
            NewException {
                until: Some(Time(1_000)),
                ..good()
            },
            "ends before",
        ),
    ] {
        let error = all.add(vec![good(), bad], &person(), NOW).expect_err("bad");
        assert!(
            error.contains("exception 2 of 2") && error.contains(words),
            "{error}"
        );
        assert!(all.all().is_empty());
    }
    let until = Some(Time(5_000));
    all.add(
        vec![NewException { until, ..good() }, good()],
        &person(),
        NOW,
    )
    .expect("made");
    assert!(!all.end(Time(5_000)) && all.end(Time(5_001)));
    assert_eq!(all.all().len(), 1, "the permanent one stays");
}

#[test]
fn what_earlier_versions_wrote_is_read() {
    let text = json!({"exceptions": [{
        "device": "10.0.0.9", "detector": "scan", "victims": ["10.0.0.1"],
        "until": "2099-01-01T00:00:00.000000Z", "alert": 4
    }]});
    let mut all: Exceptions = serde_json::from_value(text).expect("exceptions");
    all.number();
    let [one] = all.all() else {
        panic!("{all:?}");
    };
    assert_eq!((one.id, one.alert, &one.by), (1, Some(4), &Actor::Daemon));
    let roles = HashMap::new();
    assert!(all.mutes(&finding("10.0.0.9", "scan", 0.9), false, &roles));
    assert!(!all.mutes(&finding("10.0.0.9", "sweep", 0.9), false, &roles));
    let written = serde_json::to_value(&all).expect("JSON");
    let read: Exceptions = serde_json::from_value(written).expect("what was written");
    assert_eq!(read.all(), all.all());
}

#[test]
fn a_scanner_is_excepted_from_detectors_that_there_are() {
    let named = NewException::scanner_detectors();
    assert_eq!(named.len(), 7, "{named:?}");
}
