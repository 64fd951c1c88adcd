//! `cargo xtask`: the project's build, test and demo commands.
//!
//! Each installs what it needs and does not find, saying what and why, and asks nothing.

mod bench;
mod compare;
mod demo;
mod differential;
mod dist;
mod doctor;
mod ebpf;
mod evaluate;
mod install;
mod instructions;
mod interruption;
mod kernels;
mod models;
mod peers;
mod runtime;
mod soak;
mod suite;
mod test;
mod toolchain;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Build, test and show Wardtap")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the kernel programs, then the `wardtap` binary with them inside
    Build(ebpf::Arguments),
    /// Build, check format, lints and licences, run all tests
    Test(test::Arguments),
    /// Show a hospital at work and what the sensor sees of it
    Demo(demo::Arguments),
    /// Measure the kernel's packet path and the replay of a capture
    Bench(bench::Arguments),
    /// Measure Wardtap beside Suricata, tshark, nfstream and softflowd, over one capture
    Compare(compare::Arguments),
    /// Boot older kernels in QEMU, and run programs, daemon and tests there
    Kernels(kernels::Arguments),
    /// Measure how well attacks are found, and how often an alert is false
    Evaluate(evaluate::Arguments),
    /// Put one daemon through faults and floods while a hospital works on
    Soak(soak::Arguments),
    /// Ask real receivers what they make of many exchanges, plain and odd, and compare with the sensor
    Differential(differential::Arguments),
    /// Compare what the sensor says of captures with the test suites of Zeek, Suricata, nDPI and Community ID
    Peers(peers::Arguments),
    /// Make the Debian package
    Dist(dist::Arguments),
    /// Fetch the ONNX Runtime that models run in, once; tests and demo do so by themselves
    Runtime,
    /// Make the Python environment that trains models, into target/models-venv
    Models(models::Arguments),
    /// Make the model that ships, from a simulated hospital, into models/
    Train(models::TrainArguments),
    /// Make the model of windows that ships (models/windows-v1.onnx), of simulated hospitals: about twenty minutes
    TrainWindows(models::WindowArguments),
    /// Say what this machine lacks for building, tests and demo; change nothing
    Doctor,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Build(arguments) => ebpf::build(&arguments),
        Command::Test(arguments) => test::run_all(&arguments),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Bench(arguments) => bench::run_all(&arguments),
        Command::Compare(arguments) => compare::run_all(&arguments),
        Command::Kernels(arguments) => kernels::run_all(&arguments),
        Command::Evaluate(arguments) => evaluate::run_all(&arguments),
        Command::Soak(arguments) => soak::run_all(&arguments),
        Command::Differential(arguments) => differential::run_all(&arguments),
        Command::Peers(arguments) => peers::run_all(&arguments),
        Command::Dist(arguments) => dist::run_all(&arguments),
        Command::Runtime => runtime::fetch().map(|library| println!("{}", library.display())),
        Command::Models(arguments) => models::prepare(&arguments),
        Command::Train(arguments) => models::train(&arguments),
        Command::TrainWindows(arguments) => models::train_windows(&arguments),
        Command::Doctor => doctor::run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
