//! kill -9 at random moments, under traffic and rule changes: nothing that was acknowledged is lost, nothing
//! is there that nobody made, and no packet is uncounted or counted twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Context, Result, anyhow, ensure};
use etherparse::PacketBuilder;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use sensor_common::rule::RuleState;
use sensor_evidence::audit::CHECKPOINTS;
use sensor_facts::rule::{RuleId, State};
use sensor_kernel::PinnedRules;
use serde_json::Value;
use tests::{ability::privileged, passage::Passage, program::Program, wait::wait_for, wire::Wire};

use super::{SECONDS, number, turn};

/// Kills, unless `WARDTAP_KILLS` says how many.
const KILLS: u32 = 25;
/// Addresses that rules are made for.
const TARGETS: u32 = 40;

/// Numbers that look random and are the same in each run (xorshift, Marsaglia 2003).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from(self.0 >> 33).unwrap_or(0) % below
    }
}

/// What was asked and answered.
#[derive(Default)]
struct Ledger {
    /// Rules as they were acknowledged: target and state.
    rules: BTreeMap<RuleId, (String, String)>,
    /// Rules whose last change was not answered: it may have happened or not.
    open: BTreeSet<RuleId>,
    /// Targets that were ever asked for.
    asked: BTreeSet<String>,
    /// Rules that were acknowledged to be lifted.
    gone: BTreeSet<RuleId>,
    changes: u64,
}

#[test]
fn nothing_acknowledged_is_lost_by_kill_nine() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let _turn = turn();
    let kills = env::var("WARDTAP_KILLS").ok().and_then(|n| n.parse().ok());
    let kills = kills.unwrap_or(KILLS);
    let passage = Passage::build("crash", "[flow]\nestablished = 4096\nfresh = 4096\n")?;
    let mut dice = Dice(0x5eed_0003);
    let mut ledger = Ledger::default();

    let mut daemon = passage.start()?;
    // The namespaces send a frame of their own now and then.
    let before = wait_for("a moment without a frame", SECONDS, || {
        let moment = Frames::of(&passage).ok()?;
        (moment == Frames::of(&passage).ok()?).then_some(moment)
    })?;
    let traffic = Traffic::start(&passage)?;
    let mut early = 0;
    for number in 0..kills {
        change(&passage, &mut dice, &mut ledger, &mut daemon)?;
        agree(&passage, &mut daemon, &mut ledger, number)?;
        if dice.roll(3) == 0 {
            // And once more while it starts, at whichever step.
            daemon.kill()?;
            early += 1;
            let mut command = passage.middle.enter(tests::sensor::binary()?);
            command.args(["run", "--config"]).arg(passage.config());
            daemon = Program::start("wardtap", command, passage.folder())?;
            thread::sleep(Duration::from_millis(u64::from(dice.roll(1_200))));
            daemon.kill()?;
            daemon = passage.start()?;
            agree(&passage, &mut daemon, &mut ledger, number)?;
        }
    }
    let frames = traffic.stop()?;
    let mut last = before;
    let counted = wait_for("every frame to be counted", SECONDS, || {
        last = Frames::of(&passage).ok()?;
        let counted = last.counted - before.counted;
        (counted == last.sent - before.sent).then_some(counted)
    })
    .with_context(|| format!("{before:?}, then {last:?}"))?;
    println!(
        "{} kills, {early} of them while it started; {} changes acknowledged, {} rules standing; {frames} frames sent in all this time, {counted} counted",
        kills + early,
        ledger.changes,
        ledger.rules.len()
    );
    let trail = passage.trail();
    let verified = passage.json(&["audit", "verify", &trail.display().to_string()])?;
    ensure!(verified["torn"] == 0, "{verified}");
    daemon.stop()?;
    let unloaded = passage.json(&[
        "unload",
        "--config",
        &passage.config().display().to_string(),
    ])?;
    ensure!(
        unloaded["interfaces"] == 2 && !passage.pins().exists(),
        "{unloaded}"
    );
    Ok(())
}

