//! The bound of a trail: removal, export, and what is said of it.

use std::{fs, path::PathBuf, time::Duration};

use sensor_facts::{
    action::{Action, SegmentEnd, Standing},
    rule::Actor,
    time::Time,
};

use super::{
    testing::{disk, folder, numbers, thing, wait_for, write},
    *,
};

fn options(export: Option<PathBuf>) -> TrailOptions {
    TrailOptions {
        segment_bytes: 4_000,
        max_bytes: 20_000,
        export,
        ..TrailOptions::default()
    }
}

/// Writes so many entries through the trail's thread, as the keeper does.
fn fill(trail: &Trail, count: u64) {
    for number in 0..count {
        assert!(trail.record(Time(1_000), Actor::Daemon, thing(number)));
        if number.is_multiple_of(5) {
            trail.ticket().wait(Duration::from_secs(10)).unwrap();
        }
        if trail.is_full() {
            trail.begin_segment(Time(1_000), Standing::default());
        }
    }
    trail.ticket().wait(Duration::from_secs(10)).unwrap();
}

#[test]
fn the_oldest_segments_are_removed_and_the_trail_says_so() {
    let folder = folder("bounded");
    let (journal, _) = Journal::open(&folder, |_| {}).unwrap();
    let trail = Trail::start(journal, options(None)).unwrap();
    fill(&trail, 200);
    wait_for("removal", || disk(&folder) < 24_000);
    wait_for("the count", || trail.status().check.lost > 0);
    let check = trail.status().check;
    assert_eq!((check.lost, check.exported), (check.removed_to, 0));
    let own = trail.take_own();
    assert!(
        own.iter().any(|(_, _, action)| action
            .to_string()
            .contains("exported nowhere, so it is gone")),
        "{own:?}"
    );
    drop(trail);
    let (summary, seen) = numbers(&folder);
    assert!(summary.removed > 0 && summary.first > 1, "{summary:?}");
    assert_eq!(seen.first(), Some(&summary.first));
    // A restart goes on, and knows what was removed.
    let (journal, _) = Journal::open(&folder, |_| {}).unwrap();
    let trail = Trail::start(journal, options(None)).unwrap();
    wait_for("the verification", || trail.status().check.done);
    let check = trail.status().check;
    assert_eq!((check.flaw, check.verified), (None, check.segments));
    assert!(check.removed_to >= summary.removed);
    drop(trail);
    // One more that nobody wrote down.
    let oldest = segment::list(&folder).unwrap().remove(0);
    fs::remove_file(oldest.path).unwrap();
    fs::remove_file(oldest.checkpoints).unwrap();
    let error = verify(&folder.join(FILE), None, |_| {}).unwrap_err();
    assert!(matches!(error, JournalError::Missing { .. }), "{error}");
    let (journal, _) = Journal::open(&folder, |_| {}).unwrap();
    let trail = Trail::start(journal, options(None)).unwrap();
    wait_for("the flaw", || trail.status().check.flaw.is_some());
    drop(trail);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_is_removed_is_exported_whole_before() {
    let (folder, export) = (folder("exported"), folder("export"));
    let (journal, _) = Journal::open(&folder, |_| {}).unwrap();
    // There is no such folder yet: everything stays, and that is said.
    let trail = Trail::start(journal, options(Some(export.clone()))).unwrap();
    fill(&trail, 200);
    wait_for("the failure", || {
        trail.status().check.export_failing.is_some()
    });
    assert!(disk(&folder) > 40_000, "{}", disk(&folder));
    assert_eq!(trail.status().check.removed_to, 0);
    fs::create_dir_all(&export).unwrap();
    wait_for("removal", || disk(&folder) < 24_000);
    wait_for("the end of the failure", || {
        trail.status().check.export_failing.is_none()
    });
    let check = trail.status().check;
    assert_eq!((check.exported, check.lost), (check.removed_to, 0));
    drop(trail);
    let removed = numbers(&folder).0.removed;
    assert_eq!(removed, check.removed_to);
    let key = fs::read_to_string(export.join(PUBLIC_KEY)).unwrap();
    let (exported, _) = verify(&export, Some(key.trim()), |_| {}).unwrap();
    assert_eq!((exported.first, exported.segments), (1, removed));
    assert_eq!(exported.entries + 1, numbers(&folder).0.first);
    fs::remove_dir_all(folder).unwrap();
    fs::remove_dir_all(export).unwrap();
}

/// A daemon that was killed between the entry and the removal.
#[test]
fn a_removal_that_was_begun_is_finished() {
    let folder = folder("half");
    write(&folder, &[3, 3, 3]);
    let end = SegmentEnd {
        segment: 1,
        last_entry: 3,
        hash: {
            let mut hash = String::new();
            reading::read_each(&segment::closed(&folder, 1).path, |read| {
                hash = read.own.to_owned();
            })
            .unwrap();
            hash
        },
    };
    let kept = segment::closed(&folder, 1);
    let saved = [&kept.path, &kept.checkpoints].map(|path| fs::read(path).unwrap());
    let (mut journal, _) = Journal::open(&folder, |_| {}).unwrap();
    journal.add(
        Time(2_000),
        Actor::Daemon,
        Action::SegmentRemoved {
            removed: end,
            bytes: 1,
            exported: None,
        },
    );
    assert!(journal.write());
    assert!(!kept.path.exists() && !kept.checkpoints.exists());
    drop(journal);
    fs::write(&kept.path, &saved[0]).unwrap();
    fs::write(&kept.checkpoints, &saved[1]).unwrap();
    let (_journal, _) = Journal::open(&folder, |_| {}).unwrap();
    assert!(!kept.path.exists() && !kept.checkpoints.exists());
    assert_eq!(numbers(&folder).0.first, 4);
    fs::remove_dir_all(folder).unwrap();
}
