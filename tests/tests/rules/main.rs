//! Containment as an operator has it: the real binary on both ports of a bridge, real connections through
//! it, and what of them passes.

mod crash;
mod expiry;
mod flood;
mod full_rate;
mod loss;
mod refusals;
mod targets;
mod traffic;
mod trail;

use std::{
    process::Output,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::Result;
use serde_json::Value;
use tests::{ability::privileged, passage::Passage};

const SECONDS: Duration = Duration::from_secs(10);

/// While a test has it, the others wait.
type Turn = MutexGuard<'static, ()>;

/// Builds the hosts and the bridge for a test, with `more` configuration; none where the test can't run.
///
/// Each test has daemons on two CPUs of its own, so the tests take turns. The turn has to be dropped last.
fn passage(name: &str, more: &str) -> Result<Option<(Turn, Passage)>> {
    static TURN: Mutex<()> = Mutex::new(());
    if !privileged() {
        return Ok(None);
    }
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(Some((turn, Passage::build(name, more)?)))
}

/// All that a program has printed.
fn printed(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}