/// Changes rules until the daemon is killed, at a random moment, in the middle of it.
fn change(
    passage: &Passage,
    dice: &mut Dice,
    ledger: &mut Ledger,
    daemon: &mut Program,
) -> Result<()> {
    let moment = Duration::from_millis(u64::from(dice.roll(300)));
    let dead = AtomicBool::new(false);
    thread::scope(|scope| {
        let killer = scope.spawn(|| {
            thread::sleep(moment);
            dead.store(true, Ordering::SeqCst);
            daemon.kill()
        });
        while !dead.load(Ordering::SeqCst) {
            one_change(passage, dice, ledger)?;
        }
        killer.join().map_err(|_| anyhow!("the killer panicked"))?
    })
}

fn one_change(passage: &Passage, dice: &mut Dice, ledger: &mut Ledger) -> Result<()> {
    let known: Vec<_> = ledger.rules.keys().copied().collect();
    let chosen = (!known.is_empty())
        .then(|| known[dice.roll(u32::try_from(known.len()).unwrap_or(1)) as usize]);
    let what = dice.roll(10);
    match (what, chosen) {
        (0..=1, Some(id)) => {
            ledger.open.insert(id);
            let output = passage.cli(&["rules", "remove", &id.to_string(), "--json"])?;
            if output.status.success() {
                ledger.open.remove(&id);
                ledger.rules.remove(&id);
                ledger.gone.insert(id);
                ledger.changes += 1;
            }
        }
        (2..=3, Some(id)) => {
            let (verb, state) = if what == 2 {
                ("disable", State::Disabled)
            } else {
                ("enable", State::Enabled)
            };
            ledger.open.insert(id);
            let output = passage.cli(&["rules", verb, &id.to_string(), "--json"])?;
            let refused = String::from_utf8_lossy(&output.stderr).contains("refuses");
            if output.status.success() || refused {
                ledger.open.remove(&id);
            }
            if output.status.success() {
                if let Some((_, known)) = ledger.rules.get_mut(&id) {
                    state.label().clone_into(known);
                }
                ledger.changes += 1;
            }
        }
        _ => {
            let target = format!("10.66.0.{}", 1 + dice.roll(TARGETS));
            ledger.asked.insert(target.clone());
            let output = passage.cli(&[
                "rules", "add", "--device", &target, "--ttl", "2h", "--reason", "crash", "--json",
            ])?;
            if output.status.success() {
                let added: Value = serde_json::from_slice(&output.stdout)?;
                let id = number(&added["rule"]["id"]);
                ensure!(!ledger.gone.contains(&id), "id {id} was given twice");
                if added["extended"] == false {
                    ledger
                        .rules
                        .insert(id, (target, State::Enabled.label().to_owned()));
                }
                ledger.changes += 1;
            }
        }
    }
    Ok(())
}

/// Starts the next daemon: what it lists, what the kernel has and what was acknowledged has to be the same.
fn agree(
    passage: &Passage,
    daemon: &mut Program,
    ledger: &mut Ledger,
    number_of_kill: u32,
) -> Result<()> {
    if daemon.ended()?.is_some() {
        *daemon = passage.start()?;
    }
    let listed = passage.json(&["rules", "list", "--limit", "1000"])?;
    let mut there = BTreeMap::new();
    for rule in listed["items"].as_array().into_iter().flatten() {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let about = (text(&rule["target"]["address"]), text(&rule["state"]));
        there.insert(number(&rule["id"]), about);
    }
    let at = format!("after kill {number_of_kill}");
    for (id, about) in &there {
        ensure!(
            ledger.asked.contains(&about.0),
            "{at}: nobody made rule {id}, {about:?}"
        );
        ensure!(!ledger.gone.contains(id), "{at}: rule {id} was lifted");
    }
    for (id, about) in &ledger.rules {
        let open = ledger.open.contains(id);
        ensure!(
            open || there.get(id) == Some(about),
            "{at}: rule {id} was {about:?} and is {:?}",
            there.get(id)
        );
    }
    let kernel: BTreeMap<_, _> = PinnedRules::open(&passage.pins())?
        .all()?
        .into_iter()
        .map(|rule| (rule.id, rule.state))
        .collect();
    let wanted: BTreeMap<_, _> = there
        .iter()
        .map(|(id, (_, state))| {
            let enabled = state == State::Enabled.label();
            let state = if enabled {
                RuleState::Enabled
            } else {
                RuleState::Off
            };
            (*id, state as u32)
        })
        .collect();
    ensure!(kernel == wanted, "{at}: kernel {kernel:?}, list {wanted:?}");
    let trail = passage.trail();
    passage
        .json(&["audit", "verify", &trail.display().to_string()])
        .context(at)?;
    // What was not answered is known now.
    let gone: Vec<_> = ledger
        .rules
        .keys()
        .filter(|id| !there.contains_key(id))
        .copied()
        .collect();
    ledger.gone.extend(gone);
    ledger.rules = there;
    ledger.open.clear();
    Ok(())
}

