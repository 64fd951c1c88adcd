//! Made-up series, and which conditions the judge says.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr},
};

use sensor_facts::{
    mirror::{Condition, Range, Standing, Survey},
    time::Time,
};

use super::{
    judge::{Judge, Kept, Sample},
    series::{Counted, SECOND},
};
use crate::config::Mirror;

/// When the series begin on the wall clock.
const BEGIN: i64 = 1_800_000_000_000_000_000;
/// The engine's clock then.
const ENGINE: u64 = 1_000_000 * SECOND;

/// An interface that is made up second by second.
struct Made {
    judge: Judge,
    limits: Mirror,
    second: u64,
    counted: Counted,
    present: bool,
    link: bool,
    survey: Survey,
    changes: Vec<(u64, Standing, Option<Time>)>,
}

impl Made {
    fn new() -> Self {
        Self::remember(None, 0)
    }

    /// One whose daemon starts at this second, with what was kept.
    fn remember(kept: Option<Kept>, second: u64) -> Self {
        Self {
            judge: kept.map_or_else(Judge::default, Judge::remember),
            limits: Mirror::default(),
            second,
            counted: Counted::default(),
            present: true,
            link: true,
            survey: Survey::default(),
            changes: Vec::new(),
        }
    }

    fn second(&mut self, packets: u64) {
        self.counted.packets += packets;
        self.counted.bytes += packets * 500;
        let now = ENGINE + self.second * SECOND;
        self.judge.survey(now, self.survey.clone());
        let sample = Sample {
            now,
            time: at(self.second),
            present: self.present,
            link: self.link,
            counted: self.counted,
        };
        for (standing, until) in self.judge.take(sample, &self.limits) {
            self.changes.push((self.second, standing, until));
        }
        self.second += 1;
    }

    fn seconds(&mut self, seconds: u64, packets: impl Fn(u64) -> u64) {
        for _ in 0..seconds {
            let packets = packets(self.second);
            self.second(packets);
        }
    }

    /// Busy for long enough that its past counts.
    fn busy(&mut self) {
        self.survey.active = 100;
        self.seconds(1_200, |_| 500);
        assert!(self.changes.is_empty(), "{:?}", self.changes);
    }

    /// Seconds that passed until a condition began, of those that began since `from`; and since when it is said to hold.
    fn began(&self, condition: Condition, from: u64) -> Option<(u64, Time)> {
        let found = self.changes.iter().find(|(second, standing, until)| {
            *second >= from && standing.condition == condition && until.is_none()
        });
        found.map(|(second, standing, _)| (second - from, standing.since))
    }

    fn ended(&self, condition: Condition) -> Option<Time> {
        let found = self
            .changes
            .iter()
            .find(|(_, standing, until)| standing.condition == condition && until.is_some());
        found.and_then(|(_, _, until)| *until)
    }

    fn standing(&self) -> Vec<Condition> {
        self.judge.standing().map(|one| one.condition).collect()
    }

    /// Several addresses of each range talk now.
    fn talk(&mut self, ranges: &[Range], addresses: u8) {
        let now = ENGINE + self.second * SECOND;
        let talkers = |range: &Range| {
            let third = match range {
                Range::Vlan(id) => u8::try_from(*id).unwrap(),
                Range::Subnet(net) => match net.addr() {
                    IpAddr::V4(net) => net.octets()[2],
                    IpAddr::V6(_) => 0,
                },
            };
            let address = move |last| IpAddr::V4(Ipv4Addr::new(10, 1, third, last));
            (1..=addresses)
                .map(move |last| (address(last), now))
                .collect::<HashMap<_, _>>()
        };
        self.survey.ranges = ranges
            .iter()
            .map(|range| (*range, talkers(range)))
            .collect();
    }
}

fn at(second: u64) -> Time {
    Time(BEGIN + i64::try_from(second * SECOND).unwrap())
}

#[test]
fn a_dead_link_is_told_in_seconds_and_so_is_its_return() {
    let mut made = Made::new();
    made.busy();
    made.link = false;
    made.seconds(28_800, |_| 0);
    let (after, since) = made.began(Condition::LinkDown, 1_200).expect("a dead link");
    assert!(after <= 3, "{after} s");
    assert_eq!(since, at(1_200));
    // The silence follows from it.
    assert_eq!(made.standing(), [Condition::LinkDown]);
    made.link = true;
    made.seconds(15, |_| 500);
    assert_eq!(made.ended(Condition::LinkDown), Some(at(30_000)));
    assert_eq!(made.standing(), []);
    assert_eq!(made.judge.begun()[&Condition::LinkDown], 1);
}

