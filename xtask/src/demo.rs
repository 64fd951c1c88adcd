//! `cargo xtask demo`: a small hospital in network namespaces, and what the sensor sees of it.

mod words;

use std::{
    fs,
    path::Path,
    process::exit,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use nix::unistd::geteuid;
use tests::{
    attack,
    hospital::Hospital,
    netns::remove_leftovers,
    scenario::Scenario,
    sensor::{Account, Sensor},
    tally::Tally,
};

use crate::{
    ebpf,
    install::{self, PEERS},
    interruption::{INTERRUPTED, Interruption},
    runtime,
    workspace::{root, target},
};

/// What the namespaces' names begin with.
const PREFIX: &str = "wardtap-demo";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How long the hospital works, seconds
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Leave hospital and sensor running until Ctrl-C, to look around
    #[arg(long)]
    keep: bool,
}

/// `cargo xtask demo`.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    ensure!(
        geteuid().is_root(),
        "the demo makes network namespaces and loads kernel programs: run it as root"
    );
    install::programs(PEERS)?;
    install::python()?;
    let runtime = runtime::fetch()?;
    ebpf::objects()?;
    ebpf::daemon(false)?;
    let interruption = Interruption::watch(|| remove_leftovers(PREFIX).map(drop))?;
    match demo(arguments, &runtime, &interruption) {
        Err(error) if interruption.came() => {
            eprintln!("{error:#}; everything was removed");
            exit(INTERRUPTED)
        }
        done => done,
    }
}

fn demo(arguments: &Arguments, runtime: &Path, interruption: &Interruption) -> Result<()> {
    let folder = target().join("demo");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    println!("{}", words::TOPOLOGY);
    let hospital = Hospital::build(PREFIX)?;
    let model = root().join("models/flow-v1.onnx");
    let state = folder.join("sensor");
    let mut sensor = Sensor::start_with_model(&hospital, &state, [&model, runtime])?;
    let mut scenario = Scenario::start(&hospital, &folder)?;
    println!("{}", words::WORK);
    let start = Instant::now();
    while scenario.rounds() == 0 || start.elapsed() < Duration::from_secs(arguments.seconds) {
        scenario.round()?;
        interruption.check()?;
    }
    let rounds = scenario.rounds();
    let done = scenario.finish()?.clone();
    println!("{rounds} rounds in {} s.", start.elapsed().as_secs());

    let differences = sensor.differences(&done)?;
    interruption.check()?;
    let account = sensor.account(&hospital)?;
    for (question, meaning) in words::QUESTIONS {
        println!("\n$ wardtap {}\n{meaning}\n", question.join(" "));
        sensor.show(question)?;
    }
    conclude(&done, &differences, &account)?;
    if arguments.keep {
        println!("{}", words::look_around(&sensor));
        interruption.wait();
    }
    drop(scenario);
    sensor.stop()?;
    drop(sensor);
    drop(hospital);
    attack::run(PREFIX, &folder, &|| interruption.check())?;
    println!(
        "Everything was removed, but for the files in {}.\n{}",
        folder.display(),
        words::next(&folder)
    );
    Ok(())
}

/// Says whether the sensor saw what was done.
fn conclude(done: &Tally, differences: &[String], account: &Account) -> Result<()> {
    println!("\nWhat was done in the hospital:\n");
    for (what, count) in done.iter() {
        println!("{count:>6} x {what}");
    }
    ensure!(
        differences.is_empty(),
        "the sensor's events differ from what was done:\n{}",
        differences.join("\n")
    );
    println!("\nThe sensor's events say the same.");
    println!(
        "{} frames left the switch's mirror port, {} were seen: {}.",
        account.mirrored,
        account.frames,
        account
            .dispositions
            .iter()
            .map(|(name, count)| format!("{count} {name}"))
            .collect::<Vec<_>>()
            .join(" + ")
    );
    println!(
        "{} events were offered to the ring buffer: {} received, {} lost.",
        account.offered, account.received, account.lost
    );
    ensure!(account.complete(), "the account is not exact: {account:?}");
    Ok(())
}
