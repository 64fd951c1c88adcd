//! `cargo xtask demo`: a small hospital in network namespaces, real programs at work in it, and what the
//! sensor at its mirror port saw.

mod interruption;

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Result, bail, ensure};
use nix::unistd::geteuid;
use tests::{
    hospital::{Hospital, Role},
    scenario::Scenario,
    sensor::Sensor,
    tally::Tally,
};

use crate::{
    ebpf,
    install::{self, PEERS},
    workspace::target,
};
use interruption::Interruption;

/// Names of the demo's namespaces begin with it.
const PREFIX: &str = "wardtap-demo";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How long the hospital works, at least one round of about two seconds
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
    ebpf::objects()?;
    let binary = ebpf::daemon(false)?;
    let interruption = Interruption::watch(PREFIX)?;
    let folder = target().join("demo");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }

    say("A hospital in network namespaces");
    let hospital = Hospital::build(PREFIX)?;
    for role in Role::ALL {
        println!("  {:<18} {}", role.name(), role.address());
    }
    println!("  one switch between them, and a mirror port to the sensor's namespace");

    let mut sensor = Sensor::start(&hospital, &binary, &folder.join("sensor"))?;
    let work = work(arguments, &hospital, &folder, &interruption)?;
    sensor.wait_for_all(&hospital)?;
    show(&sensor)?;
    if arguments.keep {
        println!(
            "\nStill running: {} --socket {} status, and so on. Ctrl-C ends it.",
            binary.display(),
            folder.join("sensor/control.sock").display()
        );
        interruption.wait();
    }
    sensor.stop()?;
    compare(&sensor, &work)
}

/// Lets the hospital work; the account of what was done.
fn work(
    arguments: &Arguments,
    hospital: &Hospital,
    folder: &Path,
    interruption: &Interruption,
) -> Result<Tally> {
    say("At work: DCMTK stores, finds and moves images; an interface engine sends HL7 to the EHR");
    let mut scenario = Scenario::start(hospital, &folder.join("hospital"))?;
    let end = Instant::now() + Duration::from_secs(arguments.seconds);
    loop {
        scenario.round()?;
        println!("  round {} is done", scenario.rounds());
        interruption.check(Duration::from_millis(100))?;
        if Instant::now() >= end {
            break;
        }
    }
    Ok(scenario.finish()?.clone())
}

/// Prints what the sensor saw, each part with what it means.
fn show(sensor: &Sensor) -> Result<()> {
    let parts: [(&str, &[&str], &str); 4] = [
        (
            "Devices (wardtap devices list)",
            &["devices", "list"],
            "Hosts by address, with the AE titles and HL7 applications they go by, the services they \
             offer, and what they send in clear text.",
        ),
        (
            "Sessions (wardtap sessions list)",
            &["sessions", "list", "--limit", "20"],
            "Who sends images to whom and how it ended; who sends which messages and how fast they are \
             acknowledged. No patient's name, no image: these never leave the kernel.",
        ),
        (
            "Flows (wardtap flows list)",
            &["flows", "list", "--limit", "12"],
            "All conversations, medical or not.",
        ),
        (
            "Status (wardtap status)",
            &["status"],
            "How the sensor fares: every packet has one disposition, and offered = received + lost.",
        ),
    ];
    for (title, arguments, meaning) in parts {
        say(title);
        println!("{meaning}\n\n{}", sensor.ask(arguments)?.trim_end());
    }
    Ok(())
}

/// Compares what was done with the sensor's events.
fn compare(sensor: &Sensor, done: &Tally) -> Result<()> {
    say("What was done, and what was seen");
    let seen = Tally::of_events(&sensor.events()?);
    for (what, count) in done.iter() {
        println!("  {count:>4} × {what}");
    }
    let differences = seen.differences(done);
    if differences.is_empty() {
        println!("\nThe sensor saw all of it and nothing else.");
        return Ok(());
    }
    bail!(
        "the sensor saw something else:\n  {}",
        differences.join("\n  ")
    )
}

fn say(title: &str) {
    println!("\n== {title} ==\n");
}
