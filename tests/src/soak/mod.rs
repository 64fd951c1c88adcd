//! Faults and floods, one after another, against one daemon that has to outlive them all, while a hospital works on:
//! `cargo xtask soak`. `docs/soak.md` says what is done in each phase and what has to hold.

mod account;
mod care;
mod disk;
mod frames;
mod memory;
mod phases;
mod report;
mod seen;
mod siem;
mod site;
mod spray;

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, ensure};

use crate::{hospital::Hospital, wait::wait_for};
use account::Account;
use care::Care;
use frames::{Connection, Dice};
use phases::PHASES;
use seen::Seen;
use site::Site;

pub use disk::remove_leftovers;
pub use memory::Memory;
pub use report::{Report, Row};

/// Every phase comes so often: what is bounded fills in the first rounds, and grows no more in the last.
const ROUNDS: u32 = 3;
/// Time after a phase in which the account has to become exact.
const SETTLE: Duration = Duration::from_mins(1);
/// Time until what was done is in the events, where nothing can be waited for.
const LATE: Duration = Duration::from_secs(5);
/// Malformed messages in a run of the usual time.
const MALFORMED: u64 = 1_000_000;
/// How long all phases together take in an ordinary run.
const USUAL: Duration = Duration::from_mins(20);

/// What is run, and with what.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// The daemon's binary.
    pub daemon: &'a Path,
    /// Files, logs and the disk of the run; made anew.
    pub folder: &'a Path,
    /// What the namespaces' names begin with.
    pub prefix: &'a str,
    /// How long the phases take in all; what settles between them comes on top.
    pub time: Duration,
    /// One phase instead of all.
    pub only: Option<&'a str>,
    /// Asked between two phases whether to go on.
    pub check: &'a dyn Fn() -> Result<()>,
}

/// The names of the phases.
#[must_use]
pub fn names() -> Vec<&'static str> {
    PHASES.iter().map(|phase| phase.name).collect()
}

/// What a phase has to do with.
struct Stage<'a> {
    site: Site<'a>,
    care: &'a Care,
    seen: Seen,
    /// The phase's own time.
    time: Duration,
    /// Malformed messages that the phase sends.
    malformed: u64,
    /// Connections and sources of random numbers so far: none is used twice.
    used: u16,
}

/// Runs the phases; what became of them.
///
/// # Errors
/// When the hospital or the daemon does not start, or a signal came. What does not hold in a phase is in the report.
pub fn run(options: &Options<'_>) -> Result<Report> {
    let hospital = Hospital::build(options.prefix)?;
    let care = Care::prepare(&hospital, &options.folder.join("hospital"))?;
    let site = Site::start(&hospital, options)?;
    let seen = Seen::follow(&site.events());
    let chosen: Vec<_> = PHASES
        .iter()
        .filter(|phase| options.only.is_none_or(|only| only == phase.name))
        .collect();
    ensure!(!chosen.is_empty(), "there is no such phase");
    let runs = ROUNDS * u32::try_from(chosen.len())?;
    let share = options.time.as_secs_f64() / USUAL.as_secs_f64();
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of messages, about"
    )]
    let malformed = (MALFORMED as f64 * share.min(1.0)) as u64 / u64::from(ROUNDS);
    let mut stage = Stage {
        site,
        care: &care,
        seen,
        time: options.time / runs,
        malformed,
        used: 0,
    };
    let mut report = Report::default();
    let done = thread::scope(|scope| {
        let messages = scope.spawn(|| care.messages(&hospital));
        let images = scope.spawn(|| care.images(&hospital));
        let done = rounds(&mut stage, &chosen, options, &mut report);
        care.stop();
        for (who, worker) in [("engine", messages), ("modality", images)] {
            let ended = worker.join().map_err(|_| anyhow!("the {who} panicked"))?;
            ended.with_context(|| format!("the {who} could not work"))?;
        }
        done
    });
    done?;
    report.end = Some(end(stage).map_err(|error| format!("{error:#}")));
    Ok(report)
}