/// Frames at the port on the left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Frames {
    /// Sent by the host there.
    sent: u64,
    /// Counted by the programs.
    counted: u64,
}

impl Frames {
    fn of(passage: &Passage) -> Result<Self> {
        let text = passage
            .left
            .ip(&["-json", "-statistics", "link", "show", "eth0"])?;
        let link: Value = serde_json::from_str(&text)?;
        let status = passage.json(&["status"])?;
        Ok(Self {
            sent: number(&link[0]["stats64"]["tx"]["packets"]),
            counted: number(&status["interfaces"][0]["counters"]["packets"]),
        })
    }
}

/// Datagrams from the left to addresses that rules are made for.
struct Traffic {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<u64>>,
}

impl Traffic {
    fn start(passage: &Passage) -> Result<Self> {
        let mut wire = Wire::open(&passage.left, "eth0")?;
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let mut frames = 0;
            while !flag.load(Ordering::Relaxed) {
                for target in 1..=TARGETS {
                    let to = [10, 66, 0, u8::try_from(target)?];
                    let mut frame = Vec::new();
                    PacketBuilder::ethernet2([2, 0, 0, 9, 0, 1], [2, 0, 0, 9, 0, 2])
                        .ipv4([10, 9, 0, 1], to, 64)
                        .udp(40_000, 514)
                        .write(&mut frame, b"hello")?;
                    wire.send(&frame)?;
                    frames += 1;
                }
                thread::sleep(Duration::from_millis(10));
            }
            Ok(frames)
        });
        Ok(Self { stop, thread })
    }

    fn stop(self) -> Result<u64> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread
            .join()
            .map_err(|_| anyhow!("the traffic panicked"))?
    }
}

#[test]
fn a_broken_trail_is_refused_and_left_as_it_is() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let _turn = turn();
    let passage = Passage::build("broken", "")?;
    let mut daemon = passage.start()?;
    passage.json(&["rules", "add", "--device", "10.66.0.1", "--reason", "test"])?;
    daemon.kill()?;
    let whole = fs::read_to_string(passage.trail())?;
    let broken = whole.replacen("10.66.0.1", "10.66.0.2", 1);
    fs::write(passage.trail(), &broken)?;
    let refused = passage
        .middle
        .enter(tests::sensor::binary()?)
        .args(["run", "--config"])
        .arg(passage.config())
        .output()?;
    let words = super::said(&refused);
    ensure!(
        refused.status.code() == Some(1) && words.contains("broken at line 2"),
        "{words}"
    );
    ensure!(fs::read_to_string(passage.trail())? == broken);
    // What the kernel had stays in force.
    ensure!(PinnedRules::open(&passage.pins())?.all()?.len() == 1);
    fs::write(passage.trail(), whole)?;
    let _daemon = passage.start()?;
    let rules = passage.json(&["rules", "list"])?;
    ensure!(rules["total"] == 1, "{rules}");
    Ok(())
}