#[test]
fn a_link_that_blinks_is_not_told() {
    let mut made = Made::new();
    made.busy();
    for _ in 0..5 {
        made.link = false;
        made.seconds(1, |_| 0);
        made.link = true;
        made.seconds(10, |_| 500);
    }
    assert!(made.changes.is_empty(), "{:?}", made.changes);
}

#[test]
fn an_interface_that_was_taken_away_is_one_condition() {
    let mut made = Made::new();
    made.busy();
    (made.present, made.link) = (false, false);
    made.seconds(60, |_| 0);
    assert_eq!(made.began(Condition::Gone, 1_200).map(|it| it.0), Some(0));
    assert_eq!(made.standing(), [Condition::Gone]);
}

#[test]
fn silence_where_there_are_usually_packets() {
    let mut made = Made::new();
    made.busy();
    made.seconds(120, |_| 0);
    let (after, since) = made.began(Condition::Silent, 1_200).expect("a silence");
    assert!((20..=22).contains(&after), "{after} s");
    assert_eq!(since, at(1_199), "since the last packet");
    assert_eq!(made.standing(), [Condition::Silent]);
    let said = made
        .judge
        .standing()
        .next()
        .map(ToString::to_string)
        .unwrap();
    assert!(
        said.starts_with("no packet has come for 2m 0s, since 2027-01-15 "),
        "{said}"
    );
    made.seconds(12, |_| 500);
    assert_eq!(made.standing(), []);
}

/// The longest pause of the hour says how quiet it is: four times that is no longer quiet.
#[test]
fn a_quiet_network_may_be_silent_for_longer() {
    let mut made = Made::new();
    // A packet every 15 s.
    made.seconds(3_600, |second| u64::from(second % 15 == 0));
    assert!(made.changes.is_empty(), "{:?}", made.changes);
    let last = made.second - 15;
    made.seconds(120, |_| 0);
    let (after, since) = made.began(Condition::Silent, last).expect("a silence");
    assert!((60..=62).contains(&after), "{after} s");
    assert_eq!(since, at(last));
}

#[test]
fn nothing_from_the_start_on_is_told_after_a_minute() {
    let mut made = Made::new();
    made.seconds(70, |_| 0);
    let (after, _) = made.began(Condition::Silent, 0).expect("a silence");
    assert_eq!(after, 60);
    assert_eq!(made.judge.last_packet(), None);
}

#[test]
fn a_sudden_drop_of_packets_and_conversations() {
    let mut made = Made::new();
    made.busy();
    made.survey.active = 4;
    made.seconds(60, |_| 3);
    let (after, _) = made.began(Condition::Dropped, 1_200).expect("a drop");
    assert!(after <= 30, "{after} s");
    // It does not become usual by lasting.
    made.seconds(7_200, |_| 3);
    assert_eq!(made.standing(), [Condition::Dropped]);
    made.survey.active = 100;
    made.seconds(40, |_| 500);
    assert_eq!(made.standing(), []);
}

#[test]
fn the_end_of_a_backup_is_no_drop() {
    let mut made = Made::new();
    // Conversations stay, packets fall to a hundredth.
    made.survey.active = 60;
    made.seconds(3_600, |_| 100_000);
    made.seconds(600, |_| 1_000);
    // Packets stay, conversations fall.
    made.survey.active = 3;
    made.seconds(600, |_| 1_000);
    assert!(made.changes.is_empty(), "{:?}", made.changes);
}

#[test]
fn one_direction_of_many_conversations() {
    let mut made = Made::new();
    made.busy();
    (made.survey.conversations, made.survey.one_sided) = (100, 30);
    made.seconds(60, |_| 500);
    assert!(made.changes.is_empty(), "{:?}", made.changes);
    made.survey.one_sided = 31;
    let from = made.second;
    made.seconds(30, |_| 500);
    let (after, _) = made
        .began(Condition::OneDirection, from)
        .expect("one direction");
    assert!(after <= 10, "{after} s");
    // A few say nothing.
    let mut few = Made::new();
    few.busy();
    (few.survey.conversations, few.survey.one_sided) = (19, 19);
    few.seconds(60, |_| 500);
    assert!(few.changes.is_empty(), "{:?}", few.changes);
}

