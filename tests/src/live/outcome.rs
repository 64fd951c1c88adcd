//! What came out of a run, from the files that it has left.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use jiff::Timestamp;

use super::{
    judge::{self, Alert, Deed, Judged},
    table::Attack,
};

/// What came out.
pub struct Report {
    /// Each attack that ran, with what was said of it.
    pub judged: Vec<Judged>,
    /// Alerts of the quiet time.
    pub quiet: Vec<Alert>,
    /// Further alerts while attacks went on, about devices that attacked nobody.
    pub further: Vec<Alert>,
    /// When the first attack began.
    pub attacked: Timestamp,
    /// Attacks whose program is not here.
    pub missing: Vec<Attack>,
    /// Frames that were mirrored, and events that were lost.
    pub frames: (u64, u64),
}

/// Holds the alerts of a run against what was done, as the files in its folder say it; alerts from `learned` on count.
///
/// # Errors
/// When a file is missing or damaged.
pub fn read(
    folder: &Path,
    deeds: &[Deed],
    learned: Timestamp,
    missing: Vec<Attack>,
) -> Result<Report> {
    let text = |name: &str| {
        let path = folder.join(name);
        fs::read_to_string(&path).with_context(|| path.display().to_string())
    };
    // Of the events, only findings are needed; there may be hundreds of thousands of others.
    let events = text("sensor/events.jsonl")?;
    let findings = events
        .lines()
        .filter(|line| line.contains("\"event_type\":\"finding\""));
    let findings: Vec<_> = findings
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    let alerts = Alert::all(&serde_json::from_str(&text("alerts.json")?)?, &findings)?;
    let first = deeds.iter().map(|deed| deed.time.0).min();
    let attacked = first.context("nothing was done")?;
    let (judged, further) = judge::judge(deeds, &alerts, attacked);
    let quiet = |alert: &&Alert| alert.opened >= learned && alert.opened < attacked;
    Ok(Report {
        judged,
        quiet: alerts.iter().filter(quiet).cloned().collect(),
        further,
        attacked,
        missing,
        frames: counted(&serde_json::from_str(&text("status.json")?)?),
    })
}

fn counted(status: &serde_json::Value) -> (u64, u64) {
    let frames = status["interfaces"][0]["counters"]["packets"].as_u64();
    let ring = status["ring"].as_array().into_iter().flatten();
    let lost = ring.filter_map(|kind| kind["lost"].as_u64()).sum();
    (frames.unwrap_or_default(), lost)
}
