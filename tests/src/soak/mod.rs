//! Faults and floods, one after another, against one daemon that has to outlive them all, while a hospital works on:
//! `cargo xtask soak`. `docs/soak.md` says what is done in each phase and what has to hold.

mod account;
pub mod attacker;
mod care;
mod disk;
mod frames;
pub(crate) mod memory;
mod options;
mod phases;
mod report;
mod seen;
mod siem;
mod site;
mod spray;
mod stage;

use std::{thread, time::Duration};

use anyhow::{Context, Result, anyhow, ensure};

use crate::{hospital::Hospital, wait::wait_for};
use account::Account;
use care::Care;
use phases::PHASES;
use seen::Seen;
use site::Site;
use stage::{Phase, SETTLE, Stage};

pub use disk::remove_leftovers;
pub use memory::Memory;
pub use options::Options;
pub use report::{Report, Row};

/// Every phase comes so often: what is bounded fills in the first rounds, and grows no more in the last.
const ROUNDS: u32 = 3;
/// Malformed messages in a run of the usual time.
const MALFORMED: u64 = 1_000_000;
/// How long all phases together take in an ordinary run.
const USUAL: Duration = Duration::from_mins(20);

/// The names of the phases.
#[must_use]
pub fn names() -> Vec<&'static str> {
    PHASES.iter().map(|phase| phase.name).collect()
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
    chosen: &[&Phase],
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
