//! `cargo xtask test`: everything that must hold before a change is taken.

use std::{
    io::{BufRead, BufReader, Write, stdout},
    process::Stdio,
};

use anyhow::{Context, Result, bail, ensure};

use crate::{
    ebpf,
    install::{self, PEERS, RECEIVERS},
    kernels, models, runtime,
    workspace::{cargo_command, in_ci, line, output, run},
};

/// The checker of licences, sources and advisories.
pub(crate) const DENY: &str = "cargo-deny";
const DENY_VERSION: &str = "0.20.2";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Run the tests only: no format, lint or licence checks, no guest with an old kernel
    #[arg(long)]
    quick: bool,
    /// Arguments for `cargo test`, after `--`
    #[arg(last = true)]
    cargo_test: Vec<String>,
}

/// `cargo xtask test`.
pub(crate) fn run_all(arguments: &Arguments) -> Result<()> {
    if !arguments.quick {
        // What fails fastest, first.
        run(cargo_command("fmt").args(["--all", "--check"]))
            .context("the code is not formatted: run `cargo fmt`")?;
    }
    install::programs(PEERS)?;
    install::programs(RECEIVERS)?;
    install::python()?;
    install::prometheus()?;
    models::environment(models::KERAS)?;
    runtime::fetch()?;
    ebpf::objects()?;
    ebpf::daemon(false)?;
    if !arguments.quick {
        println!("checking lints");
        run(cargo_command("clippy")
            .args(["--quiet", "--workspace", "--all-targets"])
            .args(["--", "--deny", "warnings"]))?;
        licences()?;
    }
    let tally = tests(&arguments.cargo_test)?;
    ensure!(tally.succeeded, "tests failed");
    if !arguments.quick && arguments.cargo_test.is_empty() {
        println!("the oldest kernel, in a guest");
        kernels::oldest()?;
    }
    Ok(())
}

/// The version of cargo-deny that is here.
pub(crate) fn deny_version() -> Option<String> {
    output(DENY, &["--version"]).map(|text| text.trim().to_owned())
}

fn licences() -> Result<()> {
    if deny_version().is_none() {
        install::cargo_package(
            DENY,
            DENY_VERSION,
            "it checks licences and sources; about two minutes",
        )?;
    }
    println!("checking licences and sources");
    let deny = |what: &[&str]| {
        let mut command = cargo_command("deny");
        command.args(["--log-level", "error", "check"]).args(what);
        command
    };
    run(&mut deny(&[
        "--hide-inclusion-graph",
        "licenses",
        "bans",
        "sources",
    ]))?;
    // The database of advisories is a git repository, which not every builder can reach.
    let fetched = cargo_command("deny")
        .args(["--log-level", "off", "fetch", "db"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if fetched {
        run(&mut deny(&["--disable-fetch", "advisories"]))
    } else {
        println!(
            "SKIPPED advisories: their database, https://github.com/RustSec/advisory-db, can't be reached"
        );
        Ok(())
    }
}

/// What the runners' summaries say, in sum.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    passed: usize,
    failed: usize,
    skipped: usize,
    succeeded: bool,
}

fn tests(arguments: &[String]) -> Result<Tally> {
    let (cargo, runner) = match arguments.iter().position(|argument| argument == "--") {
        Some(at) => (&arguments[..at], &arguments[at + 1..]),
        None => (arguments, &[][..]),
    };
    let mut command = cargo_command("test");
    if !cargo
        .iter()
        .any(|argument| argument == "-p" || argument.starts_with("--package"))
    {
        command.arg("--workspace");
    }
    if in_ci() {
        command.arg("--locked");
    }
    // The output of tests that passed is shown too, since some of them say that they were skipped.
    command
        .arg("--no-fail-fast")
        .args(cargo)
        .args(["--", "--show-output"])
        .args(runner)
        .stdout(Stdio::piped());
    println!("running {}", line(&command));
    let mut child = command.spawn().context("can't start cargo test")?;
    let lines = child.stdout.take().context("cargo test has no output")?;
    let mut counter = Counter::default();
    for line in BufReader::new(lines).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        writeln!(stdout(), "{line}")?;
        counter.read(&line);
    }
    let succeeded = child.wait()?.success();
    let tally = Tally {
        succeeded,
        ..counter.tally()
    };
    if tally.passed + tally.failed + tally.skipped == 0 && succeeded {
        bail!("no test matches {}", arguments.join(" "));
    }
    println!(
        "{} passed, {} failed, {} skipped",
        tally.passed, tally.failed, tally.skipped
    );
    Ok(tally)
}

/// Reads the runner's lines.
#[derive(Default)]
struct Counter {
    passed: usize,
    failed: usize,
    ignored: usize,
    /// Passed tests in whose output a line begins with `SKIPPED`.
    skipped: usize,
    section_skipped: bool,
}

impl Counter {
    fn read(&mut self, line: &str) {
        if line.starts_with("---- ") {
            self.section_skipped = false;
        } else if line.starts_with("SKIPPED") && !self.section_skipped {
            self.section_skipped = true;
            self.skipped += 1;
        } else if let Some(summary) = line.strip_prefix("test result: ") {
            self.section_skipped = false;
            let number = |what: &str| {
                summary
                    .split([';', '.'])
                    .filter_map(|part| part.trim().strip_suffix(what))
                    .find_map(|number| number.trim().parse::<usize>().ok())
                    .unwrap_or(0)
            };
            self.passed += number("passed");
            self.failed += number("failed");
            self.ignored += number("ignored");
        }
    }

    fn tally(&self) -> Tally {
        Tally {
            passed: self.passed.saturating_sub(self.skipped),
            failed: self.failed,
            skipped: self.ignored + self.skipped,
            succeeded: false,
        }
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn skipped_tests_are_not_passed_ones() {
        let output = "\
running 4 tests
test a ... ok

successes:

---- a stdout ----
SKIPPED no captures here
SKIPPED and no root

---- b stdout ----
hello

test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s
test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
";
        let mut counter = Counter::default();
        output.lines().for_each(|line| counter.read(line));
        let expected = Tally {
            passed: 3,
            failed: 2,
            skipped: 2,
            succeeded: false,
        };
        assert_eq!(counter.tally(), expected);
    }
}
