//! An operator and the audit trail while an attacker makes as many findings as packets.

use std::{
    collections::BTreeSet,
    env, fs,
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, ensure};
use etherparse::PacketBuilder;
use sensor::control::{
    api::{RULES, Reason},
    client,
};
use sensor_facts::rule::RuleId;
use sensor_kernel::PinnedRules;
use tests::{
    folder::StillDisk,
    passage::{LEFT_MAC, Passage, RIGHT_MAC},
    wait::wait_for,
    wire::Wire,
};

use super::{SECONDS, number, passage, printed};

/// Ports that each made-up address asks for: more than make a scan.
const PORTS: u16 = 25;
/// Between two addresses: a flow that makes room for another before its time is up is no finding.
const PAUSE: Duration = Duration::from_micros(2_500);
/// Times that all rules are released.
const RELEASES: usize = 100;
/// How long that may take at the 99th percentile.
const LIMIT: Duration = Duration::from_secs(1);
/// Memory of the daemon in a flood, bytes at most, whatever comes: full tables and queues of the default configuration.
const MEMORY: u64 = 1 << 30;
/// How long its end may take then.
const END: Duration = Duration::from_secs(10);

/// Scans from made-up addresses, 400 a second, until this is dropped.
struct Flood {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    thread: Option<JoinHandle<Result<()>>>,
}

impl Flood {
    fn start(passage: &Passage) -> Result<Self> {
        let mut wire = Wire::open(&passage.left, "eth0")?;
        let (stop, sent) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicU64::new(0)),
        );
        let (over, count) = (Arc::clone(&stop), Arc::clone(&sent));
        let (from, to) = (mac(LEFT_MAC)?, mac(RIGHT_MAC)?);
        let thread = thread::spawn(move || {
            // So many that none comes twice in five hours.
            for source in (0..).map(|number: u32| Ipv4Addr::from(0x0a80_0000 + number % 0x7f_ffff))
            {
                for port in 1..=PORTS {
                    let frame = PacketBuilder::ethernet2(from, to)
                        .ipv4(source.octets(), [10, 9, 0, 2], 64)
                        .tcp(40_000, port, 1, 1_000)
                        .syn();
                    let mut bytes = Vec::new();
                    frame.write(&mut bytes, &[])?;
                    wire.send(&bytes)?;
                    count.fetch_add(1, Ordering::Relaxed);
                }
                if over.load(Ordering::Relaxed) {
                    return Ok(());
                }
                thread::sleep(PAUSE);
            }
            Ok(())
        });
        Ok(Self {
            stop,
            sent,
            thread: Some(thread),
        })
    }

    fn end(mut self) -> Result<u64> {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().map_err(|_| anyhow!("the flood panicked"))??;
        }
        Ok(self.sent.load(Ordering::Relaxed))
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn mac(text: &str) -> Result<[u8; 6]> {
    let bytes: Result<Vec<u8>, _> = text
        .split(':')
        .map(|byte| u8::from_str_radix(byte, 16))
        .collect();
    bytes?.try_into().map_err(|_| anyhow!("no address"))
}

/// Findings since the start.
fn findings(passage: &Passage) -> Result<u64> {
    let status = passage.json(&["status"])?;
    let by_detector = status["detection"]["findings"].as_object();
    Ok(by_detector
        .into_iter()
        .flat_map(|it| it.values())
        .map(number)
        .sum())
}

#[test]
fn release_all_answers_within_a_second_in_a_flood_of_findings() -> Result<()> {
    let more = "[audit]\nsummary = \"30s\"\n";
    let Some((_turn, passage)) = passage("findings", more)? else {
        return Ok(());
    };
    let mut daemon = passage.start()?;
    let flood = Flood::start(&passage)?;
    wait_for("a flood of findings", 6 * SECONDS, || {
        findings(&passage).ok().filter(|count| *count >= 1_000)
    })?;
    let socket = passage.folder().join("control.sock");
    let mut times = BTreeSet::new();
    for number in 0..RELEASES {
        if number % 10 == 0 {
            let device = "10.66.0.1";
            passage.json(&["rules", "add", "--device", device, "--reason", "test"])?;
        }
        let reason = Reason {
            reason: "a false alarm".to_owned(),
        };
        let begin = Instant::now();
        let _: usize = client::post(&socket, &format!("{RULES}/release-all"), &reason)?;
        times.insert((begin.elapsed(), number));
    }
    let rules = passage.json(&["rules", "list"])?;
    ensure!(rules["total"] == 0, "{rules}");
    let found = findings(&passage)?;
    let sent = flood.end()?;
    let at = |share: usize| times.iter().nth(RELEASES * share / 100 - 1);
    let (half, most) = (at(50), at(99));
    println!(
        "{sent} packets, {found} findings; release-all took {:?} in the middle and {:?} at the 99th percentile",
        half.map(|one| one.0),
        most.map(|one| one.0)
    );
    ensure!(most.is_some_and(|one| one.0 < LIMIT), "{times:?}");
    daemon.stop()?;
    // Every release is there, and the findings are counted in few entries.
    let trail = passage.trail().display().to_string();
    let verified = passage.json(&["audit", "verify", &trail])?;
    let shown = passage.json(&["audit", "show", &trail, "--last", "100000"])?;
    let entries = shown.as_array().map_or(&[][..], Vec::as_slice);
    let of = |action: &str| entries.iter().filter(|one| one["action"] == action).count();
    ensure!(of("released_all") == RELEASES, "{}", of("released_all"));
    let (firsts, repeats) = (of("decided"), of("decided_again"));
    println!(
        "{} entries: {firsts} decisions, {repeats} summaries",
        verified["entries"]
    );
    ensure!(
        repeats > 0 && firsts + repeats < 1_000,
        "{firsts}, {repeats}"
    );
    let counted = entries
        .iter()
        .filter(|one| one["action"] == "decided_again");
    let told = firsts as u64 + counted.map(|one| number(&one["count"])).sum::<u64>();
    ensure!(told >= found, "{told} of {found} findings are told of");
    Ok(())
}

