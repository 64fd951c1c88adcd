//! The rules, one by one: what joins, what stays apart, what ends.

use sensor_facts::{
    alert::Severity,
    incident::{Change, Tie},
};

use super::{ARCHIVE, DAY, MINUTE, Ward, finding, host, outside, victim, weak};
use crate::incident::Incidents;

#[test]
fn a_look_at_a_device_does_not_join_it() {
    let mut ward = Ward::new();
    ward.find(0, host(66), "T1046", &[host(30)]);
    ward.find(30, host(30), "T1110", &[host(31)]);
    assert_eq!(ward.open().len(), 2, "it was scanned, no more");
    let mut ward = Ward::new();
    ward.find(0, host(66), "T1021", &[host(30)]);
    ward.find(30, host(30), "T1110", &[host(31)]);
    assert_eq!(ward.open().len(), 1, "someone was in it");
    let mut ward = Ward::new();
    ward.find(0, host(66), "T1557.002", &[host(30)]);
    ward.find(30, host(30), "T1110", &[host(31)]);
    assert_eq!(ward.open().len(), 2, "it was spoofed, no more");
}

#[test]
fn what_is_found_long_after_does_not_follow() {
    let after = |minutes| {
        let mut ward = Ward::new();
        ward.find(0, host(66), "T1021", &[host(30)]);
        ward.find(minutes, host(30), "T1110", &[host(31)]);
        ward.open().len()
    };
    assert_eq!((after(239), after(241)), (1, 2));
    let reached = |minutes| {
        let mut ward = Ward::new();
        ward.find(0, host(66), "T1110", &[host(40)]);
        ward.flow(3, host(66), host(30), 3_389);
        ward.find(minutes, host(30), "T1110", &[host(31)]);
        ward.open().len()
    };
    assert_eq!((reached(242), reached(244)), (1, 2));
}

#[test]
fn attackers_of_one_host_inside_are_not_one() {
    let mut ward = Ward::new();
    ward.find(0, host(66), "T1110", &[host(30)]);
    ward.find(10, host(67), "T1110", &[host(30)]);
    assert_eq!(ward.open().len(), 2);
}

#[test]
fn who_was_suspected_before_does_not_follow_from_who_attacks_it_later() {
    let mut ward = Ward::new();
    ward.find(0, host(30), "T1110", &[host(31)]);
    ward.find(60, host(66), "T1110", &[host(30)]);
    assert_eq!(ward.open().len(), 2);
}

#[test]
fn the_next_attacker_of_a_victim_is_another_attack() {
    let mut ward = Ward::new();
    ward.find(0, host(66), "T1557.002", &[host(30)]);
    ward.take(1, victim(host(30), "T1557.002"));
    ward.find(10, host(67), "T1110", &[host(30)]);
    assert_eq!(ward.suspects(), [[host(66)], [host(67)]]);
}

#[test]
fn a_usual_way_or_one_that_many_use_joins_nobody() {
    // The two have talked for days.
    let mut ward = Ward::new();
    for day in -3..0 {
        ward.flow(day * 1_440, host(66), host(30), 22);
    }
    ward.find(0, host(66), "T1110", &[host(40)]);
    ward.flow(3, host(66), host(30), 22);
    ward.find(30, host(30), "T1110", &[host(41)]);
    assert_eq!(ward.open().len(), 2, "a usual way");
    // New, and to a host that everyone uses.
    let mut ward = Ward::new();
    ward.find(0, host(66), "T1110", &[host(40)]);
    ward.flow(3, host(66), ARCHIVE, 104);
    ward.find(30, ARCHIVE, "T1110", &[host(41)]);
    assert_eq!(ward.open().len(), 2, "everyone uses the archive");
}

#[test]
fn the_number_of_devices_that_make_a_host_everyones_is_a_setting() {
    let others = |limit: u32| {
        let mut ward = Ward::with(|it| it.shared_peers = limit);
        for number in 0..3 {
            ward.flow(-10, host(50 + number), outside(9), 4_444);
        }
        ward.find(0, host(66), "T1571", &[outside(9)]);
        ward.find(10, host(67), "T1571", &[outside(9)]);
        ward.open().len()
    };
    assert_eq!((others(3), others(2)), (1, 2));
}

#[test]
fn a_default_title_of_a_toolkit_joins_nobody() {
    let mut ward = Ward::new();
    for (minute, who) in [(0, 66), (30, 67)] {
        ward.associate(minute, host(who), "ECHOSCU");
        ward.find(minute + 1, host(who), "T1213", &[ARCHIVE]);
    }
    assert_eq!(ward.open().len(), 2);
}

#[test]
fn a_low_alert_opens_nothing_and_joins_what_attacked_its_device() {
    let mut ward = Ward::new();
    ward.take(0, weak(host(66), "T1046", &[host(40)]));
    assert!(ward.open().is_empty());
    ward.find(10, host(80), "T1110", &[host(41)]);
    ward.take(20, weak(host(41), "T1046", &[host(42)]));
    assert_eq!(ward.suspects(), [[host(80), host(41)]]);
    let mut ward = Ward::with(|it| it.severity = Severity::Low);
    ward.take(0, weak(host(66), "T1046", &[host(40)]));
    assert_eq!(ward.open().len(), 1, "where the setting says so");
}

