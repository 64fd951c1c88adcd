//! What the tests of segments share.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use sensor_facts::{
    action::{Action, Decision, Standing},
    rule::Actor,
    time::Time,
};

use super::*;

pub(super) fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("wardtap-segment-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    path
}

pub(super) fn thing(number: u64) -> Action {
    Action::Protected {
        what: "10.0.0.0/8".parse().unwrap(),
        reason: format!("thing {number}"),
    }
}

/// Segments of so many entries each, the last one open; entries have the numbers from 1 on.
pub(super) fn write(folder: &Path, segments: &[u64]) {
    let (mut journal, _) = Journal::open(folder, |_| {}).unwrap();
    for (at, count) in segments.iter().enumerate() {
        if at > 0 {
            let standing = Standing {
                last_id: at as u64,
                ..Standing::default()
            };
            journal.add_segment(Time(1_000), standing);
            assert!(journal.write(), "{:?}", journal.failing());
        }
        for number in 0..*count {
            journal.add(Time(1_000), Actor::Daemon, thing(number));
            assert!(journal.write(), "{:?}", journal.failing());
        }
    }
}

pub(super) fn numbers(folder: &Path) -> (Summary, Vec<u64>) {
    let mut seen = Vec::new();
    let (summary, _) = verify(&folder.join(FILE), None, |entry| seen.push(entry.seq)).unwrap();
    (summary, seen)
}

pub(super) fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !done() {
        assert!(Instant::now() < end, "{what} did not happen");
        thread::sleep(Duration::from_millis(20));
    }
}

pub(super) fn decision(subject: &str, verdict: &str, reason: &str) -> Decision {
    Decision {
        finding: "scan: many ports".to_owned(),
        subject: subject.to_owned(),
        target: None,
        group: "default".to_owned(),
        mode: "observe".to_owned(),
        verdict: verdict.to_owned(),
        reason: reason.to_owned(),
        rule: None,
    }
}

/// Bytes of all segments.
pub(super) fn disk(folder: &Path) -> u64 {
    let segments = segment::list(folder).unwrap();
    segments.iter().map(segment::Segment::bytes).sum()
}