/// Bytes of the audit trail with its signatures.
fn trail_bytes(passage: &Passage) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(passage.folder().join("state"))? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("audit") {
            bytes += entry.metadata()?.len();
        }
    }
    Ok(bytes)
}

/// What a long flood of findings does in observe mode, and leaves behind: memory stays bounded though more comes than a debug
/// build takes, the status answers all the time, and the end and the next start are quick. `WARDTAP_FLOOD_MINUTES=60 cargo test
/// --workspace --test rules -- --ignored --nocapture observe` takes the hour.
#[test]
#[ignore = "it takes ten minutes, or what WARDTAP_FLOOD_MINUTES says"]
fn a_long_flood_in_observe_mode_leaves_a_small_trail_and_a_quick_start() -> Result<()> {
    let minutes: u64 = match env::var("WARDTAP_FLOOD_MINUTES") {
        Ok(text) => text.parse()?,
        Err(_) => 10,
    };
    let Some((_turn, passage)) = passage("hour", "")? else {
        return Ok(());
    };
    let mut daemon = passage.start()?;
    let flood = Flood::start(&passage)?;
    let mut slowest = Duration::ZERO;
    for minute in 1..=minutes {
        let mut found = 0;
        for _ in 0..12 {
            thread::sleep(Duration::from_secs(5));
            let begin = Instant::now();
            found = findings(&passage).with_context(|| format!("in minute {minute}"))?;
            slowest = slowest.max(begin.elapsed());
        }
        let status = passage.json(&["status"])?;
        println!(
            "{minute} min: {found} findings, {} bytes, {} MB, {} of {} observations lost",
            trail_bytes(&passage)?,
            daemon.memory()?.0 >> 20,
            status["detection"]["lost"],
            status["pipeline"]["flows_ended"]
        );
    }
    let found = findings(&passage)?;
    let sent = flood.end()?;
    let (_, peak) = daemon.memory()?;
    let begin = Instant::now();
    daemon.stop_within(END)?;
    let ended = begin.elapsed();
    let bytes = trail_bytes(&passage)?;
    let begin = Instant::now();
    let mut daemon = passage.start()?;
    let took = begin.elapsed();
    daemon.stop()?;
    let trail = passage.trail().display().to_string();
    let verified = passage.json(&["audit", "verify", &trail])?;
    println!(
        "{minutes} minutes: {sent} packets, {found} findings; at most {} MB; a status took {slowest:?} at most, the end \
         {ended:?}, the next start {took:?}; {} entries, {bytes} bytes",
        peak >> 20,
        verified["entries"]
    );
    ensure!(found > 100 * minutes, "{found}: that was no flood");
    ensure!(bytes < (1 + minutes) << 20, "{bytes} bytes");
    ensure!(peak < MEMORY, "{peak} bytes of memory");
    ensure!(took < 5 * LIMIT, "{took:?}");
    Ok(())
}

/// A disk that gives no answer: what blocks is put back and refused, what lifts is done, and neither is told to be written.
#[test]
fn a_change_that_is_not_written_is_never_confirmed() -> Result<()> {
    let Some((_turn, passage)) = passage("still", "")? else {
        return Ok(());
    };
    let disk = StillDisk::mount(&passage.folder().join("state"), 64 << 20)?;
    let mut daemon = passage.start()?;
    let add = |device: &str| passage.cli(&["rules", "add", "--device", device, "--reason", "test"]);
    let kernel = || -> Result<Vec<RuleId>> {
        let rules = PinnedRules::open(&passage.pins())?.all()?;
        Ok(rules.into_iter().map(|rule| rule.id).collect())
    };
    ensure!(add("10.66.0.1")?.status.success());
    disk.stop()?;
    let refused = add("10.66.0.2")?;
    let words = printed(&refused);
    ensure!(
        !refused.status.success() && words.contains("nothing was changed"),
        "{words}"
    );
    ensure!(kernel()? == [1], "it is in force: {:?}", kernel()?);
    let begin = Instant::now();
    let released = passage.cli(&["rules", "release-all", "--reason", "care"])?;
    let words = printed(&released);
    ensure!(begin.elapsed() < 2 * LIMIT, "{:?}", begin.elapsed());
    ensure!(
        !released.status.success()
            && words.contains("it was done")
            && words.contains("not written"),
        "{words}"
    );
    ensure!(kernel()?.is_empty(), "it is in force: {:?}", kernel()?);
    disk.go_on()?;
    wait_for("the trail to be written", SECONDS, || {
        let status = passage.json(&["status"]).ok()?;
        (status["containment"]["waiting"] == 0).then_some(())
    })?;
    daemon.kill()?;
    // The trail has all of it, and a start finds what is in force.
    let _daemon = passage.start()?;
    let rules = passage.json(&["rules", "list"])?;
    ensure!(rules["total"] == 0 && kernel()?.is_empty(), "{rules}");
    let trail = passage.trail().display().to_string();
    let shown = passage.json(&["audit", "show", &trail, "--last", "100"])?;
    let text = shown.to_string();
    ensure!(
        text.contains("undone") && text.contains("released_all"),
        "{text}"
    );
    Ok(())
}
