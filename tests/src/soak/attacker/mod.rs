//! The attacker's round: one host sends every trick that it knows at once, while the hospital works on and the sensor in
//! the path contains by itself.

mod tricks;

use std::{
    fmt, fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde_json::Value;

use super::{care::Care, memory, seen::Seen};
use crate::{
    hospital::{Hospital, Role},
    intruder::Intruder,
    sensor::Sensor,
    wait::wait_for,
};
use tricks::Tricks;

/// Frames a second.
const RATE: u64 = 5_000;
/// How long `release-all` may take at the 99th percentile, with the start of the program that asks for it.
const RELEASE: Duration = Duration::from_secs(1);
/// Between two of them.
const BETWEEN: Duration = Duration::from_secs(2);
/// How long a start may take.
const START: Duration = Duration::from_secs(5);
/// Entries of the audit trail that are not releases, for each minute at most, and once.
const ENTRIES: (u64, u64) = (500, 2_000);
/// What the daemon may hold more at the end than in the middle, in per cent, and how long a round takes for its tables to be full
/// in the middle.
const GROWTH: u64 = 15;
const FULL: Duration = Duration::from_mins(5);
/// Time that things have to come to rest.
const SETTLE: Duration = Duration::from_mins(1);

const CONFIGURATION: &str = "\
[containment]
mode = \"automatic\"
max_rules_per_minute = 60
[baseline]
devices = 10000
[audit]
summary = \"30s\"
";

/// A device that is guilty: it has a connection to the archive, guesses titles and scans, while the tricks go on.
const GUILTY: Role = Role::Workstation;

/// What was seen in the attacker's round.
#[derive(Clone, Debug, Default)]
pub struct Round {
    /// How long the tricks went on.
    pub time: Duration,
    /// Frames of the attacker.
    pub frames: u64,
    /// Messages and images of the hospital that were done.
    pub care: (u64, u64),
    /// Of these, complete in the events.
    pub seen: (u64, u64),
    /// Findings since the start.
    pub findings: u64,
    /// Rules against somebody else than the attacker.
    pub framed: Vec<String>,
    /// Rules against the attacker, of those that were looked at.
    pub contained: u64,
    /// Rules against the guilty device beside it, of those that were looked at.
    pub guilty: u64,
    /// Packets and ring events of the last minute of the tricks, and how many of these were lost to the evidence.
    pub loss: [u64; 2],
    /// How long `release-all` took, in order.
    pub releases: Vec<Duration>,
    /// Memory of the process in the middle, at the end and at most, bytes.
    pub memory: [u64; 3],
    /// Entries and bytes of the audit trail.
    pub trail: [u64; 2],
    /// How long the start afterwards took.
    pub start: Duration,
}

impl Round {
    fn release(&self, percent: usize) -> Duration {
        let last = (self.releases.len() * percent).div_ceil(100);
        let at = self.releases.get(last.saturating_sub(1));
        at.copied().unwrap_or_default()
    }

    /// What is not as it has to be.
    #[must_use]
    pub fn wrong(&self) -> Vec<String> {
        let entries = self.trail[0].saturating_sub(self.releases.len() as u64);
        let most = ENTRIES.1 + ENTRIES.0 * self.time.as_secs() / 60;
        let grown = self.memory[0] + self.memory[0] * GROWTH / 100;
        [
            (self.care == self.seen, "not all of care was seen"),
            (self.care.0 > 0 && self.care.1 > 0, "care did nothing"),
            (self.findings > 0, "nothing was found"),
            (self.framed.is_empty(), "an innocent device was contained"),
            (self.guilty > 0, "the guilty device was not contained"),
            (self.release(99) < RELEASE, "release-all took too long"),
            (self.memory[2] < memory::LIMIT, "too much memory"),
            (self.time < FULL || self.memory[1] <= grown, "memory grows"),
            (entries <= most, "the audit trail grows"),
            (self.start < START, "the start took too long"),
        ]
        .into_iter()
        .filter(|(holds, _)| !holds)
        .map(|(_, what)| what.to_owned())
        .collect()
    }
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [middle, end, peak] = self.memory.map(|bytes| bytes >> 20);
        let [entries, bytes] = self.trail;
        writeln!(
            f,
            "- {} s of all tricks, {} frames.",
            self.time.as_secs(),
            self.frames
        )?;
        writeln!(
            f,
            "- Messages of the hospital: {} done, {} seen; images: {} done, {} seen.",
            self.care.0, self.seen.0, self.care.1, self.seen.1
        )?;
        writeln!(
            f,
            "- {} findings; rules against innocent devices: {:?}; looks at a rule against the attacker: {}, against the guilty device: {}.",
            self.findings, self.framed, self.contained, self.guilty
        )?;
        let [offered, lost] = self.loss;
        writeln!(
            f,
            "- Of {offered} packets and events of the last minute {lost} were lost."
        )?;
        writeln!(
            f,
            "- `release-all`, {} times, with the program's start: {:?} in the middle, {:?} at the 99th percentile.",
            self.releases.len(),
            self.release(50),
            self.release(99)
        )?;
        writeln!(
            f,
            "- Memory: {middle} MB in the middle, {end} MB at the end, {peak} MB at most."
        )?;
        writeln!(f, "- Audit trail: {entries} entries, {bytes} bytes.")?;
        writeln!(f, "- The start afterwards took {:?}.", self.start)
    }
}

