//! The report of a made-up incident: an intruder at a hospital's archive.

mod facts;
mod reach;
mod scope;

use std::{env, fs, path::Path};

use super::{Contained, Incident, Law, Part};
use crate::report::{html, markdown, pdf};
use facts::{ARCHIVE, INTRUDER, MODALITY, PRINTER, PUMP, WORKSTATION, facts};

/// Compares with a file beside this one; with `WARDTAP_BLESS` set the file is written anew instead.
fn is_as_kept(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/report/incident/tests")
        .join(name);
    if env::var_os("WARDTAP_BLESS").is_some() {
        fs::write(&path, text).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    let differs = kept
        .lines()
        .zip(text.lines())
        .position(|(kept, now)| kept != now);
    let line = differs.unwrap_or(kept.lines().count().min(text.lines().count()));
    assert!(
        kept == text,
        "{name} differs from line {} on; WARDTAP_BLESS=1 writes it anew\nkept: {:?}\nnow:  {:?}",
        line + 1,
        kept.lines().nth(line),
        text.lines().nth(line)
    );
}

#[test]
fn the_report_is_as_kept() {
    let incident = Incident::of(&facts());
    is_as_kept("incident.md", &markdown(&incident.document(&[Law::Hipaa])));
    let json = serde_json::to_string_pretty(&incident).unwrap() + "\n";
    is_as_kept("incident.json", &json);
    let back: Incident = serde_json::from_str(&json).unwrap();
    assert_eq!(back, incident);
    // For a look in a browser.
    if let Some(path) = env::var_os("WARDTAP_PAGE") {
        fs::write(path, html(&incident.document(&[Law::Hipaa]))).unwrap();
    }
}

#[test]
fn it_says_who_did_what_to_whom_and_what_was_contained() {
    let incident = Incident::of(&facts());
    let zero = incident.patient_zero.as_ref().unwrap();
    assert_eq!(zero.address, INTRUDER);
    let part = |address| {
        incident
            .systems
            .iter()
            .find(|one| one.address == address)
            .map(|one| one.part)
    };
    assert_eq!(part(INTRUDER), Some(Part::PatientZero));
    assert_eq!(part(ARCHIVE), Some(Part::Victim));
    assert_eq!(part(WORKSTATION), Some(Part::Reachable));
    assert_eq!(part(PRINTER), None, "nobody of the incident talked to it");
    let rules = &incident.containment.rules;
    assert_eq!(
        rules.len(),
        2,
        "the pump's refused rule is none, an old one is not of the incident"
    );
    assert_eq!(rules[0].delay_ms, Some(2_400));
    assert_eq!(incident.containment.suspects[0].state, Contained::Effective);
    let summary = incident.summary.join(" ");
    for said in [
        "10.77.1.66",
        "10.77.2.10",
        "2.4 s after",
        "effective",
        "1.5 MB of DICOM",
    ] {
        assert!(summary.contains(said), "{said}: {summary}");
    }
}

#[test]
fn an_alert_that_nothing_connects_stays_apart() {
    let incident = Incident::of(&facts());
    let other = &incident.others[0];
    assert_eq!((other.device, other.connected), (PUMP, false));
}

#[test]
fn a_victim_is_not_isolated() {
    let mut facts = facts();
    facts.alert.role = sensor_facts::finding::AttackRole::Victim;
    facts.incident = None;
    let incident = Incident::of(&facts);
    assert!(incident.patient_zero.is_none());
    let text = markdown(&incident.document(&[Law::Hipaa]));
    assert!(!text.contains("Isolate 10.77.1.66"), "{text}");
    assert!(text.contains("Find who is behind it"), "{text}");
}

#[test]
fn clinical_suspects_are_isolated_with_clinical_engineering() {
    let mut facts = facts();
    facts.alert.device = MODALITY;
    for finding in &mut facts.alert.findings {
        finding.subject = MODALITY;
    }
    facts.incident = None;
    let first = &Incident::of(&facts).recovery.steps[0];
    assert!(first.what.contains("clinical engineering"), "{first:?}");
}

#[test]
fn the_dates_are_those_of_the_rules() {
    let mut facts = facts();
    let on = |text: &str| -> sensor_facts::time::Time {
        serde_json::from_value(serde_json::json!(text)).unwrap()
    };
    for (discovered, notice, yearly) in [
        ("2026-03-02T23:59:59Z", "2026-05-01", "2027-03-01"),
        ("2027-12-31T00:00:00Z", "2028-02-29", "2028-02-29"),
        ("2027-01-01T00:00:00Z", "2027-03-02", "2028-02-29"),
    ] {
        facts.alert.opened = on(discovered);
        let dates = Incident::of(&facts).dates;
        assert_eq!(
            (&*dates.notice_by, &*dates.yearly_by),
            (notice, yearly),
            "{discovered}"
        );
    }
}

#[test]
fn deadlines_are_those_of_the_laws_that_are_asked_for() {
    let mut facts = facts();
    let discovered = serde_json::json!("2026-01-30T10:00:00Z");
    facts.alert.opened = serde_json::from_value(discovered).unwrap();
    for finding in &mut facts.alert.findings {
        finding.time = facts.alert.opened;
    }
    let incident = Incident::of(&facts);
    let all = markdown(&incident.document(&[Law::Hipaa, Law::Gdpr, Law::Nis2]));
    for (law, said) in [
        (Law::Hipaa, "2026-03-31"),
        (Law::Gdpr, "2026-02-02 10:00:00"),
        (Law::Nis2, "2026-01-31 10:00:00"),
        (Law::Nis2, "2026-03-02 10:00:00"),
    ] {
        assert!(all.contains(said), "{law}: no {said} in {all}");
    }
    let european = markdown(&incident.document(&[Law::Gdpr]));
    assert!(european.contains("article 33(1)"), "{european}");
    for other in ["164.404", "article 23"] {
        assert!(!european.contains(other), "{other}: {european}");
    }
}

#[test]
fn the_management_reads_plain_words_first() {
    let incident = Incident::of(&facts());
    let document = incident.document(&[Law::Nis2]);
    assert_eq!(document.sections[0].title.as_str(), "For the management");
    let text = markdown(&document);
    let begin = text.find("## For the management").unwrap();
    let part = &text[begin..text.find("## Summary").unwrap()];
    for said in [
        "saw signs of an attack",
        "What has to be decided now",
        "NIS 2",
    ] {
        assert!(part.contains(said), "{said}: {part}");
    }
    // No words of network engineers.
    for word in ["T1", "TCP", "SYN", "VLAN"] {
        assert!(!part.contains(word), "{word}: {part}");
    }
    let file = pdf(&document);
    assert!(file.starts_with(b"%PDF-"));
    // To look at it.
    if let Some(path) = std::env::var_os("WARDTAP_PDF") {
        fs::write(path, file).unwrap();
    }
}

#[test]
fn titles_that_an_attacker_chose_are_text() {
    let mut facts = facts();
    let hostile = "<img src=x>\u{202e}";
    let text = serde_json::to_string(&facts.sessions)
        .unwrap()
        .replace("WS_GUEST", hostile);
    facts.sessions = serde_json::from_str(&text).unwrap();
    facts.alert.title = hostile.to_owned();
    facts.incident.as_mut().unwrap().title = hostile.to_owned();
    let document = Incident::of(&facts).document(&[Law::Hipaa]);
    let (page, text) = (html(&document), markdown(&document));
    for shown in [&page, &text] {
        assert!(
            !shown.contains("<img") && !shown.contains('\u{202e}'),
            "{shown}"
        );
        assert!(shown.contains("img src=x"), "{shown}");
    }
}

#[test]
fn an_absent_sensor_and_missing_data_are_said() {
    let mut facts = facts();
    facts
        .trail
        .absent
        .push((facts.alert.opened, facts.made, false));
    facts.trail.force.interfaces = vec!["eth1 (mirror, driver mode)".to_owned()];
    facts.trail.force.model = None;
    facts.seal.flaw = Some("it was cut".to_owned());
    let text = markdown(&Incident::of(&facts).document(&[Law::Hipaa]));
    for said in [
        "ended out of order",
        "none was in use",
        "no interface is in the path",
        "does not verify: it was cut",
        "What was before 2026-03-01",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
}
