//! The suite of tests. `cargo test` runs one test binary after the other, and most of these wait for a daemon, a
//! transfer or an idle time: here several run at once.

use std::{
    collections::VecDeque,
    fmt, fs,
    io::{BufRead, BufReader, Write, stdout},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::{
        Mutex,
        mpsc::{self, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::{
    kernels,
    workspace::{cargo_command, in_ci, line, root, target},
};

/// Test binaries that run at once beyond one for each core, as most tests wait.
const MORE_JOBS: usize = 1;

/// The output of tests that passed is shown too, since some of them say that they were skipped.
const SHOW_OUTPUT: &str = "--show-output";

/// A test binary, the documentation's tests, or the guest.
struct Job {
    name: String,
    command: Command,
}

/// A job that is over.
struct Ended {
    name: String,
    output: String,
    succeeded: bool,
    took: Duration,
}

/// Runs all tests, and beside them, if it is wanted, an old kernel in a guest; false if some failed.
///
/// # Errors
/// When they can't be built or started.
pub(crate) fn all(guest: bool) -> Result<bool> {
    let mut jobs = built()?;
    if guest && let Some(command) = kernels::oldest(&target().join("debug/wardtap"))? {
        // It takes long, so it begins first also where nothing is known of the last run.
        let name = "the oldest kernel, in a guest".to_owned();
        jobs.insert(0, Job { name, command });
    }
    let mut documentation = cargo_test();
    documentation.args(["--workspace", "--doc", "--", SHOW_OUTPUT]);
    jobs.push(Job {
        name: "documentation".to_owned(),
        command: documentation,
    });
    let record = Record::read();
    jobs.sort_by_key(|job| record.rank(&job.name));
    let jobs = Mutex::new(VecDeque::from(jobs));
    let at_once = thread::available_parallelism().map_or(1, usize::from) + MORE_JOBS;
    let (ended, results) = mpsc::channel();
    let mut tally = Tally::default();
    let mut times = Vec::new();
    let mut failed = Vec::new();
    thread::scope(|scope| {
        for _ in 0..at_once {
            let (jobs, ended) = (&jobs, ended.clone());
            scope.spawn(move || work(jobs, &ended));
        }
        drop(ended);
        for job in results {
            let job = job?;
            let mut counter = Counter::default();
            writeln!(
                stdout(),
                "     Running {}, {:.1} s",
                job.name,
                job.took.as_secs_f64()
            )?;
            for line in job.output.lines() {
                counter.read(line);
            }
            stdout().write_all(job.output.as_bytes())?;
            let mut one = counter.tally();
            if !job.succeeded {
                // One that was killed has counted nothing.
                one.failed = one.failed.max(1);
                failed.push(format!("{} {}", job.name, counter.failures.join(" ")));
            }
            tally.add(&one);
            times.push((job.took, job.name));
        }
        Ok::<_, anyhow::Error>(())
    })?;
    for what in &failed {
        println!("FAILED {what}");
    }
    Record::write(times)?;
    println!("{tally}");
    Ok(failed.is_empty())
}

/// Runs `cargo test` with `arguments`; false if some tests failed.
///
/// # Errors
/// When it can't be started, or no test matches.
pub(crate) fn some(arguments: &[String]) -> Result<bool> {
    let (cargo, runner) = match arguments.iter().position(|argument| argument == "--") {
        Some(at) => (&arguments[..at], &arguments[at + 1..]),
        None => (arguments, &[][..]),
    };
    let mut command = cargo_test();
    let packages = ["-p", "--package", "--workspace"];
    if !cargo
        .iter()
        .any(|argument| packages.iter().any(|option| argument.starts_with(option)))
    {
        command.arg("--workspace");
    }
    command
        .arg("--no-fail-fast")
        .args(cargo)
        .args(["--", SHOW_OUTPUT])
        .args(runner);
    println!("running {}", line(&command));
    let (mut child, output) = start(command)?;
    let mut counter = Counter::default();
    for line in output.split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        writeln!(stdout(), "{line}")?;
        counter.read(&line);
    }
    let succeeded = child.wait()?.success();
    let tally = counter.tally();
    if succeeded && tally == Tally::default() {
        bail!("no test matches {}", arguments.join(" "));
    }
    println!("{tally}");
    Ok(succeeded)
}

/// A `cargo test` to which arguments are to be added.
fn cargo_test() -> Command {
    let mut command = cargo_command("test");
    if in_ci() {
        command.arg("--locked");
    }
    command
}

/// Starts a `cargo test`, whose output is read here.
fn start(mut command: Command) -> Result<(Child, BufReader<ChildStdout>)> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .context("can't start cargo test")?;
    let output = child.stdout.take().context("cargo test has no output")?;
    Ok((child, BufReader::new(output)))
}

/// Builds the test binaries: how each is run.
fn built() -> Result<Vec<Job>> {
    let mut command = cargo_test();
    command.args([
        "--workspace",
        "--no-run",
        "--message-format",
        "json-render-diagnostics",
    ]);
    println!("building the tests");
    let (mut child, messages) = start(command)?;
    let mut jobs = Vec::new();
    for message in messages.lines() {
        let message: Value = serde_json::from_str(&message?).context("cargo's messages")?;
        jobs.extend(job(&message));
    }
    ensure!(child.wait()?.success(), "the tests can't be built");
    Ok(jobs)
}

/// The test binary that a message of cargo's tells of.
fn job(message: &Value) -> Option<Job> {
    if message["profile"]["test"] != true {
        return None;
    }
    let executable = message["executable"].as_str()?;
    let package = Path::new(message["manifest_path"].as_str()?).parent()?;
    let source = Path::new(message["target"]["src_path"].as_str()?);
    let mut command = Command::new(executable);
    // As cargo does.
    command.arg(SHOW_OUTPUT).current_dir(package);
    Some(Job {
        name: source
            .strip_prefix(root())
            .unwrap_or(source)
            .display()
            .to_string(),
        command,
    })
}

/// Runs jobs until none is left.
fn work(jobs: &Mutex<VecDeque<Job>>, ended: &Sender<Result<Ended>>) {
    let next = || jobs.lock().ok()?.pop_front();
    while let Some(mut job) = next() {
        let begin = Instant::now();
        let result = job
            .command
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("can't start {}", job.name))
            .map(|output| Ended {
                output: [output.stdout, output.stderr]
                    .map(|text| String::from_utf8_lossy(&text).into_owned())
                    .concat(),
                succeeded: output.status.success(),
                took: begin.elapsed(),
                name: job.name,
            });
        if ended.send(result).is_err() {
            return;
        }
    }
}

