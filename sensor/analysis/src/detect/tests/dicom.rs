//! What is done by DICOM.

use super::{HOUR, Lab, What, as_it_is, host, set_to};
use crate::detect::Detect;
use sensor_facts::setting::Span;

const FIND: u16 = 0x0020;
const GET: u16 = 0x0010;
const MOVE: u16 = 0x0021;
const STORE: u16 = 0x0001;

fn reject(lab: &mut Lab, called: &str, reason: u8) {
    let what = What::AssociationRejected {
        calling: Some("ME".to_owned()),
        called: Some(called.to_owned()),
        source: 1,
        reason,
    };
    lab.dicom(host(9), host(1), what);
}

#[test]
fn guessing_titles_is_many_pairs_that_are_not_recognised() {
    let set = |detect: &mut Detect| {
        set_to(detect, "ae_rejects", 5_u32);
        set_to(detect, "ae_rejects_within", Span::from_secs(60));
    };
    let mut lab = Lab::new("ae_rejects", set);
    for title in ["A", "B", "C", "D"] {
        reject(&mut lab, title, 7);
    }
    lab.is_quiet("four titles");
    (0..50).for_each(|_| reject(&mut lab, "A", 7));
    lab.is_quiet("a device that was set up wrongly keeps trying");
    // No reason given: the server has no room, or is stopping.
    for title in ["E", "F", "G", "H"] {
        reject(&mut lab, title, 1);
    }
    lab.is_quiet("the title is not why");
    reject(&mut lab, "E", 7);
    let finding = lab.finds(host(9));
    assert_eq!(
        (finding.technique.as_str(), finding.victims),
        ("T1110", vec![host(1)])
    );
}

#[test]
fn an_echo_sweep_is_c_echo_and_no_more_to_many_servers() {
    let set = |detect: &mut Detect| {
        set_to(detect, "echo_servers", 5_u32);
        set_to(detect, "echo_within", Span::from_secs(600));
    };
    let mut lab = Lab::new("echo_sweep", set);
    (1..=4).for_each(|number| lab.used(host(66), host(number), &["C-ECHO"]));
    (1..=40).for_each(|_| lab.used(host(66), host(1), &["C-ECHO"]));
    lab.is_quiet("four servers");
    (1..=40).for_each(|n| lab.used(host(20), host(n), &["C-ECHO", "C-STORE"]));
    lab.is_quiet("it stores as well");
    lab.used(host(66), host(5), &["C-ECHO"]);
    assert_eq!(lab.finds(host(66)).victim_count, 5);

    let mut lab = Lab::learnt("echo_sweep", set, |lab| {
        for number in 1..=10 {
            lab.tcp(host(9), host(number), 11_112);
            lab.wait(300);
        }
    });
    (1..=10).for_each(|number| lab.used(host(9), host(number), &["C-ECHO"]));
    lab.is_quiet("servers that it uses");
}

/// A CT sends studies and a workstation reads them, each day.
fn routine(lab: &mut Lab) {
    lab.associate(host(20), host(1), "CT1", "1.2.3");
    lab.request(host(20), host(1), "CT1", STORE, "");
    lab.associate(host(50), host(1), "WS1", "1.2.4");
    lab.request(host(50), host(1), "WS1", FIND, "");
    lab.request(host(50), host(1), "WS1", MOVE, "WS1");
}

#[test]
fn an_unknown_modality_is_new_in_all_it_says() {
    let mut lab = Lab::new("unknown_modality", as_it_is);
    lab.associate(host(66), host(1), "ROGUE", "9.9.9");
    lab.is_quiet("the site is learnt");

    let mut lab = Lab::learnt("unknown_modality", as_it_is, routine);
    routine(&mut lab);
    lab.is_quiet("as each day");
    lab.associate(host(66), host(1), "ROGUE", "9.9.9");
    assert_eq!(lab.finds(host(66)).technique, "T1200");
}

#[test]
fn a_title_belongs_to_a_device() {
    let mut lab = Lab::learnt("unknown_modality", as_it_is, routine);
    lab.associate(host(66), host(1), "CT1", "9.9.9");
    let other = lab.finds(host(66));
    assert_eq!(other.technique, "T1078");
    let mut lab = Lab::learnt("unknown_modality", as_it_is, routine);
    lab.associate(host(66), host(1), "CT1", "1.2.3");
    let same = lab.finds(host(66));
    assert!(
        same.confidence < other.confidence,
        "with another implementation it is worse"
    );
}

#[test]
fn a_new_puller_is_told_and_the_workstation_is_not() {
    let mut lab = Lab::new("new_puller", as_it_is);
    lab.request(host(66), host(1), "ROGUE", MOVE, "ROGUE");
    lab.is_quiet("the site is learnt");
    for command in [MOVE, GET] {
        let mut lab = Lab::learnt("new_puller", as_it_is, routine);
        (0..20).for_each(|_| lab.request(host(50), host(1), "WS1", command, "WS1"));
        lab.is_quiet("the workstation");
        (0..20).for_each(|_| lab.request(host(66), host(1), "ROGUE", FIND, ""));
        lab.is_quiet("it only asks");
        lab.request(host(66), host(1), "ROGUE", command, "ROGUE");
        assert_eq!(lab.finds(host(66)).technique, "T1119");
    }
}