#[test]
fn second_copies_and_cut_packets() {
    for (condition, percent) in [(Condition::Duplicates, 5), (Condition::Truncated, 1)] {
        let mut made = Made::new();
        made.busy();
        let bad = |made: &mut Made, count: u64| {
            let counter = match condition {
                Condition::Duplicates => &mut made.counted.duplicates,
                _ => &mut made.counted.truncated,
            };
            *counter += count;
        };
        for _ in 0..120 {
            bad(&mut made, 10 * percent);
            made.second(1_000);
        }
        assert!(made.changes.is_empty(), "{:?}", made.changes);
        let from = made.second;
        for _ in 0..60 {
            bad(&mut made, 500);
            made.second(1_000);
        }
        let (after, _) = made.began(condition, from).expect("too many");
        assert!(after <= 12, "{after} s");
        made.seconds(90, |_| 1_000);
        assert_eq!(made.standing(), []);
    }
}

fn ranges(thirds: &[u16]) -> Vec<Range> {
    let vlan = |third: &u16| Range::Vlan(*third);
    let net = |third: &u16| Range::Subnet(format!("10.1.{third}.0/24").parse().unwrap());
    thirds
        .iter()
        .flat_map(|third| [vlan(third), net(third)])
        .collect()
}

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
    let said = made
        .judge
        .standing()
        .next()
        .map(ToString::to_string)
        .unwrap();
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

/// A mirror that died in the night says since when, also if the daemon was started again in between.
#[test]
fn a_dead_night_outlives_a_restart() {
    let mut made = Made::new();
    made.busy();
    made.seconds(3_600, |_| 0);
    let kept = made.judge.keep();
    let text = serde_json::to_string(&kept).expect("JSON");
    let kept: Kept = serde_json::from_str(&text).expect("what was kept");

    // Programs and their counters are gone with the daemon at a mirror.
    let mut next = Made::remember(Some(kept.clone()), made.second + 10);
    next.seconds(5, |_| 0);
    let standing: Vec<_> = next.judge.standing().cloned().collect();
    assert_eq!(standing.len(), 1, "{standing:?}");
    assert_eq!(
        (standing[0].condition, standing[0].since),
        (Condition::Silent, at(1_199))
    );
    assert_eq!(next.judge.last_packet(), Some(at(1_199)));
    assert!(
        next.changes.is_empty(),
        "it was told already: {:?}",
        next.changes
    );
    next.seconds(12, |_| 500);
    assert_eq!(next.standing(), []);

    // It died while no daemon ran.
    let mut alive = Made::new();
    alive.busy();
    let mut next = Made::remember(Some(alive.judge.keep()), alive.second + 7_200);
    next.seconds(2, |_| 0);
    assert_eq!(
        next.began(Condition::Silent, 0).map(|it| it.1),
        Some(at(1_199))
    );
}

/// A small hospital from the evening on: ever fewer packets at random times, devices that go home, a backup, polls at the
/// full hour. Nothing is wrong.
#[test]
fn a_small_hospitals_night_is_no_reason_to_warn() {
    for seed in 1..=8_u64 {
        let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut dice = move |below: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % below
        };
        let mut made = Made::new();
        // From 18:00 to 6:00: a packet every second at first, and one every 12 s at night; the pumps' VLAN always talks.
        for second in 0..43_200_u64 {
            let quiet = 1 + (second / 3_600).min(11);
            let mut packets = u64::from(dice(quiet) == 0) * (1 + dice(40));
            if (14_400..18_000).contains(&second) {
                packets += 30_000;
            }
            made.survey.active = 40_u64.saturating_sub(second / 1_200).max(4) + dice(8);
            let (conversations, one_sided) = (8 + dice(20), dice(3));
            (made.survey.conversations, made.survey.one_sided) = (conversations, one_sided);
            // The office empties; a poll at each full hour wakes three devices of the laboratory.
            let office = u8::try_from(30_u64.saturating_sub(second / 300)).unwrap();
            made.talk(&ranges(&[10]), 3);
            let mut talking = made.survey.ranges.clone();
            if office > 0 && dice(4) == 0 {
                made.talk(&ranges(&[20]), office.min(8));
                talking.extend(made.survey.ranges.clone());
            }
            if second % 3_600 < 20 {
                made.talk(&ranges(&[30]), 3);
                talking.extend(made.survey.ranges.clone());
            }
            made.survey.ranges = talking;
            made.second(packets);
        }
        let said: Vec<String> = made
            .changes
            .iter()
            .map(|(second, standing, _)| format!("{second}: {standing}"))
            .collect();
        assert!(said.is_empty(), "seed {seed}: {said:#?}");
    }
}
