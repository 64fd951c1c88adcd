//! Attacks of several steps: one incident each, with the right first device and nothing foreign in it.

use sensor_facts::incident::Stage;

use super::{ARCHIVE, DNS, Ward, finding, host, outside, victim, weak};

#[test]
fn a_laptop_that_spreads_from_host_to_host() {
    let mut ward = Ward::new();
    ward.find(0, host(66), "T1046", &[host(30), host(31)]);
    ward.find(5, host(66), "T1110", &[host(30)]);
    ward.flow(6, host(66), host(30), 22);
    ward.find(20, host(30), "T1021.002", &[host(31)]);
    ward.find(40, host(31), "T1486", &[host(32)]);
    assert_eq!(ward.suspects(), [[host(66), host(30), host(31)]]);
    let stages = ward.open()[0].stages();
    let expected = [
        Stage::Discovery,
        Stage::CredentialAccess,
        Stage::LateralMovement,
        Stage::Impact,
    ];
    assert_eq!(stages, expected);
    assert_eq!(ward.analysis.incidents().standing().open, [0, 0, 0, 1]);
}

#[test]
fn a_device_that_was_reached_by_a_service_that_few_use() {
    let mut ward = Ward::new();
    ward.find(0, host(66), "T1110", &[host(40)]);
    ward.flow(3, host(66), host(30), 3_389);
    ward.find(30, host(30), "T1046", &[host(32)]);
    assert_eq!(ward.suspects(), [[host(66), host(30)]]);
}

#[test]
fn the_source_is_the_first_although_it_is_found_last() {
    let mut ward = Ward::new();
    ward.flow(0, host(66), host(30), 22);
    ward.find(10, host(30), "T1046", &[host(40)]);
    // Slow guessing takes its time until it is found.
    ward.find(14, host(66), "T1110", &[host(30)]);
    assert_eq!(ward.suspects(), [[host(66), host(30)]]);
}

#[test]
fn stolen_studies_that_leave_the_site() {
    let mut ward = Ward::new();
    ward.find(0, host(66), "T1110", &[ARCHIVE]);
    ward.find(10, host(66), "T1213", &[ARCHIVE]);
    ward.find(60, host(66), "T1041", &[outside(9)]);
    assert_eq!(ward.suspects(), [[host(66)]]);
    assert_eq!(ward.open()[0].victims, [ARCHIVE, outside(9)]);
}

#[test]
fn two_hosts_under_the_orders_of_one_server_outside() {
    let mut ward = Ward::new();
    ward.flow(0, host(66), outside(9), 4_444);
    ward.find(1, host(66), "T1571", &[outside(9)]);
    ward.flow(30, host(67), outside(9), 4_444);
    ward.find(31, host(67), "T1571", &[outside(9)]);
    assert_eq!(ward.suspects(), [[host(66), host(67)]]);
}

#[test]
fn someone_between_two_hosts_and_its_victim() {
    let mut ward = Ward::new();
    // The victim is found first.
    ward.take(0, victim(host(30), "T1557.002"));
    assert_eq!(ward.open()[0].first_affected, None);
    ward.find(1, host(66), "T1557.002", &[host(30)]);
    assert_eq!(ward.suspects(), [[host(66)]]);
    assert_eq!(ward.open()[0].alerts.len(), 2);
    // The other way round.
    let mut ward = Ward::new();
    ward.find(0, host(66), "T1557.002", &[host(30)]);
    ward.take(1, victim(host(30), "T1557.002"));
    assert_eq!(ward.suspects(), [[host(66)]]);
    assert_eq!(ward.open()[0].alerts.len(), 2);
}

#[test]
fn an_attacker_who_takes_another_address() {
    let mac = || Some("b8:27:eb:00:00:66".to_owned());
    let mut ward = Ward::new();
    let by = |who, technique| finding(host(who), technique, &[ARCHIVE]);
    let mut first = by(66, "T1046");
    first.sender_mac = mac();
    ward.take(0, first);
    let mut second = by(99, "T1110");
    second.sender_mac = mac();
    ward.take(20, second);
    assert_eq!(ward.suspects(), [[host(66), host(99)]]);
}

#[test]
fn two_devices_that_call_themselves_by_one_strange_title() {
    let mut ward = Ward::new();
    ward.associate(0, host(66), "GHOST");
    ward.find(1, host(66), "T1110", &[ARCHIVE]);
    ward.associate(30, host(67), "GHOST");
    ward.find(31, host(67), "T1213", &[ARCHIVE]);
    assert_eq!(ward.suspects(), [[host(66), host(67)]]);
}

#[test]
fn a_victim_that_attacks_later() {
    let mut ward = Ward::new();
    ward.take(0, victim(host(30), "T1110"));
    ward.find(50, host(30), "T1046", &[host(40)]);
    assert_eq!(ward.suspects(), [[host(30)]]);
    assert_eq!(ward.open().len(), 1);
}

#[test]
fn two_attacks_at_the_same_time_stay_two() {
    let mut ward = Ward::new();
    // One goes from a laptop over a workstation, the other from a pump outside. Both guess at the archive, scan the same
    // hosts and ask the same DNS server.
    for (minute, who) in [(0, host(66)), (1, host(80))] {
        ward.flow(minute, who, DNS, 53);
        ward.flow(minute, who, ARCHIVE, 104);
        ward.find(minute, who, "T1046", &[ARCHIVE, host(20), host(21)]);
        ward.find(minute + 2, who, "T1110", &[ARCHIVE]);
    }
    ward.flow(5, host(66), host(30), 445);
    ward.find(6, host(66), "T1021.002", &[host(30)]);
    ward.find(7, host(80), "T1048", &[outside(8)]);
    ward.find(30, host(30), "T1486", &[host(31)]);
    assert_eq!(ward.suspects(), [vec![host(66), host(30)], vec![host(80)]]);
    // The archive is attacked by both and told once: with the last of them.
    ward.take(31, victim(ARCHIVE, "T1110"));
    assert_eq!(ward.open().len(), 2);
    // When it is suspected itself it follows from one of them, and does not join the two.
    ward.find(40, ARCHIVE, "T1046", &[host(50)]);
    assert_eq!(ward.open().len(), 2);
    // And others work on as they always do.
    ward.flow(41, host(20), ARCHIVE, 104);
    ward.find(42, host(20), "T1046", &[host(51)]);
    assert_eq!(ward.open().len(), 3, "ordinary work joins nobody");
}

#[test]
fn hints_join_and_neither_open_nor_merge() {
    let mut ward = Ward::new();
    let mut hint = weak(host(40), "T1046", &[host(41)]);
    hint.confidence = 0.3;
    ward.take(0, hint.clone());
    assert!(ward.open().is_empty());
    ward.find(1, host(66), "T1110", &[host(40)]);
    hint.detector = "another".to_owned();
    hint.confidence = 0.2;
    ward.take(3, hint);
    let incident = ward.open()[0];
    assert_eq!(incident.suspects(), [host(66)]);
    assert_eq!(incident.hints.len(), 1);
    assert_eq!(incident.hints[0].device, host(40));
}
