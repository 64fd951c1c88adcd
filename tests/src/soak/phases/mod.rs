//! The phases. Each does something to the daemon or its surroundings for its time, undoes it, and says in a line what it
//! did; what has to hold after every phase is looked at by the caller.

mod clock;
mod disk;
mod flood;
mod interface;
mod operator;
mod ring;
mod syslog;

use anyhow::Result;

use super::stage::{Phase, Stage};

/// All of them, in their order.
pub(super) const PHASES: &[Phase] = &[
    phase("ring overrun", ring::overrun),
    phase("flow flood", flood::flows),
    phase("malformed messages", flood::malformed),
    phase("slow disk", disk::slow),
    phase("dead syslog", syslog::dead),
    phase("interface flaps", interface::flaps),
    phase("clock steps", clock::steps),
    phase("reload storm", operator::reloads),
    phase("model swaps", operator::models),
    phase("memory limit", flood::memory),
];

const fn phase(name: &'static str, run: fn(&mut Stage<'_>) -> Result<String>) -> Phase {
    Phase { name, run }
}