#[test]
fn two_that_turn_out_to_be_one_merge_into_the_older() {
    let mut ward = Ward::new();
    ward.find(0, host(66), "T1110", &[host(40)]);
    ward.find(5, host(30), "T1046", &[host(41)]);
    assert_eq!(ward.open().len(), 2);
    // The first had guessed at the second as well.
    ward.find(7, host(66), "T1021", &[host(30)]);
    let open = ward.open();
    assert_eq!(open.len(), 1);
    assert_eq!((open[0].id, &open[0].took_in), (1, &vec![2]));
    let device = host(30);
    let tie = Tie::Attacked { device };
    assert!(open[0].links.iter().any(|link| link.because == tie));
    let gone = ward.analysis.incidents().get(2).unwrap();
    assert_eq!((gone.merged_into, gone.is_open()), (Some(1), false));
    assert_eq!(ward.changes(1), [Change::Opened, Change::Merged]);
    assert_eq!(ward.changes(2), [Change::Opened, Change::Closed]);
    assert_eq!(ward.analysis.incidents().of_alert(2), Some(1));
}

#[test]
fn an_incident_is_over_when_nothing_was_added_for_a_day() {
    let mut ward = Ward::new();
    ward.find(0, host(66), "T1110", &[host(40)]);
    ward.wait_until(DAY / MINUTE);
    assert_eq!(ward.open().len(), 1);
    ward.wait_until(DAY / MINUTE + 1);
    assert!(ward.open().is_empty());
    // What comes later is another one, also about what was attacked then.
    ward.find(DAY / MINUTE + 10, host(40), "T1046", &[host(41)]);
    assert_eq!(ward.open().len(), 1);
    assert_eq!(ward.open()[0].id, 2);
}

#[test]
fn changes_are_told_once_in_a_while() {
    let mut ward = Ward::new();
    ward.find(0, host(66), "T1110", &[host(40)]);
    for technique in ["T1046", "T1021", "T1213"] {
        ward.find(0, host(66), technique, &[host(40)]);
    }
    assert_eq!(ward.changes(1), [Change::Opened]);
    ward.wait_until(2);
    assert_eq!(ward.changes(1), [Change::Opened, Change::Updated]);
    let last = ward.told.last().unwrap();
    assert_eq!(last.incident.techniques.len(), 4);
    ward.wait_until(4);
    assert_eq!(ward.changes(1).len(), 2, "nothing has changed");
}

#[test]
fn incidents_and_their_numbers_survive_a_restart() {
    let folder = std::env::temp_dir().join(format!("wardtap-incidents-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut ward = Ward::new();
    ward.find(0, host(66), "T1021", &[host(30)]);
    ward.find(1, host(80), "T1110", &[host(50)]);
    ward.analysis.save(&folder).unwrap();
    let options = ward.analysis.options().clone();
    let before: Vec<_> = ward.open().into_iter().cloned().collect();
    let mut after = Ward::new();
    after.analysis.incidents = Incidents::open(&folder, options.incident);
    after.analysis.alerts = crate::alert::Alerts::open(&folder, options.alert);
    std::fs::remove_dir_all(&folder).unwrap();
    let open: Vec<_> = after.open().into_iter().cloned().collect();
    assert_eq!(open, before);
    // What they are about is known still, and no number is given twice.
    after.find(20, host(30), "T1046", &[host(31)]);
    assert_eq!(after.suspects()[0], [host(66), host(30)]);
    after.find(21, host(90), "T1110", &[host(51)]);
    assert_eq!(after.open()[2].id, 3);
}

#[test]
fn more_alerts_than_there_is_room_for_leave_what_matters() {
    let mut ward = Ward::new();
    for number in 0..3_000_u32 {
        let who = std::net::IpAddr::from(0x0a58_0000_u32.saturating_add(number).to_be_bytes());
        ward.take(0, finding(who, "T1110", &[]));
    }
    let standing = ward.analysis.incidents().standing();
    assert_eq!(standing.opened, 3_000);
    assert_eq!(standing.evicted, 2_000);
    assert_eq!(ward.analysis.incidents().all().count(), 1_000);
}

#[test]
fn more_hosts_than_there_is_room_for_are_counted() {
    let mut ward = Ward::new();
    let before = ward.analysis.incidents().standing().forgotten;
    for number in 0..16_384_u32 {
        let server = std::net::IpAddr::from(0x0a59_0000_u32.saturating_add(number).to_be_bytes());
        ward.flow(-5, host(20), server, 80);
    }
    let after = ward.analysis.incidents().standing().forgotten;
    assert_eq!((before, after), (0, 2), "the archive and the DNS server");
}

#[test]
fn made_up_ethernet_addresses_fill_one_table() {
    let mut ward = Ward::new();
    for number in 0..5_000_u32 {
        let mut one = finding(host(66), "T1110", &[host(40)]);
        one.sender_mac = Some(format!(
            "02:00:00:00:{:02x}:{:02x}",
            number >> 8,
            number & 255
        ));
        ward.take(0, one);
    }
    // One that had room ties, one that had none does not.
    for (who, mac, open) in [(67, "02:00:00:00:00:07", 1), (68, "02:00:00:00:13:07", 2)] {
        let mut one = finding(host(who), "T1110", &[]);
        one.sender_mac = Some(mac.to_owned());
        ward.take(1, one);
        assert_eq!(ward.open().len(), open, "{mac}");
    }
}
