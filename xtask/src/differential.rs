//! `cargo xtask differential`: real receivers judge what the sensor says of many exchanges.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use nix::unistd::geteuid;

use crate::{
    install::{self, PEERS},
    workspace::{cargo_command, root, run, target},
};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Exchanges in all; each receiver gets as many as it can take in the time
    #[arg(long, default_value_t = 100_000)]
    count: u64,
    /// The same seed makes the same exchanges
    #[arg(long, default_value_t = 19)]
    seed: u64,
    /// One receiver instead of all: storescp, dcmqrscp, pynetdicom, orthanc, python-hl7 or hl7apy
    #[arg(long, value_name = "NAME")]
    receiver: Option<String>,
    /// One exchange, by its number in the report
    #[arg(long, value_name = "NUMBER", requires = "receiver")]
    only: Option<u64>,
    /// End after this time in any case
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=600))]
    minutes: u64,
    /// Keep an example of each class of disagreements as a case of the tests
    #[arg(long)]
    keep: bool,
    /// Where the report goes, with an example of each class of disagreements
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// `cargo xtask differential`.
pub(crate) fn run_all(arguments: &Arguments) -> Result<()> {
    ensure!(
        geteuid().is_root(),
        "it makes network namespaces: run it as root"
    );
    install::programs(PEERS)?;
    install::python()?;
    install::orthanc()?;
    let report = arguments.report.clone();
    let report = report.unwrap_or_else(|| target().join("differential.md"));
    let mut command = cargo_command("test");
    command.args(["--package", "tests", "--test", "differential", "--"]);
    command.args(["--ignored", "--nocapture", "many_exchanges"]);
    let mut set = |name: &str, value: String| {
        command.env(format!("WARDTAP_DIFFERENTIAL_{name}"), value);
    };
    set("COUNT", arguments.count.to_string());
    set("SEED", arguments.seed.to_string());
    set("MINUTES", arguments.minutes.to_string());
    set(
        "REPORT",
        std::path::absolute(&report)?.display().to_string(),
    );
    if arguments.keep {
        let cases = root().join("tests/tests/differential/cases");
        set("KEEP", cases.display().to_string());
    }
    if let Some(receiver) = &arguments.receiver {
        set("RECEIVER", receiver.clone());
    }
    if let Some(only) = arguments.only {
        set("ONLY", only.to_string());
    }
    let done = run(&mut command);
    println!("the report is in {}", report.display());
    done
}
