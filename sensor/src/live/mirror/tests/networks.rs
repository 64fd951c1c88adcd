//! VLANs and subnets that vanish.

use sensor_facts::mirror::{Condition, Range};

use super::{Made, at, ranges};

#[test]
fn a_vlan_vanishes_while_others_go_on() {
    let mut made = Made::new();
    let (all, half) = (ranges(&[10, 20, 30]), ranges(&[10, 30]));
    for _ in 0..1_200 {
        made.talk(&all, 4);
        made.second(500);
    }
    assert!(made.changes.is_empty(), "{:?}", made.changes);
    let from = made.second;
    for _ in 0..120 {
        made.talk(&half, 4);
        made.second(500);
    }
    let (after, since) = made
        .began(Condition::NetworkVanished, from)
        .expect("it vanished");
    assert!((30..=33).contains(&after), "{after} s");
    assert_eq!(since, at(from - 1));
    let said = made.said();
    assert!(
        said.contains("nothing comes from VLAN 20, 10.1.20.0/24, while 4 other networks"),
        "{said}"
    );
    // After a restart it is still missing, until it is back.
    let mut next = Made::remember(Some(made.judge.keep()), made.second + 60);
    for _ in 0..60 {
        next.talk(&half, 4);
        next.second(500);
    }
    assert_eq!(next.standing(), [Condition::NetworkVanished]);
    assert_eq!(
        next.judge.standing().next().map(|one| one.since),
        Some(at(from - 1))
    );
    for _ in 0..15 {
        next.talk(&all, 4);
        next.second(500);
    }
    assert_eq!(next.standing(), []);
}

/// Someone makes up subnets without end: none of the real ones is said to have vanished, and one that has is still missed.
#[test]
fn made_up_subnets_hide_and_accuse_none() {
    let mut made = Made::new();
    let all = ranges(&[10, 20]);
    for _ in 0..1_200 {
        made.talk(&all, 4);
        made.second(500);
    }
    for _ in 0..60 {
        made.talk(&ranges(&[10]), 4);
        made.second(500);
    }
    assert_eq!(made.standing(), [Condition::NetworkVanished]);
    for round in 0..600_u16 {
        made.talk(&[], 0);
        made.survey.crowded = true;
        for low in 0..512_u16 {
            let net = format!("172.{}.{}.0/24", 16 + (round + low) % 16, low % 256);
            let talkers = (1..=4).map(|last| ([172, 16, 0, last].into(), u64::from(round)));
            made.survey
                .ranges
                .insert(Range::Subnet(net.parse().unwrap()), talkers.collect());
        }
        made.second(500);
    }
    assert_eq!(made.standing(), [Condition::NetworkVanished]);
    let said = made.said();
    assert!(said.contains("VLAN 20, 10.1.20.0/24,"), "{said}");
}

/// A ward goes home one by one; a mirror falls silent at once. And when all falls silent, no range vanished.
#[test]
fn a_range_that_empties_or_is_silent_with_all_others_has_not_vanished() {
    let mut made = Made::new();
    let (all, half) = (ranges(&[10, 20]), ranges(&[10]));
    for _ in 0..1_200 {
        made.talk(&all, 4);
        made.second(500);
    }
    for _ in 0..600 {
        made.talk(&half, 4);
        let mut rest = made.survey.ranges.clone();
        made.talk(&ranges(&[20]), 2);
        rest.extend(made.survey.ranges.drain());
        made.survey.ranges = rest;
        made.second(500);
    }
    for _ in 0..3_600 {
        made.talk(&half, 4);
        made.second(500);
    }
    assert!(made.changes.is_empty(), "{:?}", made.changes);

    let mut silent = Made::new();
    for _ in 0..1_200 {
        silent.talk(&all, 4);
        silent.second(500);
    }
    silent.survey.ranges.clear();
    silent.seconds(600, |_| 0);
    assert_eq!(silent.standing(), [Condition::Silent]);
    assert_eq!(silent.changes.len(), 1);
}
