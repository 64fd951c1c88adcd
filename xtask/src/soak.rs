//! `cargo xtask soak`: faults and floods against one daemon, while a hospital works on.

use std::{
    fs,
    path::PathBuf,
    process::exit,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use nix::unistd::geteuid;
use tests::{
    netns::remove_leftovers,
    soak::{self, Options, Report},
};

use crate::{
    ebpf,
    install::{self, PEERS, Program},
    interruption::{INTERRUPTED, Interruption},
    models, runtime,
    workspace::{output, target, write_table},
};

/// What the namespaces' names begin with.
const PREFIX: &str = "wardtap-soak";

/// What it runs beside the hospital's programs.
const TOOLS: &[Program] = &[
    Program {
        name: "cc",
        package: "gcc",
        purpose: "building what gives the daemon a wall clock of its own",
    },
    Program {
        name: "mkfs.ext4",
        package: "e2fsprogs",
        purpose: "a disk of the daemon's own that can be made slow",
    },
    Program {
        name: "fsfreeze",
        package: "util-linux",
        purpose: "making it slow",
    },
];

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How long the phases take in all; what settles between them comes on top
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=600))]
    minutes: u64,
    /// One phase instead of all
    #[arg(long, value_name = "PHASE", value_parser = soak::names())]
    only: Option<String>,
    /// Write the table into docs/soak.md
    #[arg(long, conflicts_with = "only")]
    write: bool,
    /// All tricks of an attacker at once instead of the phases, for so many minutes
    #[arg(long, conflicts_with_all = ["only", "write"])]
    attacker: bool,
    /// The debug build of the daemon: quicker to build, slower, and it ends at an arithmetic overflow
    #[arg(long)]
    debug: bool,
}

/// `cargo xtask soak`.
pub(crate) fn run_all(arguments: &Arguments) -> Result<()> {
    ensure!(
        geteuid().is_root(),
        "it makes network namespaces and loads kernel programs: run it as root"
    );
    install::programs(PEERS)?;
    install::programs(TOOLS)?;
    install::python()?;
    models::environment(models::BASE)?;
    runtime::fetch()?;
    ebpf::objects()?;
    if arguments.attacker {
        return attacker(arguments);
    }
    let daemon = ebpf::daemon(!arguments.debug)?;
    // Before signals are blocked: it is made by a program.
    tests::models::made()?;
    let folder = folder()?;
    let disk = folder.join("sensor");
    let interruption = Interruption::watch(move || {
        let done = remove_leftovers(PREFIX).map(drop);
        soak::remove_leftovers(&disk);
        done
    })?;
    let start = Instant::now();
    let done = soak::run(&Options {
        daemon: &daemon,
        folder: &folder,
        prefix: PREFIX,
        time: Duration::from_secs(arguments.minutes * 60),
        only: arguments.only.as_deref(),
        check: &|| interruption.check(),
    });
    let report = match done {
        Err(error) if interruption.came() => {
            eprintln!("{error:#}; everything was removed");
            exit(INTERRUPTED)
        }
        done => done?,
    };
    println!("\n{}", report.table());
    println!("{} s in all", start.elapsed().as_secs());
    let wrong = report.wrong();
    if arguments.write {
        write(&report, start.elapsed(), arguments)?;
    }
    if !wrong.is_empty() {
        bail!("not all holds:\n{}", wrong.join("\n"));
    }
    Ok(())
}

/// The attacker's round; the daemon is the debug build, which lies beside this program.
fn attacker(arguments: &Arguments) -> Result<()> {
    ebpf::daemon(false)?;
    let folder = folder()?;
    let interruption = Interruption::watch(|| remove_leftovers(PREFIX).map(drop))?;
    let time = Duration::from_secs(arguments.minutes * 60);
    let done = soak::attacker::run(PREFIX, &folder, time, &|| interruption.check());
    if done.is_err() && interruption.came() {
        exit(INTERRUPTED);
    }
    let round = done?;
    println!("\n{round}");
    let wrong = round.wrong();
    ensure!(wrong.is_empty(), "not all holds:\n{}", wrong.join("\n"));
    Ok(())
}

/// Where files and logs go.
fn folder() -> Result<PathBuf> {
    let folder = target().join("soak");
    soak::remove_leftovers(&folder.join("sensor"));
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    Ok(folder)
}

/// Puts the table where it belongs in the document.
fn write(report: &Report, took: Duration, arguments: &Arguments) -> Result<()> {
    let said = |program: &str, arguments: &[&str]| {
        let text = output(program, arguments).unwrap_or_default();
        text.trim().to_owned()
    };
    let head = format!(
        "Run on {}, {} build, `--minutes {}`, Linux {}, {} cores; {} minutes {} seconds in all.",
        said("date", &["-u", "+%Y-%m-%d"]),
        if arguments.debug {
            "debug"
        } else {
            "optimised"
        },
        arguments.minutes,
        said("uname", &["-r"]),
        said("nproc", &[]),
        took.as_secs() / 60,
        took.as_secs() % 60
    );
    write_table("docs/soak.md", &format!("{head}\n\n{}", report.table()))
}
