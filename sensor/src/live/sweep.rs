//! The pace of the sweeper, and the account of the flows.

use sensor_common::counter::{Counter, Counters};
use sensor_kernel::{FlowTables, KernelError, SweepItem, SweepStats, TableSizes};

use super::snapshot::FlowAccount;

/// Turns in which a pass over all tables should be done.
const PASS: u64 = 30;
/// Entries that a batch reads at most.
const BATCH: u64 = 4_096;
/// Batches that a pass takes beside the full ones: the last of each table.
const LAST_BATCHES: u64 = 4;

/// Passes over the tables, and what they found.
#[derive(Debug)]
pub(crate) struct Sweep {
    batches: u64,
    pass: SweepStats,
    running: bool,
    begin: Flows,
    account: FlowAccount,
    /// Flows that are in the kernel's counters and were ended by earlier daemons, known from the first
    /// complete pass on.
    before: Option<u64>,
    failed: bool,
}

/// What the kernel counted of flows.
#[derive(Clone, Copy, Debug, Default)]
struct Flows {
    created: u64,
    replaced: u64,
    established: u64,
}

impl Flows {
    fn of(counters: &[Counters]) -> Self {
        let sum = |counter| counters.iter().map(|one| one.get(counter)).sum();
        Self {
            created: sum(Counter::FlowCreated),
            replaced: sum(Counter::FlowReplaced),
            established: sum(Counter::FlowEstablished),
        }
    }
}

impl Sweep {
    /// `inherited`: the kernel's counters hold an earlier daemon's time too.
    pub(crate) fn new(sizes: &TableSizes, inherited: bool) -> Self {
        let entries = [
            sizes.established4,
            sizes.established6,
            sizes.fresh4,
            sizes.fresh6,
        ];
        let entries: u64 = entries.into_iter().map(u64::from).sum();
        Self {
            batches: (entries.div_ceil(BATCH) + LAST_BATCHES).div_ceil(PASS),
            pass: SweepStats::default(),
            running: false,
            begin: Flows::default(),
            account: FlowAccount::default(),
            before: (!inherited).then_some(0),
            failed: false,
        }
    }

    /// True if a pass is about to begin, which takes the counters of its begin.
    pub(crate) const fn needs_counters(&self) -> bool {
        !self.running
    }

    pub(crate) fn begin(&mut self, counters: &[Counters]) {
        self.begin = Flows::of(counters);
        self.pass = SweepStats::default();
        self.running = true;
    }

    /// Sweeps a piece of the tables.
    pub(crate) fn turn(
        &mut self,
        tables: &mut FlowTables,
        now: u64,
        mut on: impl FnMut(SweepItem),
    ) {
        for _ in 0..self.batches {
            if self.pass.complete {
                return;
            }
            let result = tables.sweep(now, &mut on);
            self.note(&result);
            if let Ok(stats) = result {
                self.pass.visited += stats.visited;
                self.pass.removed += stats.removed;
                self.pass.complete = stats.complete;
                self.account.swept += stats.removed;
            }
        }
    }

    /// Says once that the tables can't be read, and once that they can again.
    fn note(&mut self, result: &Result<SweepStats, KernelError>) {
        match result {
            Err(error) if !self.failed => {
                self.failed = true;
                tracing::error!("the flow tables can't be swept: {error}");
            }
            Ok(_) if self.failed => {
                self.failed = false;
                tracing::warn!("the flow tables are swept again");
            }
            _ => {}
        }
    }

    /// True if the pass has seen all tables: its account is due.
    pub(crate) const fn is_complete(&self) -> bool {
        self.pass.complete && self.running
    }

    /// Draws up the account at the end of a pass.
    pub(crate) fn end(&mut self, counters: &[Counters]) {
        self.running = false;
        let end = Flows::of(counters);
        self.account.live = self.pass.visited.saturating_sub(self.pass.removed);
        // Flows go on being made, ended and moved during a pass: made since its begin may be in the
        // tables or not, and one that moved to the established table behind the sweeper was not
        // seen. What is certain in spite of that is counted; at rest it is exact.
        let moved = end.established - self.begin.established.min(end.established);
        self.evicted(self.begin.created, end.replaced, moved);
    }

    /// Draws up the account when the tables were emptied.
    pub(crate) fn drained(&mut self, counters: &[Counters], stats: SweepStats) {
        let end = Flows::of(counters);
        self.account.swept += stats.removed;
        self.account.live = 0;
        self.evicted(end.created, end.replaced, 0);
    }

    fn evicted(&mut self, created: u64, replaced: u64, moved: u64) {
        let elsewhere = self.account.swept + replaced + self.account.live + moved;
        let gone = created.saturating_sub(elsewhere);
        let certain = gone.saturating_sub(*self.before.get_or_insert(gone));
        self.account.evicted = self.account.evicted.max(certain);
    }

    pub(crate) const fn account(&self) -> FlowAccount {
        self.account
    }
}
