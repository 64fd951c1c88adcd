//! What a test reads in the daemon's status and in its file of events.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// Packets at the first interface.
#[must_use]
pub fn packets(status: &Value) -> u64 {
    number(status, "/interfaces/0/counters/packets")
}

/// A number in JSON; the greatest there is where there is none.
#[must_use]
pub fn number(value: &Value, pointer: &str) -> u64 {
    value
        .pointer(pointer)
        .and_then(Value::as_u64)
        .unwrap_or(u64::MAX)
}

/// Offered, received and lost, all kinds together.
#[must_use]
pub fn ring(status: &Value) -> (u64, u64, u64) {
    let sum = |name: &str| -> u64 {
        let kinds = status["ring"].as_array();
        kinds
            .into_iter()
            .flatten()
            .filter_map(|kind| kind[name].as_u64())
            .sum()
    };
    (sum("offered"), sum("received"), sum("lost"))
}

/// The events of a file, each line of which has to be whole.
///
/// # Errors
/// When a line is not.
pub fn events(path: &Path) -> Result<Vec<Value>> {
    let text = fs::read_to_string(path)?;
    ensure!(
        text.is_empty() || text.ends_with('\n'),
        "half a line at the end"
    );
    text.lines()
        .map(|line| serde_json::from_str(line).with_context(|| format!("not JSON: {line}")))
        .collect()
}

/// HL7 messages among them.
#[must_use]
pub fn messages(events: &[Value]) -> usize {
    events
        .iter()
        .filter(|event| event["hl7"]["type"] == "message")
        .count()
}
