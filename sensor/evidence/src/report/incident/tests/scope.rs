//! What belongs to an incident, and what stays apart: attacks beside one another, ordinary work, weak hints.

use std::net::IpAddr;

use sensor_facts::{
    alert::{Alert, Severity},
    finding::AttackRole,
};

use super::{
    super::{Facts, Incident},
    facts::{ARCHIVE, ENGINE, INTRUDER, MODALITY, WORKSTATION, facts},
};

const MINUTE: i64 = 60_000_000_000;

/// Another alert of high severity, about another device, so many minutes after the incident's.
fn alert(facts: &Facts, device: IpAddr, minutes: i64) -> Alert {
    let mut alert = facts.alerts[0].clone();
    alert.id = 20 + minutes.unsigned_abs();
    alert.device = device;
    alert.opened.0 = facts.alert.opened.0 + minutes * MINUTE;
    for finding in &mut alert.findings {
        finding.subject = device;
        finding.victims = Vec::new();
    }
    alert
}

/// The intruder reaches a device by a service, so many minutes after the incident's begin.
fn reach(facts: &mut Facts, client: IpAddr, server: IpAddr, port: u16, minutes: i64) {
    let mut contact = facts.contacts[0].clone();
    (contact.client, contact.server) = (client, server);
    contact.port = Some(port);
    contact.first.0 = facts.alert.opened.0 + minutes * MINUTE;
    contact.last = contact.first;
    facts.contacts.push(contact);
}

fn connected(facts: &Facts, device: IpAddr) -> bool {
    let incident = Incident::of(facts);
    let mut others = incident.others.iter();
    others.any(|one| one.device == device && one.connected)
}

#[test]
fn two_attacks_on_one_archive_are_two_incidents() {
    let mut facts = facts();
    // Both name the archive; the archive's own alert says that it is attacked.
    let mut second = alert(&facts, WORKSTATION, 2);
    second.findings[0].victims = vec![ARCHIVE];
    let mut archive = alert(&facts, ARCHIVE, 3);
    archive.role = AttackRole::Victim;
    facts.alerts = vec![second, archive];
    assert!(connected(&facts, ARCHIVE));
    assert!(!connected(&facts, WORKSTATION));
    let incident = Incident::of(&facts);
    assert_eq!(incident.containment.suspects.len(), 1);
}

#[test]
fn a_new_way_to_a_device_connects_and_a_usual_one_does_not() {
    let mut facts = facts();
    facts.alerts = vec![alert(&facts, MODALITY, 10)];
    assert!(!connected(&facts, MODALITY), "nobody reached it");
    reach(&mut facts, INTRUDER, MODALITY, 22, 5);
    assert!(connected(&facts, MODALITY));
    // The two have always talked so.
    reach(&mut facts, INTRUDER, MODALITY, 22, -3 * 24 * 60);
    assert!(!connected(&facts, MODALITY));
}

#[test]
fn a_service_that_many_use_connects_nobody() {
    let mut facts = facts();
    facts.alerts = vec![alert(&facts, MODALITY, 10)];
    reach(&mut facts, INTRUDER, MODALITY, 445, 5);
    for host in 1..=3 {
        reach(
            &mut facts,
            IpAddr::from([10, 77, 9, host]),
            MODALITY,
            445,
            5,
        );
        assert!(connected(&facts, MODALITY), "{host} others");
    }
    reach(&mut facts, IpAddr::from([10, 77, 9, 9]), MODALITY, 445, 5);
    assert!(!connected(&facts, MODALITY));
}

#[test]
fn a_weak_hint_makes_no_first_affected_device() {
    let mut facts = facts();
    let mut weak = alert(&facts, ENGINE, -30);
    weak.findings[0].victims = vec![INTRUDER];
    weak.severity = Severity::Low;
    facts.alerts = vec![weak];
    let zero = |facts: &Facts| Incident::of(facts).patient_zero.unwrap().address;
    assert_eq!(zero(&facts), INTRUDER);
    facts.alerts[0].severity = Severity::Medium;
    assert_eq!(zero(&facts), ENGINE);
}

#[test]
fn ordinary_work_of_a_suspect_is_not_counted_as_stolen() {
    let mut facts = facts();
    let said = |facts: &Facts| Incident::of(facts).summary.join(" ");
    assert!(said(&facts).contains("1.5 MB of DICOM"));
    // The suspect has pulled from the archive for days.
    reach(&mut facts, INTRUDER, ARCHIVE, 104, -3 * 24 * 60);
    let incident = Incident::of(&facts);
    assert!(incident.exchanges.iter().all(|one| one.usual));
    assert!(
        !said(&facts).contains("1.5 MB of DICOM"),
        "{}",
        said(&facts)
    );
    assert!(
        incident
            .dates
            .factors
            .iter()
            .any(|one| { one.seen.contains("systems that they used before too") })
    );
}

#[test]
fn hosts_of_the_internet_are_not_restored() {
    let mut facts = facts();
    let outside = IpAddr::from([9, 9, 9, 9]);
    facts.alert.findings[0].victims.push(outside);
    let order = |facts: &Facts| Incident::of(facts).recovery.order;
    assert!(!order(&facts).iter().any(|turn| turn.address == outside));
    // A public address of the site has a card that is its own.
    let mut host = facts.hosts[0].clone();
    host.address = outside;
    facts.hosts.push(host);
    assert!(order(&facts).iter().any(|turn| turn.address == outside));
}
