//! Files that others collected because they broke something: each replays to its end or is refused with a
//! reason, nothing panics, and no packet is unaccounted for.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use sensor_analysis::replay::{Replay, ReplayOptions};
use sensor_common::counter::Counter;
use sensor_facts::event::Event;
use sensor_sessions::{
    capture::{CaptureError, Ending, file::Reading},
    pipeline::PipelineOptions,
};

mod captures;

/// Link types that can be read, as the list of captures names them.
const READABLE: [&str; 7] = [
    "ether",
    "rawip",
    "rawip4",
    "rawip6",
    "null",
    "linux-sll",
    "linux-sll2",
];

/// A replay with all events made, and what there is to say of it.
fn replay(path: &Path) -> (Result<Reading, CaptureError>, Replay, u64) {
    let mut replay = Replay::new(ReplayOptions {
        pipeline: PipelineOptions {
            flow_snapshots: true,
            ..PipelineOptions::default()
        },
        ..ReplayOptions::default()
    });
    let (mut made, mut line) = (0, Vec::new());
    let mut take = |events: &mut Vec<Event>| {
        for event in events.drain(..) {
            line.clear();
            event.write_json(&mut line).unwrap();
            made += 1;
        }
    };
    let reading = replay.file(path, |events, _| {
        take(events);
        ControlFlow::Continue(())
    });
    replay.finish(&mut take);
    (reading, replay, made)
}

/// Demands that all that came in is accounted for.
fn is_accounted_for(path: &Path, reading: &Reading, replay: &Replay, made: u64) {
    let name = path.display();
    let counters = replay.counters();
    assert_eq!(counters.get(Counter::Packets), reading.packets, "{name}");
    assert_eq!(
        counters.get(Counter::Packets),
        counters.disposed(),
        "{name}: each packet has one disposition"
    );
    let stats = replay.pipeline().stats();
    let sent = counters.get(Counter::FlowEvents) + counters.get(Counter::ChunkEvents);
    assert_eq!(sent, replay.engine().events(), "{name}: sent = received");
    assert_eq!(sent, stats.records, "{name}: sent = received");
    assert_eq!(stats.bad(), 0, "{name}: {stats:?}");
    assert_eq!(stats.bad_tapes, 0, "{name}: {stats:?}");
    assert_eq!(stats.chunks_lost, 0, "{name}: {stats:?}");
    assert_eq!(stats.chunks_misplaced, 0, "{name}: {stats:?}");
    assert_eq!(stats.events, made, "{name}: events");
    let ended = stats.flows_ended + replay.engine().evicted();
    assert_eq!(counters.get(Counter::FlowCreated), ended, "{name}: flows");
    assert_eq!(replay.engine().flows(), (0, 0), "{name}");
}

/// What the list of captures says of a file.
struct Listed {
    path: PathBuf,
    link: String,
    /// None where the one who made the list could not read it.
    packets: Option<u64>,
}

fn listed(root: &Path) -> Vec<Listed> {
    let text = fs::read_to_string(root.join("MANIFEST.csv")).unwrap();
    let mut lines = text.lines();
    let names = fields(lines.next().unwrap());
    let column = |name: &str| names.iter().position(|other| other == name).unwrap();
    let (file, link, packets) = (column("file"), column("link"), column("packets"));
    lines
        .map(fields)
        .map(|row| Listed {
            path: root.join(&row[file]),
            link: row[link].clone(),
            packets: row[packets].parse().ok(),
        })
        .filter(|listed| listed.path.is_file() && !listed.link.is_empty())
        .collect()
}

/// The fields of a line (RFC 4180); none of them has a line break.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    for character in line.chars() {
        match character {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            other => fields.last_mut().unwrap().push(other),
        }
    }
    fields
}

#[test]
fn every_capture_replays_to_its_end_or_says_why_not() {
    let Some(root) = captures::root() else { return };
    let mut files: BTreeSet<PathBuf> = listed(&root).into_iter().map(|l| l.path).collect();
    for folder in ["robustness", "medical-iot"] {
        files.extend(captures::below(&root.join(folder)));
    }
    let (mut packets, mut events) = (0, 0);
    let mut endings: BTreeMap<String, u64> = BTreeMap::new();
    for path in &files {
        let (reading, replay, made) = replay(path);
        let ending = match &reading {
            Ok(reading) => {
                is_accounted_for(path, reading, &replay, made);
                packets += reading.packets;
                events += made;
                match reading.ending {
                    Ending::Complete => "complete",
                    Ending::Cut(_) => "cut",
                    Ending::Damaged(_) => "damaged after some packets",
                    Ending::Stopped => panic!("nobody stopped it"),
                }
            }
            Err(CaptureError::LinkType { .. }) => "link type that is not read",
            Err(CaptureError::Format { .. }) => "no capture",
            Err(CaptureError::Damaged { .. }) => "damaged before the first packet",
            Err(error) => panic!("{}: {error}", path.display()),
        };
        *endings.entry(ending.to_owned()).or_default() += 1;
    }
    println!(
        "{} files, {packets} packets, {events} events: {endings:?}",
        files.len()
    );
    assert!(packets > 200_000, "only {packets} packets");
}

#[test]
fn every_packet_that_others_count_is_read() {
    let Some(root) = captures::root() else { return };
    let mut compared = 0;
    for listed in listed(&root) {
        let Some(expected) = listed.packets else {
            continue;
        };
        let name = listed.path.display();
        let (reading, ..) = replay(&listed.path);
        match reading {
            Ok(reading) => {
                let skipped: u64 = reading.skipped.values().sum();
                assert_eq!(
                    (reading.packets + skipped, &reading.ending),
                    (expected, &reading.ending),
                    "{name}: packets by us, by the list"
                );
                compared += 1;
            }
            Err(CaptureError::LinkType { .. }) => assert!(
                !READABLE.contains(&listed.link.as_str()),
                "{name} is {}",
                listed.link
            ),
            Err(error) if expected > 0 => panic!("{name}: {error}"),
            Err(_) => {}
        }
    }
    println!("the packets of {compared} captures are as many as listed");
    assert!(compared > 1_000, "only {compared} captures were compared");
}
