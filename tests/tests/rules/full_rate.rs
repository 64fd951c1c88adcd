//! A flood of requests to connect, as fast as one thread sends them, from addresses that nobody has.

use std::{
    collections::BTreeMap,
    fs,
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use etherparse::PacketBuilder;
use serde_json::Value;
use tests::{passage::Passage, wait::wait_for, wire::Wire};

use super::{SECONDS, number, passage};

/// The service that is flooded.
const VICTIM: [u8; 4] = [10, 9, 0, 2];
const PORT: u16 = 443;
/// How long the flood takes.
const TIME: Duration = Duration::from_secs(10);
/// Frames between two looks at the clock.
const BURST: u32 = 256;
/// Where the source address and port are in a frame.
const SOURCE: std::ops::Range<usize> = 26..30;
const SOURCE_PORT: std::ops::Range<usize> = 34..36;

/// Sends for [`TIME`]; how many frames there were.
fn flood(passage: &Passage) -> Result<u32> {
    let mut wire = Wire::open(&passage.left, "eth0")?;
    let mut frame = Vec::new();
    PacketBuilder::ethernet2([2, 0, 0, 9, 0, 1], [2, 0, 0, 9, 0, 9])
        .ipv4([172, 16, 0, 1], VICTIM, 64)
        .tcp(40_000, PORT, 1, 1_000)
        .syn()
        .write(&mut frame, &[])?;
    let (start, mut sent) = (Instant::now(), 0_u32);
    while start.elapsed() < TIME {
        for _ in 0..BURST {
            // All of 172.16.0.0/12, in an order that visits every /24 before it comes back to one.
            let source = 0xac10_0000 | (sent.wrapping_mul(0x0001_0101) & 0x000f_ffff);
            frame[SOURCE].copy_from_slice(&source.to_be_bytes());
            let [_, _, high, low] = (sent >> 8).to_be_bytes();
            frame[SOURCE_PORT].copy_from_slice(&[high | 4, low]);
            // The checksums are wrong then; nobody on the way minds.
            if wire.send(&frame).is_ok() {
                sent += 1;
            }
        }
    }
    Ok(sent)
}

/// Findings in the events, by detector, subject and part.
fn found(passage: &Passage) -> Result<BTreeMap<(String, String, String), usize>> {
    let mut found = BTreeMap::new();
    let text = fs::read_to_string(passage.folder().join("events.jsonl"))?;
    for line in text
        .lines()
        .filter(|line| line.contains("\"event_type\":\"finding\""))
    {
        let event: Value = serde_json::from_str(line)?;
        let finding = &event["finding"];
        let of = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
        let victims = finding["victims"].as_array().context("no victims")?;
        let made_up = victims
            .iter()
            .filter_map(Value::as_str)
            .any(|one| one.starts_with("172."));
        ensure!(!made_up, "it names a made-up address: {finding}");
        *found
            .entry((of("detector"), of("subject"), of("role")))
            .or_default() += 1;
    }
    Ok(found)
}

#[test]
fn a_flood_at_full_rate_is_a_finding() -> Result<()> {
    let Some((_turn, passage)) = passage("rate", "")? else {
        return Ok(());
    };
    let mut daemon = passage.start()?;
    let sent = flood(&passage)?;
    let victim = Ipv4Addr::from(VICTIM).to_string();
    let expected = ("flood".to_owned(), victim.clone(), "victim".to_owned());
    let found = wait_for("a finding about the flood", 3 * SECONDS, || {
        found(&passage)
            .ok()
            .filter(|all| all.contains_key(&expected))
    });
    let status = passage.json(&["status"])?;
    let rate = u64::from(sent) / TIME.as_secs();
    println!(
        "{sent} requests, {rate} a second; flows {}",
        status["flows"]
    );
    let found = found.with_context(|| format!("{}", status["detection"]))?;
    println!("{found:?}");
    ensure!(
        number(&status["flows"]["evicted"]) > 0,
        "none was evicted: the flood is too slow"
    );
    let others: Vec<_> = found
        .keys()
        .filter(|(_, subject, _)| *subject != victim)
        .collect();
    ensure!(
        others.is_empty(),
        "made-up addresses are accused: {others:?}"
    );
    daemon.stop()?;
    Ok(())
}
