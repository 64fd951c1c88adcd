//! What the tests of outputs share, and tests of the lanes of files.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::json;

use super::*;

/// A folder of a test's own, removed at its end.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn create(name: &str) -> Self {
        let path = env::temp_dir().join(format!("wardtap-output-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn event(body: &serde_json::Value) -> Event {
    let mut event = json!({ "timestamp": "2025-11-27T00:00:00.123Z", "v": 2 });
    let all = event.as_object_mut().expect("an object");
    all.extend(body.as_object().expect("an object").clone());
    serde_json::from_value(event).expect("an event")
}

fn found(detector: &str, technique: &str, confidence: f64) -> serde_json::Value {
    json!({
        "id": 3, "time": "2025-11-27T00:00:00.120Z", "detector": detector, "technique": technique,
        "basis": "behaviour", "confidence": confidence, "subject": "10.0.0.3",
        "victims": ["10.0.0.9", "10.0.0.10"], "victim_count": 2,
        "service": { "transport": "tcp", "port": 104 },
        "connection": ["10.0.0.3:40000", "10.0.0.9:104"],
        "evidence": "41 ports | of 10.0.0.9=x", "wrong_if": "it is a scanner\\of ours",
    })
}

pub(crate) fn finding() -> Event {
    event(&json!({ "event_type": "finding", "finding": found("scan", "T1046", 0.8) }))
}

pub(crate) fn alert() -> Event {
    event(&json!({
        "event_type": "alert",
        "alert": {
            "change": "opened", "id": 17, "device": "10.0.0.3", "severity": "high", "confidence": 0.9,
            "title": "41 ports | of 10.0.0.9=x",
            "opened": "2025-11-27T00:00:00Z", "updated": "2025-11-27T00:00:00.120Z",
            "techniques": ["T1046", "T1018"],
            "findings": [found("sweep", "T1018", 0.5), found("scan", "T1046", 0.8)], "finding_count": 5,
            "check": ["scan: wrong if it is a scanner of ours"],
            "containment": { "action": "drop all traffic of 10.0.0.3", "clinical": ["uses 10.0.0.9, tcp port 104"] },
            "decisions": [{ "time": "2025-11-27T00:00:00.121Z", "verdict": "would_act", "reason": "mode observe" }],
        }
    }))
}

pub(crate) fn incident() -> Event {
    event(&json!({
        "event_type": "incident",
        "incident": {
            "change": "opened", "id": 4, "title": "10.0.0.3: Discovery at 10.0.0.9", "severity": "high",
            "confidence": 0.9, "opened": "2025-11-27T00:00:00Z", "updated": "2025-11-27T00:00:00.120Z",
            "first_affected": "10.0.0.3", "victims": ["10.0.0.9"], "techniques": ["T1046"],
            "alerts": [{
                "alert": 17, "device": "10.0.0.3", "role": "suspect", "severity": "high", "confidence": 0.9,
                "opened": "2025-11-27T00:00:00Z", "updated": "2025-11-27T00:00:00.120Z",
                "techniques": ["T1046"], "title": "41 ports of 10.0.0.9",
            }],
        }
    }))
}

pub(crate) fn audit() -> Event {
    let ann = json!({ "kind": "person", "uid": 1000, "name": "ann" });
    event(&json!({
        "event_type": "audit",
        "audit": {
            "actor": ann, "action": "rule_added",
            "rule": {
                "id": 4, "target": { "kind": "device", "address": "10.0.0.3" }, "scope": "all", "state": "enabled",
                "created": "2025-11-27T00:00:00Z", "expires": "2025-11-27T04:00:00Z", "reason": "a=b\nc", "by": ann,
            }
        }
    }))
}

pub(crate) fn stats() -> Event {
    event(&json!({ "event_type": "stats", "stats": { "n": 1 } }))
}

pub(crate) fn flow() -> Event {
    let line = include_str!("../../../docs/events.md")
        .lines()
        .find(|line| line.contains("\"event_type\":\"flow\""))
        .expect("an example");
    serde_json::from_str(line).expect("an event")
}

/// An event that has a number.
fn numbered(number: u64) -> Event {
    Event::stats(
        sensor_facts::time::Time(0),
        BTreeMap::from([("n".to_owned(), number)]),
    )
}

/// The numbers in a file, each line of which is whole.
fn numbers(path: &Path) -> Vec<u64> {
    let text = fs::read_to_string(path).expect("a file");
    assert!(text.is_empty() || text.ends_with('\n'), "half a line");
    let number = |line| {
        let event: serde_json::Value = serde_json::from_str(line).expect("JSON");
        event["stats"]["n"].as_u64().expect("a number")
    };
    text.lines().map(number).collect()
}

fn file(path: &Path, size: u64, keep: u32) -> FileOptions {
    FileOptions {
        target: Target::File(path.to_owned()),
        rotation: Some(Rotation { size, keep }),
        queue: 1 << 16,
    }
}

fn options(path: &Path, size: u64, keep: u32) -> OutputOptions {
    OutputOptions {
        json: file(path, size, keep),
        ocsf: None,
        syslog: Vec::new(),
    }
}

fn close(output: Output) -> OutputStats {
    let stats = output.close(Instant::now() + Duration::from_secs(20));
    stats.into_iter().next().expect("a lane")
}

fn name(path: &Path, number: u32) -> PathBuf {
    PathBuf::from(format!("{}.{number}", path.display()))
}

/// The lines of all files, the oldest first.
fn all_numbers(path: &Path) -> Vec<u64> {
    let rotated = (1..).map(|number| name(path, number));
    let mut files: Vec<PathBuf> = rotated.take_while(|path| path.exists()).collect();
    files.reverse();
    files.push(path.to_owned());
    files.iter().flat_map(|path| numbers(path)).collect()
}

/// Fails at the first number that is not where it should be.
fn assert_all(numbers: &[u64], expected: std::ops::Range<u64>) {
    let wrong = numbers.iter().zip(expected.clone()).find(|(a, b)| *a != b);
    assert_eq!(wrong, None);
    assert_eq!(numbers.len() as u64, expected.end - expected.start);
}

#[test]
fn every_line_is_in_one_file_over_rotations() {
    const LIMIT: u64 = 1 << 18;
    let folder = Folder::create("lines");
    let path = folder.0.join("events.jsonl");
    let output = Output::start(&options(&path, LIMIT, 100)).expect("an output");
    for number in 0..20_000 {
        output.send_until(numbered(number), Instant::now() + Duration::from_secs(20));
    }
    let stats = close(output);
    assert_eq!(
        (stats.offered, stats.events, stats.dropped()),
        (20_000, 20_000, 0)
    );
    assert!(name(&path, 3).exists() && !name(&path, 100).exists());
    assert_all(&all_numbers(&path), 0..20_000);
    let size = |path: &Path| fs::metadata(path).expect("a file").len();
    let rotated = (1..).map(|number| name(&path, number));
    let files: Vec<PathBuf> = rotated.take_while(|path| path.exists()).collect();
    assert!(files.iter().all(|path| size(path) <= LIMIT));
    let bytes: u64 = files.iter().map(|path| size(path)).sum();
    assert_eq!(bytes + size(&path), stats.bytes);
}

#[test]
fn the_last_files_are_kept_and_a_new_start_goes_on() {
    let folder = Folder::create("keep");
    let path = folder.0.join("events.jsonl");
    for round in 0..2 {
        let output = Output::start(&options(&path, 1 << 17, 2)).expect("an output");
        for number in round * 10_000..(round + 1) * 10_000 {
            output.send_until(numbered(number), Instant::now() + Duration::from_secs(20));
        }
        assert_eq!(close(output).events, 10_000);
    }
    assert!(!name(&path, 3).exists());
    let left = all_numbers(&path);
    let first = left[0];
    assert_all(&left, first..20_000);
}

#[test]
fn what_others_have_rotated_is_left_alone() {
    let folder = Folder::create("others");
    let path = folder.0.join("events.jsonl");
    let output = Output::start(&options(&path, 1 << 17, 99)).expect("an output");
    let send = |numbers: std::ops::Range<u64>| {
        for number in numbers {
            output.send_until(numbered(number), Instant::now() + Duration::from_secs(20));
        }
    };
    send(0..1_000);
    let wait = Instant::now() + Duration::from_secs(20);
    while output.handle().stats()[0].events < 1_000 && Instant::now() < wait {
        std::thread::yield_now();
    }
    // As logrotate does it, whose signal comes later or never.
    let moved = folder.0.join("moved");
    fs::rename(&path, &moved).expect("a rename");
    fs::write(&path, "").expect("a file");
    send(1_000..10_000);
    assert_eq!(close(output).events, 10_000);
    let mut all = numbers(&moved);
    assert!(all.len() >= 1_000);
    all.extend(all_numbers(&path));
    assert_all(&all, 0..10_000);
}

#[test]
fn where_there_can_be_no_new_file_the_old_one_goes_on() {
    let folder = Folder::create("stuck");
    let path = folder.0.join("events.jsonl");
    // Not even root can move a file over a folder.
    fs::create_dir_all(name(&path, 1).join("taken")).expect("a folder");
    let output = Output::start(&options(&path, 1 << 17, 1)).expect("an output");
    for number in 0..10_000 {
        output.send_until(numbered(number), Instant::now() + Duration::from_secs(20));
    }
    let handle = output.handle();
    assert_eq!(close(output).events, 10_000);
    assert_all(&numbers(&path), 0..10_000);
    let target = &handle.stats()[0].target;
    assert!(target.contains("not rotated"), "{target}");
}

#[test]
fn alerts_alone_go_to_the_file_of_findings() {
    let folder = Folder::create("ocsf");
    let path = folder.0.join("alerts.jsonl");
    let all = OutputOptions {
        ocsf: Some(file(&path, 1 << 20, 1)),
        ..options(&folder.0.join("events.jsonl"), 1 << 20, 1)
    };
    let output = Output::start(&all).expect("an output");
    for event in [alert(), stats(), audit(), flow()] {
        output.send(event);
    }
    let stats = output.close(Instant::now() + Duration::from_secs(20));
    assert_eq!((stats[0].events, stats[1].events), (4, 1));
    assert_eq!((stats[1].name.as_str(), stats[1].offered), ("ocsf", 1));
    let text = fs::read_to_string(path).expect("a file");
    let line: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(line["class_uid"], 2_004);
}

/// The events' own writer, as far as [`sensor_facts`] does not test it with random events.
#[test]
fn events_are_written_as_serde_json_would() {
    for event in [alert(), audit(), finding(), flow(), stats()] {
        let mut line = Vec::new();
        event.write_json(&mut line).expect("JSON");
        let expected = serde_json::to_string(&event).expect("JSON");
        assert_eq!(String::from_utf8(line), Ok(expected));
    }
}
