//! `cargo xtask bench`: what a packet costs in the kernel, what devices and flows take of memory, how much
//! the store takes in, how soon a rule is in force, what a flow's score costs, and how fast a capture is replayed.

use std::{env, path::PathBuf};

use anyhow::Result;

use crate::{
    ebpf, instructions, runtime,
    workspace::{captures, cargo_command, root, run},
};

/// Packets that the replay is looped to.
const REPLAY_PACKETS: u64 = 1_000_000;
/// Packets of the capture that is looped.
const CAPTURE_PACKETS: u64 = 94_178;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Capture to replay instead of mix/mix-dev.pcap of the captures' folder
    #[arg(long)]
    capture: Option<PathBuf>,
    /// Count the instructions of a packet, measure nothing
    #[arg(long)]
    instructions: bool,
}

/// `cargo xtask bench`.
pub(crate) fn run_all(arguments: &Arguments) -> Result<()> {
    let objects = ebpf::objects()?;
    if arguments.instructions {
        return instructions::print(&objects.join("wardtap-bench.bpf.o"));
    }
    println!("\nThe kernel's packet path (BPF_PROG_TEST_RUN; compare ratios, not nanoseconds):\n");
    run(cargo_command("bench")
        .args(["--quiet", "--package", "sensor", "--bench", "packet"])
        .env("WARDTAP_BENCH_OBJECT", objects.join("wardtap-bench.bpf.o")))?;

    println!("\nInstructions of a packet, by the file they come from:\n");
    instructions::print(&objects.join("wardtap-bench.bpf.o"))?;

    run(cargo_command("bench").args(["--quiet", "--package", "sensor", "--bench", "memory"]))?;

    run(cargo_command("bench").args(["--quiet", "--package", "sensor", "--bench", "store"]))?;

    ebpf::daemon(true)?;
    println!("\nContainment by the policy:");
    run(cargo_command("bench").args(["--quiet", "--package", "tests", "--bench", "response"]))?;

    score()?;

    let capture = arguments
        .capture
        .clone()
        .unwrap_or_else(|| captures().join("mix/mix-dev.pcap"));
    if !capture.is_file() {
        println!(
            "\nReplay: SKIPPED, no capture at {} (name one with --capture)",
            capture.display()
        );
        return Ok(());
    }
    let wardtap = ebpf::daemon(true)?;
    println!("\nReplay of {} on one core:\n", capture.display());
    let times = REPLAY_PACKETS.div_ceil(CAPTURE_PACKETS).to_string();
    for (what, more) in [
        (
            "totals only, without detectors and alerts",
            &["--summary"][..],
        ),
        ("with detectors and alerts", &[]),
    ] {
        println!("{what}:\n");
        run(std::process::Command::new(&wardtap)
            .arg("replay")
            .arg(&capture)
            .args(["--loop", &times, "--stats"])
            .args(more))?;
    }
    Ok(())
}

/// What a flow's score costs.
fn score() -> Result<()> {
    let model = env::var_os("WARDTAP_BENCH_MODEL")
        .map_or_else(|| root().join("models/flow-v1.onnx"), PathBuf::from);
    if !model.is_file() {
        println!(
            "\nScoring: SKIPPED, no model at {} (name one with WARDTAP_BENCH_MODEL)",
            model.display()
        );
        return Ok(());
    }
    println!("\nScoring by {}:\n", model.display());
    run(cargo_command("bench")
        .args(["--quiet", "--package", "sensor", "--bench", "score"])
        .env("WARDTAP_BENCH_MODEL", model)
        .env("ORT_DYLIB_PATH", runtime::fetch()?))
}
