//! At the start, the rules of the audit trail are put in force, and differences in the kernel are corrected and logged.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
};

use sensor_evidence::audit::{Journal, JournalError, Recovery, Summaries, Trail, TrailOptions};
use sensor_facts::{
    action::{Action, Cause},
    clock,
    rule::{Actor, RuleId},
    target::Protected,
    time::Time,
};
use sensor_kernel::{KernelError, RuleTables};

use super::{
    Book,
    keeper::{ClinicalOf, Keeper, order},
};

/// Two ends of a rule that are so close are the same, measured on two clocks; nanoseconds.
const SAME_END: u64 = 2_000_000_000;

/// Why containment can't begin.
#[derive(Debug, thiserror::Error)]
pub enum AdoptError {
    /// The audit trail.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The kernel.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// No thread for the trail.
    #[error("can't start the audit trail's thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// What was found at the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Adoption {
    /// What the kernel had otherwise than the trail says, in words; it was put right.
    pub differences: Vec<String>,
    /// Rules in force.
    pub rules: usize,
    /// What was done to open the trail.
    pub recovery: Recovery,
}

impl Keeper {
    /// Reads the last segment of the trail in `folder`, which goes on as `options` say, and makes the kernel's rules and
    /// never-block list, with what `protected` adds to it, what the trail says.
    ///
    /// # Errors
    /// [`AdoptError`] says what to do.
    pub fn adopt(
        folder: &Path,
        options: TrailOptions,
        tables: RuleTables,
        protected: &[Protected],
        clinical: ClinicalOf,
    ) -> Result<(Self, Adoption), AdoptError> {
        let mut book = Book::default();
        let (journal, recovery) = Journal::open(folder, |entry| {
            book.apply(entry.time, &entry.actor, &entry.action);
        })?;
        let mut keeper = Self {
            tables,
            summaries: Summaries::new(options.summary),
            trail: Trail::start(journal, options)?,
            undo: None,
            book,
            timebase: clock::timebase(),
            effects: HashMap::new(),
            since: HashMap::new(),
            reset: HashSet::new(),
            clinical,
            done: Vec::new(),
        };
        let mut adoption = Adoption {
            recovery,
            ..Adoption::default()
        };
        keeper.book.configure(protected, keeper.now());
        // After a reboot, or an end in order, the kernel has nothing to compare with.
        let found = !keeper.tables.is_fresh();
        let wanted: Vec<_> = keeper.book.protected().map(|entry| entry.what).collect();
        let (added, removed) = keeper.tables.protect_exactly(wanted)?;
        if found && added + removed > 0 {
            adoption.differences.push(format!(
                "the kernel's never-block list lacked {added} entries and had {removed} too many"
            ));
        }
        keeper.adopt_rules(found, &mut adoption)?;
        adoption.rules = keeper.book.len();
        Ok((keeper, adoption))
    }

    fn adopt_rules(&mut self, found: bool, adoption: &mut Adoption) -> Result<(), AdoptError> {
        let unknown: Vec<RuleId> = self
            .tables
            .ids()
            .filter(|id| self.book.rule(*id).is_none())
            .collect();
        for id in unknown {
            self.tables.remove(id)?;
            adoption.differences.push(format!(
                "rule {id} was in the kernel and nobody was told so: removed"
            ));
        }
        let now = clock::monotonic();
        for rule in self.book.rules().cloned().collect::<Vec<_>>() {
            // The kernel's clock does not jump; of two ends the earlier is the safer.
            let by_trail = self.engine(rule.expires);
            let expires = match self.tables.expires(rule.id) {
                Some(there) if there.abs_diff(by_trail) <= SAME_END => there,
                Some(there) => there.min(by_trail),
                None => by_trail,
            };
            if expires <= now {
                self.tables.remove(rule.id)?;
                let reason = "its time was over while no daemon ran".to_owned();
                let cause = Cause::Expired;
                let id = rule.id;
                self.record(&Actor::Daemon, Action::RuleRemoved { id, cause, reason });
                continue;
            }
            // A rule that keeps clinical traffic keeps at least what it kept.
            let clinical = (self.clinical)(&rule.target);
            let wanted = order(&rule, expires, &clinical);
            if let Some(what) = self.tables.difference(&wanted) {
                if found {
                    adoption.differences.push(format!(
                        "rule {} was {what} in the kernel: put right",
                        rule.id
                    ));
                }
                self.tables.put(&wanted)?;
            }
            self.since.insert(rule.id, now);
        }
        Ok(())
    }

    /// Writes down that the daemon listens.
    pub fn started(&mut self, config: String, interfaces: Vec<String>, adoption: &Adoption) {
        let mut differences = adoption.differences.clone();
        if let Some((bytes, path)) = &adoption.recovery.torn {
            differences.push(format!(
                "the trail's last {bytes} bytes were not written to their end, they are in {}",
                path.display()
            ));
        }
        for difference in &differences {
            tracing::warn!("{difference}");
        }
        self.record(
            &Actor::Daemon,
            Action::Started {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                config,
                interfaces,
                differences,
                rules: adoption.rules,
            },
        );
    }

    /// Writes down that the daemon ends in order.
    pub fn stopped(&mut self) {
        self.summarise_all();
        self.record(&Actor::Daemon, Action::Stopped);
    }

    /// Follows the wall clock.
    pub fn follow_clock(&mut self) {
        self.timebase = clock::timebase();
    }

    /// The wall clock now.
    #[must_use]
    pub fn time(&self) -> Time {
        self.now()
    }
}