fn rounds(
    stage: &mut Stage<'_>,
    chosen: &[&phases::Phase],
    options: &Options<'_>,
    report: &mut Report,
) -> Result<()> {
    // Servers and connections come up.
    wait_for("the first messages and images", SETTLE, || {
        let (messages, images) = stage.care.done();
        (messages > 0 && images > 0).then_some(())
    })?;
    let mut before = stage
        .settle(&Account::default())
        .context("before the first phase")?;
    for round in 1..=ROUNDS {
        for phase in chosen {
            (options.check)()?;
            println!("round {round}: {}, {} s", phase.name, stage.time.as_secs());
            let row = stage.phase(phase, round, &mut before)?;
            println!("{}", row.words());
            let alive = stage.site.daemon.ended()?.is_none();
            report.rows.push(row);
            ensure!(alive, "the daemon ended:\n{}", stage.site.log_tail());
        }
        report.resting.push(stage.site.memory()?);
        if round == ROUNDS - 1 {
            let status = stage.site.status()?;
            report.full = account::number(&status, "/detection/evicted") > 0;
        }
    }
    report.limit = memory::LIMIT;
    Ok(())
}

impl Stage<'_> {
    /// A number that was not used before.
    fn unused(&mut self) -> u16 {
        self.used += 1;
        self.used
    }

    /// A new connection of HL7, into the second interface.
    fn connection(&mut self) -> Connection {
        Connection::of_hl7(self.unused())
    }

    /// Random numbers of this phase's own.
    fn dice(&mut self) -> Dice {
        Dice::new(u64::from(self.unused()) << 32)
    }

    /// Runs a phase, lets everything settle, and draws up the account.
    fn phase(&mut self, phase: &phases::Phase, round: u32, before: &mut Account) -> Result<Row> {
        self.site.forget_peak()?;
        let start = Instant::now();
        let done = (phase.run)(self);
        let seconds = start.elapsed().as_secs();
        let still = done.and_then(|note| {
            // New messages and images, after the fault, are seen too.
            let (messages, images) = self.care.done();
            wait_for("care to go on after the fault", SETTLE, || {
                let now = self.care.done();
                (now.0 > messages && now.1 > images).then_some(())
            })?;
            Ok(note)
        });
        let settled = self.settle(before);
        let memory = self.site.memory().unwrap_or_default();
        let mut row = Row {
            name: phase.name,
            round,
            seconds,
            memory,
            ..Row::default()
        };
        match settled {
            Ok(after) => {
                row.between(before, &after);
                *before = after;
            }
            Err(error) => {
                row.wrong.push(format!("{error:#}"));
                // The next phase is not to blame for it. What was done a moment ago may not be in the events yet.
                let _pause = self.care.pause();
                thread::sleep(LATE);
                if let Ok(after) = self.site.account(self.care, &self.seen) {
                    row.between(before, &after);
                    *before = after;
                }
            }
        }
        match still {
            Ok(note) => row.note = note,
            Err(error) => row.wrong.push(format!("{error:#}")),
        }
        if memory.peak_rss > memory::LIMIT {
            row.wrong
                .push("it took more memory than allowed".to_owned());
        }
        Ok(row)
    }

    /// Stops care for a moment, until every frame, event and message is where it belongs.
    ///
    /// # Errors
    /// What is not, when the time is over.
    fn settle(&mut self, before: &Account) -> Result<Account> {
        let _pause = self.care.pause();
        let account = self.exact(before)?;
        let work = account.since(before);
        if work.care == work.care_seen {
            return Ok(account);
        }
        // Something of care was lost, or is only late.
        thread::sleep(LATE);
        self.exact(before)
    }

    fn exact(&self, before: &Account) -> Result<Account> {
        let mut wrong = Vec::new();
        wait_for("an exact account", SETTLE, || {
            let account = self.site.account(self.care, &self.seen);
            match account {
                Ok(account) => {
                    wrong = account.wrong(before);
                    wrong.is_empty().then_some(account)
                }
                Err(error) => {
                    wrong = vec![format!("{error:#}")];
                    None
                }
            }
        })
        .with_context(|| wrong.join("; "))
    }
}

/// Ends the daemon in order; what is left of it has to be whole.
fn end(stage: Stage<'_>) -> Result<String> {
    let Stage { mut site, seen, .. } = stage;
    let outputs = site.outputs()?;
    site.daemon_stop()?;
    let mut said = vec![site.verify_trail()?, site.check_store()?];
    let lines = seen.finish()?;
    said.push(format!(
        "{lines} lines of events, each whole (delivered before the end: {outputs})"
    ));
    Ok(said.join("; "))
}
