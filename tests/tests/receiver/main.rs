//! A real Linux host as the judge: what its TCP hands to a program is what the sensor must have read, whatever segments it
//! is sent.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use line::{Line, Order, Segment};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;
use tests::ability;
use traffic::{Sensor, hl7};

mod line;
#[path = "../traffic/mod.rs"]
mod traffic;

/// Random schedules. More by hand: `WARDTAP_SCHEDULES`.
const SCHEDULES: u32 = 40;
const SEED: [u8; 32] = [7; 32];

/// Control ids of the messages in what a program read.
fn received(bytes: &[u8]) -> Vec<String> {
    let blocks = bytes.split(|byte| *byte == 0x1c);
    blocks
        .filter_map(|block| {
            let start = block.iter().position(|byte| *byte == 0x0b)?;
            let text = String::from_utf8_lossy(&block[start + 1..]).into_owned();
            let header = text.split('\r').next()?.to_owned();
            header.split('|').nth(9).map(str::to_owned)
        })
        .collect()
}

/// What the sensor says of the frames: control ids of whole messages, and whether a session is marked.
fn seen(frames: &[Vec<u8>]) -> Result<(Vec<String>, bool, usize)> {
    let mut sensor = Sensor::new();
    for frame in frames {
        sensor.frame(frame);
    }
    let mut ids = Vec::new();
    let (mut incomplete, mut sessions) = (false, 0);
    for event in sensor.end().events {
        let event: Value = serde_json::from_str(&event)?;
        let hl7 = &event["hl7"];
        if hl7["type"] == "message" && hl7["complete"] == true {
            ids.push(hl7["control_id"].as_str().unwrap_or_default().to_owned());
        }
        if hl7["type"] == "session" {
            incomplete |= hl7["incomplete"] == true;
            sessions += 1;
        }
    }
    Ok((ids, incomplete, sessions))
}

fn stream(messages: usize) -> Vec<u8> {
    (0..messages)
        .flat_map(|number| hl7::result(&format!("M{number}"), "DOE^JANE"))
        .collect()
}

/// Sends a schedule and compares.
fn compare(line: &mut Line, of: &str, segments: &[Segment]) -> Result<()> {
    let (read, frames) = line.converse(segments)?;
    let (ids, incomplete, sessions) = seen(&frames)?;
    ensure!(
        ids == received(&read),
        "{of}: the host's program read {:?}, the sensor {ids:?} (incomplete: {incomplete})\n{segments:?}",
        received(&read)
    );
    ensure!(!incomplete, "{of}: nothing was missing\n{segments:?}");
    ensure!(sessions <= 1, "{of}: {sessions} sessions");
    Ok(())
}

#[test]
fn what_linux_hands_on_is_what_is_read() -> Result<()> {
    if !ability::privileged() {
        return Ok(());
    }
    let mut line = Line::lay("wardtap-receiver")?;
    let stream = stream(6);
    let whole = Segment::cut(&stream, 100);
    let with = |odd: &[Segment], at: usize| {
        let mut all = whole.clone();
        all.splice(at..at, odd.iter().cloned());
        all
    };
    compare(&mut line, "plain", &whole)?;
    let junk = |shift: u32| Segment::new(shift, b"?");
    for at in [0, 1, 7] {
        let here = u32::try_from(at * 100)?;
        for (of, odd) in [
            ("a byte far ahead", junk(here + 0x3000_0000)),
            ("a byte far behind", junk(here.wrapping_sub(0x3000_0000))),
            ("a wrong checksum", Segment::new(here, &[b'?'; 300]).wrong()),
            ("a wrong checksum ahead", junk(here + 100).wrong()),
            (
                "a wrong IP checksum",
                Segment::new(here, &[b'?'; 300]).wrong_ip(),
            ),
            ("no ACK", Segment::new(here, &[b'?'; 20]).flags(0x08)),
            ("no flags", Segment::new(here, &[b'?'; 20]).flags(0)),
            ("a reset ahead", Segment::new(here + 5, b"").flags(0x04)),
            (
                "a reset far behind",
                Segment::new(here.wrapping_sub(900_000), b"").flags(0x14),
            ),
            (
                "a reset, wrong checksum",
                Segment::new(here, b"").flags(0x04).wrong(),
            ),
            ("a SYN", Segment::new(here, b"").flags(0x02)),
            (
                "a SYN elsewhere",
                Segment::new(here + 0x1111_1111, b"").flags(0x02),
            ),
            ("a SYN with ACK", Segment::new(here, b"").flags(0x12)),
            ("SYN and FIN", Segment::new(here, b"").flags(0x03)),
            (
                "a FIN, wrong checksum",
                Segment::new(here, b"").flags(0x11).wrong(),
            ),
            (
                "a FIN far ahead",
                Segment::new(here + 0x3000_0000, b"").flags(0x11),
            ),
            ("a keep-alive", Segment::new(here.wrapping_sub(1), b"")),
            (
                "a keep-alive with a byte",
                Segment::new(here.wrapping_sub(1), b"\0"),
            ),
        ] {
            if at == 0 && of.starts_with("a keep-alive with") {
                continue;
            }
            compare(&mut line, &format!("{of} at {at}"), &with(&[odd], at))?;
        }
    }
    // A byte that the host takes out of the stream is read here, and the session says that it may differ.
    for at in [0, 1, 7] {
        let here = u32::try_from(at * 100)?;
        let urgent = Segment::new(here, b"").flags(0x30);
        let (_, frames) = line.converse(&with(&[urgent], at))?;
        let (_, incomplete, _) = seen(&frames)?;
        ensure!(incomplete, "urgent data at {at}: not marked");
    }
    for order in [
        &[1, 0][..],
        &[2, 1, 0],
        &[1, 2, 0],
        &[3, 0, 1, 2],
        &[3, 2, 1, 0],
    ] {
        let pieces = whole.chunks(order.len()).flat_map(|group| {
            let full = group.len() == order.len();
            let pick = order
                .iter()
                .filter(move |_| full)
                .map(|at| group[*at].clone());
            let rest = group.iter().filter(move |_| !full).cloned();
            pick.chain(rest).collect::<Vec<_>>()
        });
        compare(
            &mut line,
            &format!("{order:?}"),
            &pieces.collect::<Vec<_>>(),
        )?;
    }
    // Each segment with the one before it.
    let overlapping = whole.windows(2).map(|pair| {
        let both = [&pair[0].bytes[..], &pair[1].bytes[..]].concat();
        Segment::new(pair[0].shift, &both)
    });
    compare(&mut line, "overlaps", &overlapping.collect::<Vec<_>>())?;
    Ok(())
}

/// Schedules by chance: disorder within what is kept, repetitions, and what a host discards.
#[test]
fn random_schedules_come_to_the_same() -> Result<()> {
    if !ability::privileged() {
        return Ok(());
    }
    let count = std::env::var("WARDTAP_SCHEDULES")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(SCHEDULES);
    let mut line = Line::lay("wardtap-schedule")?;
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &SEED);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let mut kinds = BTreeSet::new();
    for number in 0..count {
        let order = Order::random(&mut runner);
        kinds.extend(order.kinds());
        let segments = order.segments(&stream(6));
        compare(&mut line, &format!("schedule {number}"), &segments)?;
    }
    println!("{count} schedules with {kinds:?}");
    Ok(())
}
