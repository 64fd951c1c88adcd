//! What is written of a flood, and what is not.

use std::{fs, sync::atomic::Ordering, time::Duration};

use sensor_facts::{action::Action, rule::Actor, time::Time};

use super::{
    testing::{decision, folder, thing, wait_for},
    *,
};

const SECOND: i64 = 1_000_000_000;

#[test]
fn repeated_decisions_have_one_entry_that_counts_them() {
    let mut summaries = Summaries::new(Duration::from_mins(5));
    let at = |second: i64| Time(second * SECOND);
    let mut take = |second, verdict: &str, reason: &str| {
        let one = decision("10.0.0.1", verdict, reason);
        summaries.take(at(second), "scan", one).is_some()
    };
    assert!(take(0, "wait", "alone, 0.4 % lost"), "the first");
    for second in 1..100 {
        assert!(!take(second, "wait", "alone, 0.7 % lost"));
    }
    assert!(take(100, "would_act", "two findings"), "another verdict");
    assert!(take(101, "wait", "it is protected"), "another reason");
    for second in 102..110 {
        assert!(take(second, "act", "two"), "what changes a rule");
        assert!(take(second, "propose", "two"), "what changes a rule");
    }
    assert!(summaries.due(at(299)).is_empty());
    let due = summaries.due(at(300));
    let [(_, Actor::Policy { group }, Action::DecidedAgain(repeats))] = due.as_slice() else {
        panic!("{due:?}");
    };
    assert_eq!(group, "default");
    assert_eq!(
        (repeats.count, repeats.first, repeats.last),
        (99, at(1), at(99))
    );
    assert_eq!(repeats.subject.as_deref(), Some("10.0.0.1"));
    // It goes on: still counted. It ends: the next one is the first again.
    let again = || decision("10.0.0.1", "wait", "alone, 0.1 % lost");
    assert!(summaries.take(at(301), "scan", again()).is_none());
    assert_eq!(summaries.due(at(600)).len(), 1);
    assert!(summaries.due(at(900)).is_empty());
    assert!(summaries.take(at(901), "scan", again()).is_some());
    assert!(summaries.take(at(902), "scan", again()).is_none());
    assert_eq!(summaries.finish(at(903)).len(), 1);
}

/// Every decision is in exactly one entry, and the entries are bounded whatever comes.
#[test]
fn a_flood_of_subjects_is_bounded_and_counted() {
    let mut summaries = Summaries::new(Duration::from_mins(5));
    let (mut entries, mut told) = (0_u64, 0_u64);
    let count = |due: Vec<(Time, Actor, Action)>| -> (u64, u64) {
        let counts = due.iter().map(|(_, _, action)| match action {
            Action::DecidedAgain(repeats) => repeats.count,
            other => panic!("{other}"),
        });
        (due.len() as u64, counts.sum())
    };
    for number in 0..200_000_u32 {
        let now = Time(i64::from(number) * SECOND / 100);
        let subject = std::net::Ipv4Addr::from(0x0a00_0000 + number % 50_000).to_string();
        let detector = ["scan", "sweep", "arp"][number as usize % 3];
        let one = decision(&subject, "no_action", "it suffers it");
        if summaries.take(now, detector, one).is_some() {
            entries += 1;
            told += 1;
        }
        let (more, counted) = count(summaries.due(now));
        entries += more;
        told += counted;
    }
    let (more, counted) = count(summaries.finish(Time(0)));
    entries += more;
    told += counted;
    assert_eq!(told, 200_000);
    // 2,000 s: seven intervals, of three detectors, 64 kinds and the rest.
    assert!(entries < 8 * 3 * 2 * 65, "{entries}");
}

