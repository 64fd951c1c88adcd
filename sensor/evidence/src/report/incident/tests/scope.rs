//! What belongs to an incident, and what stays apart: attacks beside one another, ordinary work, hosts outside.

use std::net::IpAddr;

use sensor_facts::{alert::Alert, finding::AttackRole};

use super::{
    super::{Exchange, Facts, Incident, Part},
    facts::{ARCHIVE, ENGINE, INTRUDER, MODALITY, WORKSTATION, facts, whole},
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

/// Puts the facts' other alerts into the incident, with this device as the first.
fn join(facts: &mut Facts, first: Option<IpAddr>) {
    let all = std::iter::once(&facts.alert).chain(&facts.alerts);
    let all: Vec<_> = all.map(|one| serde_json::to_value(one).unwrap()).collect();
    facts.incident = Some(whole(&all, first));
}

#[test]
fn what_belongs_to_the_incident_is_decided_where_alerts_are_grouped() {
    let mut facts = facts();
    let mut second = alert(&facts, WORKSTATION, 2);
    second.findings[0].victims = vec![ARCHIVE];
    facts.alerts = vec![second];
    let connected = |facts: &Facts| Incident::of(facts).others[0].connected;
    assert!(!connected(&facts), "both name the archive");
    assert_eq!(Incident::of(&facts).containment.suspects.len(), 1);
    join(&mut facts, Some(WORKSTATION));
    assert!(connected(&facts));
    let incident = Incident::of(&facts);
    assert_eq!(incident.containment.suspects.len(), 2);
    assert_eq!(incident.patient_zero.unwrap().address, WORKSTATION);
    // Without an incident the alert stands alone.
    facts.incident = None;
    let incident = Incident::of(&facts);
    assert!(!incident.others[0].connected);
    assert_eq!(incident.patient_zero.unwrap().address, INTRUDER);
}

#[test]
fn whoever_a_flood_comes_from_is_no_victim() {
    let mut facts = facts();
    let mut archive = alert(&facts, ARCHIVE, 3);
    archive.role = AttackRole::Victim;
    archive.findings[0].role = AttackRole::Victim;
    archive.findings[0].technique = "T1499".to_owned();
    archive.findings[0].victims = vec![ENGINE];
    facts.alerts = vec![archive];
    join(&mut facts, Some(INTRUDER));
    let incident = Incident::of(&facts);
    let part = |address| {
        let mut all = incident.systems.iter();
        all.find(|one| one.address == address).map(|one| one.part)
    };
    assert_eq!(part(ARCHIVE), Some(Part::Victim));
    assert_ne!(part(ENGINE), Some(Part::Victim));
    assert_eq!(
        incident.containment.suspects.len(),
        1,
        "the archive is none"
    );
}

#[test]
fn ordinary_work_with_a_suspect_is_not_counted_because_another_peer_is_one() {
    let mut facts = facts();
    let before: u64 = stolen(&facts);
    // The archive follows as a suspect. The modality has sent it images for days, and goes on.
    facts.alerts = vec![alert(&facts, ARCHIVE, 1)];
    join(&mut facts, Some(INTRUDER));
    reach(&mut facts, MODALITY, ARCHIVE, 104, -3 * 24 * 60);
    let text = serde_json::to_string(&facts.sessions).unwrap();
    let ordinary: Vec<sensor_facts::event::Event> = serde_json::from_str(&text).unwrap();
    facts.sessions.extend(ordinary.into_iter().map(|mut one| {
        (one.src_ip, one.dest_ip) = (Some(MODALITY), Some(ARCHIVE));
        one.dest_port = Some(104);
        one.flow_id = one.flow_id.map(|id| id + 1_000);
        one.timestamp.0 += 2 * MINUTE;
        one
    }));
    let of_modality = |one: &&Exchange| one.client == MODALITY && one.server == ARCHIVE;
    let incident = Incident::of(&facts);
    assert!(incident.exchanges.iter().filter(of_modality).count() > 0);
    assert!(
        incident
            .exchanges
            .iter()
            .filter(of_modality)
            .all(|one| one.usual)
    );
    assert_eq!(stolen(&facts), before);
}

/// Bytes that the report says went to suspects and are not their usual work.
fn stolen(facts: &Facts) -> u64 {
    let incident = Incident::of(facts);
    let unusual = incident.exchanges.iter().filter(|one| !one.usual);
    unusual.map(|one| one.bytes_to_suspect).sum()
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
