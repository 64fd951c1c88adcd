//! kill -9 at random moments, under traffic and rule changes: nothing that was acknowledged is lost, nothing
//! is there that nobody made, and no packet is uncounted or counted twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, ensure};
use sensor_common::rule::RuleState;
use sensor_facts::rule::{RuleId, State};
use sensor_kernel::PinnedRules;
use serde_json::Value;
use tests::{passage::Passage, program::Program, wait::wait_for};

use super::{
    SECONDS, number, passage,
    traffic::{Datagrams, Frames},
};

/// Kills, unless `WARDTAP_KILLS` says how many.
const KILLS: u32 = 25;
/// Addresses that rules are made for: 10.66.0.1 and those that follow it.
const TARGETS: u8 = 40;

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
    let more = "[flow]\nestablished = 4096\nfresh = 4096\n";
    let Some((_turn, passage)) = passage("crash", more)? else {
        return Ok(());
    };
    let kills = env::var("WARDTAP_KILLS").ok().and_then(|n| n.parse().ok());
    let kills = kills.unwrap_or(KILLS);
    let mut dice = Dice(0x5eed_0003);
    let mut ledger = Ledger::default();

    let mut daemon = passage.start()?;
    // The namespaces send a frame of their own now and then.
    let before = wait_for("a moment without a frame", SECONDS, || {
        let moment = Frames::of(&passage).ok()?;
        (moment == Frames::of(&passage).ok()?).then_some(moment)
    })?;
    let traffic = Datagrams::start(&passage, TARGETS)?;
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
            let target = format!("10.66.0.{}", 1 + dice.roll(u32::from(TARGETS)));
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