/// Runs the round for `time`; `folder` takes files and logs.
///
/// # Errors
/// When the hospital or the daemon does not start or ends, or `check` says so. What does not hold is in the result.
pub fn run(
    prefix: &str,
    folder: &Path,
    time: Duration,
    check: &dyn Fn() -> Result<()>,
) -> Result<Round> {
    let hospital = Hospital::build_inline(prefix)?;
    for role in Role::FLOOR.into_iter().chain(Role::CORE) {
        hospital.host(role).fill_in_checksums()?;
    }
    let care = Care::prepare(&hospital, &folder.join("hospital"))?;
    let mut sensor = Sensor::start_inline(&hospital, &folder.join("sensor"), CONFIGURATION)?;
    let seen = Seen::follow(&sensor.events_path());
    let over = AtomicBool::new(false);
    let done = thread::scope(|scope| {
        let messages = scope.spawn(|| care.messages(&hospital));
        let images = scope.spawn(|| care.images(&hospital));
        let guilty = scope.spawn(|| misbehave(&hospital, &over));
        let done = attack(&hospital, &sensor, &care, &seen, time, check);
        over.store(true, Ordering::Relaxed);
        guilty
            .join()
            .map_err(|_| anyhow!("the guilty device panicked"))??;
        care.stop();
        for worker in [messages, images] {
            worker.join().map_err(|_| anyhow!("care panicked"))??;
        }
        done
    });
    let ended = restart(&hospital, &mut sensor, folder, seen);
    let mut round = done?;
    // What was seen until then is not lost with the end.
    println!("{round}");
    let (start, trail) = ended?;
    (round.start, round.trail) = (start, trail);
    Ok(round)
}

