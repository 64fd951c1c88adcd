//! Waiting for a condition instead of for time.

use std::{
    env, thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

/// Time between two looks at a condition.
const INTERVAL: Duration = Duration::from_millis(20);

/// How many times longer a wait may take than on a real machine: set in guests without hardware acceleration.
const PATIENCE: &str = "WARDTAP_TEST_PATIENCE";

/// Looks at `condition` until it gives something.
///
/// # Errors
/// When `limit` has passed; `what` says what was waited for.
pub fn wait_for<T>(
    what: &str,
    limit: Duration,
    mut condition: impl FnMut() -> Option<T>,
) -> Result<T> {
    let patience = env::var(PATIENCE).ok().and_then(|n| n.parse::<u32>().ok());
    let limit = limit * patience.unwrap_or(1);
    let start = Instant::now();
    loop {
        if let Some(found) = condition() {
            return Ok(found);
        }
        if start.elapsed() > limit {
            bail!("waited {limit:?} in vain for {what}");
        }
        thread::sleep(INTERVAL);
    }
}
