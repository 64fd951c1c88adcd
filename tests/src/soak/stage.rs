//! What a phase works with, and how one is run.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

use super::{
    account::Account,
    care::Care,
    frames::{Connection, Dice},
    memory,
    report::Row,
    seen::Seen,
    site::Site,
};
use crate::wait::wait_for;

/// Time after a phase in which the account has to become exact.
pub(super) const SETTLE: Duration = Duration::from_mins(1);
/// Time until what was done is in the events, where nothing can be waited for.
const LATE: Duration = Duration::from_secs(5);

/// A part of each round, in which one thing is made hard for the daemon.
pub(super) struct Phase {
    /// Its name, as `--only` takes it and the report has it.
    pub(super) name: &'static str,
    /// Does it; what was done, in a line.
    pub(super) run: fn(&mut Stage<'_>) -> Result<String>,
}

/// What a phase has to do with.
pub(super) struct Stage<'a> {
    pub(super) site: Site<'a>,
    pub(super) care: &'a Care,
    pub(super) seen: Seen,
    /// The phase's own time.
    pub(super) time: Duration,
    /// Malformed messages that the phase sends.
    pub(super) malformed: u64,
    /// Connections and sources of random numbers so far: none is used twice.
    pub(super) used: u16,
}

impl Stage<'_> {
    /// A number that was not used before.
    pub(super) fn unused(&mut self) -> u16 {
        self.used += 1;
        self.used
    }

    /// A new connection of HL7, into the second interface.
    pub(super) fn connection(&mut self) -> Connection {
        Connection::of_hl7(self.unused())
    }

    /// Random numbers of this phase's own.
    pub(super) fn dice(&mut self) -> Dice {
        Dice::new(u64::from(self.unused()) << 32)
    }

    /// Runs a phase, lets everything settle, and draws up the account.
    pub(super) fn phase(&mut self, phase: &Phase, round: u32, before: &mut Account) -> Result<Row> {
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
    pub(super) fn settle(&mut self, before: &Account) -> Result<Account> {
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