#[test]
fn a_mass_of_queries_is_many_and_more_than_usual() {
    let set = |detect: &mut Detect| {
        set_to(detect, "queries", 100_u32);
        set_to(detect, "unusual", 6.0);
    };
    let find = |lab: &mut Lab, client, count| {
        (0..count).for_each(|_| lab.request(host(client), host(1), "WS", FIND, ""));
    };
    let mut lab = Lab::new("mass_find", set);
    find(&mut lab, 66, 99);
    lab.is_quiet("99");
    find(&mut lab, 66, 1);
    let finding = lab.finds(host(66));
    assert_eq!(finding.features.first().map(|one| one.value), Some(100));
    // The next day.
    lab.at(1, 9);
    for _ in 0..10 {
        find(&mut lab, 67, 20);
        lab.wait(301);
    }
    lab.is_quiet("many, but neither in five minutes nor in an hour");
    for _ in 0..10 {
        find(&mut lab, 68, 60);
        lab.wait(301);
    }
    assert!(lab.finds(host(68)).evidence.contains("in an hour"));

    let set = |detect: &mut Detect| {
        set_to(detect, "queries", 1_000_u32);
        set_to(detect, "unusual", 6.0);
    };
    let mut lab = Lab::learnt("mass_find", set, |lab| find(lab, 50, 300));
    find(&mut lab, 50, 999);
    lab.is_quiet("below what is many");
    let mut lab = Lab::learnt("mass_find", set, |lab| find(lab, 50, 900));
    find(&mut lab, 50, 1_200);
    lab.is_quiet("a worklist that is asked as often each day");
    let mut lab = Lab::learnt("mass_find", set, |lab| find(lab, 50, 10));
    find(&mut lab, 50, 1_200);
    let finding = lab.finds(host(50));
    let usual = finding.features.first().and_then(|one| one.usual);
    assert!(
        usual.is_some_and(|usual| (5..20).contains(&usual)),
        "{usual:?}"
    );
}

#[test]
fn a_mass_of_studies_is_many_and_more_than_usual() {
    let set = |detect: &mut Detect| {
        set_to(detect, "pulls", 50_u32);
        set_to(detect, "unusual", 6.0);
    };
    let pull = |lab: &mut Lab, client, count| {
        (0..count).for_each(|_| lab.request(host(client), host(1), "WS", MOVE, "WS"));
    };
    let mut lab = Lab::new("study_exfiltration", set);
    pull(&mut lab, 66, 49);
    lab.is_quiet("49");
    lab.now += HOUR;
    pull(&mut lab, 66, 49);
    lab.is_quiet("49 in the next hour");
    pull(&mut lab, 66, 1);
    assert_eq!(lab.finds(host(66)).technique, "T1020");

    let mut lab = Lab::learnt("study_exfiltration", set, |lab| pull(lab, 50, 40));
    pull(&mut lab, 50, 60);
    lab.is_quiet("not far from what is done each day");
    let mut lab = Lab::learnt("study_exfiltration", set, |lab| pull(lab, 50, 2));
    pull(&mut lab, 50, 60);
    lab.finds(host(50));
}

#[test]
fn a_move_to_a_new_title_is_told() {
    let mut lab = Lab::new("move_destination", as_it_is);
    lab.request(host(50), host(1), "WS1", MOVE, "ELSEWHERE");
    lab.is_quiet("the site is learnt");
    let mut lab = Lab::learnt("move_destination", as_it_is, |lab| {
        routine(lab);
        lab.request(host(50), host(1), "WS1", MOVE, "REPORTS");
    });
    lab.request(host(50), host(1), "WS1", MOVE, "WS1");
    lab.request(host(50), host(1), "WS1", MOVE, "REPORTS");
    lab.request(host(50), host(1), "WS1", FIND, "");
    lab.is_quiet("as each day");
    lab.request(host(50), host(1), "WS1", MOVE, "ELSEWHERE");
    let finding = lab.finds(host(50));
    assert_eq!(finding.technique, "T1048");
    assert!(finding.evidence.contains("ELSEWHERE"));
}

#[test]
fn work_at_an_odd_hour_is_told() {
    let day = |lab: &mut Lab| {
        for _ in 9..18 {
            lab.tcp(host(50), host(1), 11_112);
            lab.request(host(50), host(1), "WS1", FIND, "");
            lab.now += HOUR;
        }
    };
    let at = |day_number, hour| {
        let mut lab = Lab::learnt("off_hours", as_it_is, day);
        lab.at(day_number, hour);
        lab.request(host(50), host(1), "WS1", FIND, "");
        lab
    };
    assert_eq!(at(9, 3).finds(host(50)).technique, "T1078");
    at(9, 12).is_quiet("its hours");
    at(9, 19).is_quiet("a little longer than usual");

    let always = |lab: &mut Lab| {
        for _ in 0..24 {
            lab.tcp(host(50), host(1), 11_112);
            lab.now += HOUR;
        }
    };
    let mut lab = Lab::learnt("off_hours", as_it_is, always);
    lab.at(9, 3);
    lab.request(host(50), host(1), "WS1", FIND, "");
    lab.is_quiet("it works day and night");

    let mut lab = Lab::learnt("off_hours", as_it_is, |lab| lab.tcp(host(50), host(1), 443));
    lab.at(9, 3);
    lab.request(host(50), host(1), "WS1", FIND, "");
    lab.is_quiet("hardly anything is known of its hours");

    let mut lab = Lab::learnt("off_hours", as_it_is, day);
    lab.at(9, 3);
    lab.tcp(host(50), host(1), 443);
    lab.is_quiet("a machine does that by itself");
}
