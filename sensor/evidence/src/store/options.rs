//! What a store is made with.

use std::{path::PathBuf, time::Duration};

/// What a store is made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreOptions {
    /// The state directory.
    pub folder: PathBuf,
    /// Events that may wait.
    pub queue: usize,
    /// Events that are committed together at most.
    pub batch: usize,
    /// How long an event waits for others at most.
    pub wait: Duration,
    /// Flows in a file of the history at most.
    pub rows: u64,
    /// How long what is kept.
    pub keep: Keep,
}

/// How long what is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Flows.
    pub flows: Duration,
    /// Sessions of DICOM, HL7 and TLS.
    pub sessions: Duration,
    /// Counters.
    pub statistics: Duration,
    /// Who talked to whom, by the hour.
    pub contacts: Duration,
    /// Findings, alerts, rules and what people and policy did.
    pub alerts: Duration,
    /// Of all that at most so many bytes: the oldest flows go first, then sessions, counters and contacts. What is
    /// kept as [`Self::alerts`] stays.
    pub bytes: u64,
}

const DAY: Duration = Duration::from_hours(24);

impl Default for Keep {
    fn default() -> Self {
        Self {
            flows: 30 * DAY,
            sessions: 90 * DAY,
            statistics: 90 * DAY,
            contacts: 366 * DAY,
            // Six years (45 CFR 164.316(b)(2)(i)), two of them leap years.
            alerts: 2_192 * DAY,
            bytes: 20 << 30,
        }
    }
}

impl StoreOptions {
    /// A store in a state directory, with the default limits.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            queue: 65_536,
            batch: 8_192,
            wait: Duration::from_millis(250),
            rows: 1_000_000,
            keep: Keep::default(),
        }
    }
}