#[test]
fn what_the_kernel_has_otherwise_is_put_right_and_said() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let _turn = turn();
    let passage = Passage::build("differ", "")?;
    let mut daemon = passage.start()?;
    let add =
        |device: &str| passage.json(&["rules", "add", "--device", device, "--reason", "test"]);
    add("10.66.0.1")?;
    let files = [passage.trail(), passage.trail().with_file_name(CHECKPOINTS)];
    let older = files.clone().map(fs::read);
    add("10.66.0.2")?;
    passage.json(&[
        "protect",
        "add",
        "--device",
        "10.66.0.9",
        "--reason",
        "test",
    ])?;
    daemon.kill()?;
    // As if the disk had lost the end of the trail and of its checkpoints: the kernel has a rule that nobody knows of.
    for (path, older) in files.iter().zip(older) {
        fs::write(path, older?)?;
    }
    let mut daemon = passage.start()?;
    let ids = || -> Result<Vec<RuleId>> {
        let rules = PinnedRules::open(&passage.pins())?.all()?;
        Ok(rules.into_iter().map(|rule| rule.id).collect())
    };
    ensure!(ids()? == [1], "the unknown rule is in force: {:?}", ids()?);
    let log = daemon.log();
    ensure!(
        log.contains("rule 2 was in the kernel and nobody was told so: removed")
            && log.contains("never-block list lacked 0 entries and had 1 too many"),
        "{log}"
    );
    daemon.stop()?;
    // As after a reboot: the kernel has nothing, and the trail's rule is in force again.
    passage.json(&[
        "unload",
        "--config",
        &passage.config().display().to_string(),
    ])?;
    let _daemon = passage.start()?;
    ensure!(
        ids()? == [1],
        "the rule is not in force again: {:?}",
        ids()?
    );
    let trail = passage.trail().display().to_string();
    let shown = passage
        .json(&["audit", "show", &trail, "--last", "100"])?
        .to_string();
    ensure!(shown.contains("nobody was told so"), "{shown}");
    Ok(())
}

/// A file system of so few bytes at the daemon's state directory.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn at(path: PathBuf) -> Result<Self> {
        fs::create_dir_all(&path)?;
        let none: Option<&str> = None;
        mount(
            none,
            &path,
            Some("tmpfs"),
            MsFlags::empty(),
            Some("size=64k"),
        )?;
        Ok(Self(path))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = umount2(&self.0, MntFlags::MNT_DETACH);
    }
}

/// Rules that are made meanwhile.
const RULES: usize = 20;

#[test]
fn containment_goes_on_while_the_trails_disk_is_full() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let _turn = turn();
    let passage = Passage::build("full", "")?;
    let disk = SmallDisk::at(passage.folder().join("state"))?;
    let mut daemon = passage.start()?;
    let filler = disk.0.join("filler");
    // As much as fits.
    let _ = fs::write(&filler, vec![0; 256 << 10]);
    // More than the last page of the trail's file has room for.
    for number in 1..=RULES {
        let device = format!("10.66.0.{number}");
        passage.json(&["rules", "add", "--device", &device, "--reason", "test"])?;
    }
    let kernel = || -> Result<usize> { Ok(PinnedRules::open(&passage.pins())?.all()?.len()) };
    ensure!(kernel()? == RULES, "the rules are not in force");
    let warnings = wait_for("the status to say it", SECONDS, || {
        let status = passage.json(&["status"]).ok()?;
        let text = status["warnings"].to_string();
        text.contains("audit trail can't be written")
            .then_some(text)
    })?;
    ensure!(warnings.contains("No space left"), "{warnings}");
    fs::remove_file(&filler)?;
    wait_for("the trail to be written again", SECONDS, || {
        let status = passage.json(&["status"]).ok()?;
        (status["containment"]["waiting"] == 0).then_some(())
    })?;
    daemon.kill()?;
    let trail = passage.trail().display().to_string();
    let verified = passage.json(&["audit", "verify", &trail])?;
    ensure!(
        verified["torn"] == 0 && number(&verified["entries"]) > 20,
        "{verified}"
    );
    let mut daemon = passage.start()?;
    let rules = passage.json(&["rules", "list"])?;
    ensure!(rules["total"] == RULES && kernel()? == RULES, "{rules}");
    ensure!(!daemon.log().contains("put right"), "{}", daemon.log());
    daemon.stop()?;
    Ok(())
}