/// What took longest in the last run begins first in the next, so that nothing long is left for the end.
struct Record(Vec<String>);

impl Record {
    fn path() -> PathBuf {
        target().join("tests-longest-first")
    }

    fn read() -> Self {
        let text = fs::read_to_string(Self::path()).unwrap_or_default();
        Self(text.lines().map(str::to_owned).collect())
    }

    /// The lower, the earlier: what was not there before comes first, as it may be long.
    fn rank(&self, name: &str) -> usize {
        self.0
            .iter()
            .position(|known| known == name)
            .map_or(0, |at| at + 1)
    }

    fn write(mut times: Vec<(Duration, String)>) -> Result<()> {
        times.sort_by(|a, b| b.cmp(a));
        let text: String = times.into_iter().map(|(_, name)| name + "\n").collect();
        fs::write(Self::path(), text).context("the record of the tests' times")
    }
}

/// What the runners' summaries say, in sum.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    passed: usize,
    failed: usize,
    skipped: usize,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            passed,
            failed,
            skipped,
        } = self;
        write!(out, "{passed} passed, {failed} failed, {skipped} skipped")
    }
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
    /// Names of tests that failed.
    failures: Vec<String>,
}

impl Counter {
    fn read(&mut self, line: &str) {
        if let Some(name) = line
            .strip_prefix("test ")
            .and_then(|line| line.strip_suffix(" ... FAILED"))
        {
            self.failures.push(name.to_owned());
        } else if line.starts_with("---- ") {
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
test c ... FAILED

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
        };
        assert_eq!(counter.tally(), expected);
        assert_eq!(counter.failures, ["c"]);
    }
}