#[test]
fn a_full_queue_drops_what_changed_nothing_and_says_so() {
    let folder = folder("queue");
    let (journal, _) = Journal::open(&folder, |_| {}).unwrap();
    let broken = std::sync::Arc::clone(&journal.broken);
    broken.store(true, Ordering::Relaxed);
    let trail = Trail::start(journal, TrailOptions::default()).unwrap();
    let policy = || Actor::Policy {
        group: "default".to_owned(),
    };
    let mut dropped = 0;
    for number in 0..5_000_i64 {
        let one = decision("10.0.0.1", "wait", "alone");
        let taken = trail.record(Time(1_000 * number), policy(), Action::Decided(one));
        dropped += u64::from(!taken);
    }
    assert_eq!(dropped, 5_000 - 4_096);
    assert_eq!(trail.status().dropped, dropped);
    let person = Actor::Person { uid: 1, name: None };
    // A person's change still has room, and is not confirmed while it is not on the disk.
    assert!(trail.has_room());
    assert!(trail.record(Time(7), person.clone(), thing(7)));
    let wait = trail.ticket().wait(Duration::from_secs(10));
    assert!(matches!(wait, Err(NotWritten::Failing(_))), "{wait:?}");
    let mut changes = 1;
    while trail.has_room() {
        assert!(trail.record(Time(8), person.clone(), thing(8)));
        changes += 1;
    }
    // The entry that counts the dropped ones takes a place of the queue, unless the thread that writes comes to it late.
    assert!((4_095..=4_096).contains(&changes), "{changes}");
    // What lifts a block is taken even then.
    let release = Action::ReleasedAll {
        ids: vec![1],
        reason: "care".to_owned(),
    };
    assert!(trail.record(Time(9), person, release));
    let ticket = trail.ticket();
    broken.store(false, Ordering::Relaxed);
    wait_for("the disk", || ticket.wait(Duration::from_secs(10)).is_ok());
    drop(trail);
    // What has no entry of its own is counted by one, or by two if the thread that writes came in the middle of it.
    let mut last = Vec::new();
    verify(&folder.join(FILE), None, |entry| last.push(entry.action)).unwrap();
    let released = last
        .iter()
        .filter(|action| matches!(action, Action::ReleasedAll { .. }));
    assert_eq!(released.count(), 1);
    let counted: Vec<_> = last
        .iter()
        .filter_map(|action| match action {
            Action::EntriesDropped { count, first, .. } => Some((*count, *first)),
            _ => None,
        })
        .collect();
    assert!((1..=2).contains(&counted.len()), "{counted:?}");
    assert_eq!(counted.iter().map(|(count, _)| count).sum::<u64>(), dropped);
    assert_eq!(counted[0].1, Time(4_096_000));
    // The decisions that had room, the changes, their release, and the counts of the rest.
    assert_eq!(last.len(), 4_096 + changes + 1 + counted.len());
    fs::remove_dir_all(folder).unwrap();
}

/// An hour of 150 findings a second in observe mode, as fast as it can be written, and the start after it: without
/// summaries and segments, and with both. `cargo test -p sensor-evidence --release --lib -- --ignored --nocapture hour`.
#[test]
#[ignore = "it takes minutes; docs/performance.md has what it says"]
fn an_hour_of_flood() {
    const RATE: i64 = 150;
    const HOUR: i64 = 3_600;
    for summarised in [false, true] {
        let folder = folder(&format!("hour-{summarised}"));
        let (mut journal, _) = Journal::open(&folder, |_| {}).unwrap();
        let defaults = TrailOptions::default();
        let mut summaries = Summaries::new(defaults.summary);
        for number in 0..RATE * HOUR {
            let now = Time(number * SECOND / RATE);
            let subject =
                std::net::Ipv4Addr::from(0x0a00_0000 + u32::try_from(number % 60_000).unwrap());
            let one = decision(
                &subject.to_string(),
                "wait",
                "scan alone: a second finding of another kind is waited for, 10m at most",
            );
            let policy = Actor::Policy {
                group: "default".to_owned(),
            };
            if !summarised {
                journal.add(now, policy, Action::Decided(one));
            } else if let Some(first) = summaries.take(now, "scan", one) {
                journal.add(now, policy, Action::Decided(first));
            }
            if number % 10 == 0 {
                if summarised {
                    for (time, actor, action) in summaries.due(now) {
                        journal.add(time, actor, action);
                    }
                    if journal.bytes() >= defaults.segment_bytes {
                        journal.add_segment(now, sensor_facts::action::Standing::default());
                    }
                }
                assert!(journal.write());
            }
        }
        assert!(journal.write());
        let (entries, segment) = (journal.entries(), journal.segment());
        drop(journal);
        let bytes = testing::disk(&folder);
        let begin = std::time::Instant::now();
        let (journal, _) = Journal::open(&folder, |_| {}).unwrap();
        println!(
            "summaries {summarised}: {entries} entries in {segment} segments, {bytes} bytes; the start reads them in {:?}",
            begin.elapsed()
        );
        drop(journal);
        fs::remove_dir_all(folder).unwrap();
    }
}
