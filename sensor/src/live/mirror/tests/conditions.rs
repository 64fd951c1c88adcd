//! Each condition of an interface by itself.

use sensor_facts::mirror::Condition;

use super::{Made, at};

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
    let said = made.said();
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