fn attack(
    hospital: &Hospital,
    sensor: &Sensor,
    care: &Care,
    seen: &Seen,
    time: Duration,
    check: &dyn Fn() -> Result<()>,
) -> Result<Round> {
    wait_for("the first messages and images", SETTLE, || {
        let (messages, images) = care.done();
        (messages > 0 && images > 0).then_some(())
    })?;
    let mut round = Round::default();
    let mut tricks = Tricks::new(hospital.host(Role::Intruder))?;
    let (start, mut next) = (Instant::now(), BETWEEN);
    let mut number = 0;
    while start.elapsed() < time {
        tricks.round(number)?;
        number += 1;
        let due = Duration::from_micros(tricks.sent * 1_000_000 / RATE);
        thread::sleep(due.saturating_sub(start.elapsed()));
        if start.elapsed() >= next {
            next += BETWEEN;
            check()?;
            tricks.aim(tricks::connection(
                hospital.host(Role::Engine),
                Role::Engine,
            )?);
            look(sensor, &mut round)?;
            if round.memory[0] == 0 && start.elapsed() * 2 > time {
                round.memory[0] = sensor.memory()?.0;
            }
        }
    }
    round.time = start.elapsed();
    round.frames = tricks.sent;
    let (end, peak) = sensor.memory()?;
    round.memory = [round.memory[0], end, peak];
    let status = sensor.ask_json(&["status"])?;
    let found = status["detection"]["findings"].as_object();
    round.findings = found
        .into_iter()
        .flatten()
        .filter_map(|(_, it)| it.as_u64())
        .sum();
    println!("found: {}", status["detection"]["findings"]);
    let of_minute = |name| status["containment"][name].as_u64().unwrap_or(0);
    round.loss = [of_minute("offered"), of_minute("lost")];
    let _pause = care.pause();
    let agreed = wait_for("care to be in the events", SETTLE, || {
        (seen.done() == care.done()).then_some(())
    });
    (round.care, round.seen) = (care.done(), seen.done());
    if agreed.is_err() {
        println!("ring {}, outputs {}", status["ring"], status["outputs"]);
    }
    Ok(round)
}

/// Guesses titles and scans until it is over.
fn misbehave(hospital: &Hospital, over: &AtomicBool) -> Result<()> {
    let role = GUILTY;
    let intruder = Intruder { hospital, role };
    while !over.load(Ordering::Relaxed) {
        intruder.guess()?;
        intruder.scan()?;
        thread::sleep(BETWEEN);
    }
    Ok(())
}

/// An operator looks at the rules, and lifts them all.
fn look(sensor: &Sensor, round: &mut Round) -> Result<()> {
    let rules = sensor.ask_json(&["rules", "list"])?;
    let named = |role: Role, target: &str| target.contains(&format!("\"{}\"", role.address()));
    let list = rules["items"].as_array().context("no list of rules")?;
    for rule in list {
        let target = rule["target"].to_string();
        if named(Role::Intruder, &target) {
            round.contained += 1;
        } else if named(GUILTY, &target) {
            round.guilty += 1;
        } else {
            round.framed.push(rule.to_string());
        }
    }
    let begin = Instant::now();
    sensor.ask(&["rules", "release-all", "--reason", "a false alarm"])?;
    let took = begin.elapsed();
    let at = round.releases.partition_point(|other| *other <= took);
    round.releases.insert(at, took);
    Ok(())
}

/// Ends the daemon in order and starts it again; how long the start took, and entries and bytes of the trail.
fn restart(
    hospital: &Hospital,
    sensor: &mut Sensor,
    folder: &Path,
    seen: Seen,
) -> Result<(Duration, [u64; 2])> {
    let stopped = sensor.stop();
    let begin = Instant::now();
    let again = Sensor::start_inline(hospital, &folder.join("sensor"), CONFIGURATION);
    let took = begin.elapsed();
    // It listens, and answers.
    let answered = again.as_ref().map(|it| it.ask_json(&["status"]));
    let answered = answered.is_ok_and(|status| status.is_ok());
    let again = again
        .and_then(|mut it| it.stop())
        .and_then(|()| sensor.unload());
    stopped.and(again)?;
    ensure!(answered, "the daemon does not answer after its start");
    seen.finish()?;
    let trail = sensor.trail();
    let verified = sensor.offline_json(&["audit", "verify", &trail.display().to_string()])?;
    let entries = number(&verified, "entries")?;
    let mut bytes = 0;
    for entry in fs::read_dir(trail.parent().context("a folder")?)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("audit") {
            bytes += entry.metadata()?.len();
        }
    }
    Ok((took, [entries, bytes]))
}

fn number(value: &Value, name: &str) -> Result<u64> {
    let Some(number) = value[name].as_u64() else {
        bail!("no {name} in {value}");
    };
    Ok(number)
}
