//! What the report is made from.

use std::{collections::BTreeMap, path::Path};

use super::TrailState;
use crate::{
    alert::Alert,
    audit::{self, Action, Entry, JournalError},
    config::Detect,
    event::Time,
    exposure::Exposure,
    inventory::HostReport,
    pipeline::PipelineOptions,
    store::Contact,
};

/// Entries of the trail that a report takes into account, the last ones.
pub const ENTRIES_MAX: usize = 200_000;

/// Counters at a moment.
pub type Reading = (Time, BTreeMap<String, u64>);

/// What the report is made from.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// When it is made.
    pub time: Time,
    /// Begin of the time that it is about.
    pub since: Time,
    /// End of it.
    pub until: Time,
    /// Version of the daemon.
    pub version: &'a str,
    /// The audit trail.
    pub trail: &'a Trail,
    /// Counters, the oldest first.
    pub statistics: &'a [Reading],
    /// The hosts.
    pub hosts: &'a [HostReport],
    /// Who talked to whom within the time.
    pub contacts: &'a [Contact],
    /// Alerts opened within the time.
    pub alerts: &'a [Alert],
    /// The ranking.
    pub exposure: &'a Exposure,
    /// Which addresses belong to the site.
    pub site: &'a Detect,
    /// Ports of clinical protocols over TLS.
    pub ports: &'a PipelineOptions,
    /// What could not be read, in words.
    pub missing: &'a [String],
}

/// The audit trail as far as a report needs it.
#[derive(Clone, Debug, Default)]
pub struct Trail {
    /// The entries within the time, and of those before it the last of each kind that says how things stood.
    pub entries: Vec<Entry>,
    /// Whether it is whole.
    pub state: TrailState,
    /// Entries within the time that were left out because they were too many.
    pub omitted: u64,
}

impl Trail {
    /// Verifies the trail of a state directory and takes what a report of this time needs.
    #[must_use]
    pub fn read(folder: &Path, since: Time, until: Time) -> Self {
        let path = folder.join(audit::FILE);
        let mut taking = Taking::new(since, until);
        let verified = audit::verify(&path, None, |entry| taking.take(entry));
        let (mut this, total, first) = taking.done();
        this.state.entries = total;
        this.state.first = first;
        match verified {
            Ok((summary, checkpoints)) => {
                this.state.whole = true;
                this.state.head = summary.head;
                this.state.signed = checkpoints.last();
                this.state.key = checkpoints.key;
            }
            // The daemon writes while this is read, and signs a moment later.
            Err(JournalError::Behind { signed, .. }) => {
                this.state.whole = true;
                this.state.signed = signed;
            }
            Err(error) => this.state.flaw = Some(error.to_string()),
        }
        this
    }
}

/// Entries on their way into a report.
struct Taking {
    since: Time,
    until: Time,
    /// How things stood before: the daemon, the configuration, the model.
    stood: [Option<Entry>; 2],
    within: std::collections::VecDeque<Entry>,
    omitted: u64,
    total: u64,
    first: Option<Time>,
}

impl Taking {
    fn new(since: Time, until: Time) -> Self {
        Self {
            since,
            until,
            stood: [None, None],
            within: std::collections::VecDeque::new(),
            omitted: 0,
            total: 0,
            first: None,
        }
    }

    fn take(&mut self, entry: Entry) {
        self.total += 1;
        self.first = self.first.or(Some(entry.time));
        if entry.time >= self.until {
            return;
        }
        if entry.time < self.since {
            let [started, stopped] = &mut self.stood;
            match entry.action {
                Action::Started { .. } => {
                    *started = Some(entry);
                    *stopped = None;
                }
                Action::Stopped => *stopped = Some(entry),
                _ => {}
            }
            return;
        }
        if self.within.len() == ENTRIES_MAX {
            self.within.pop_front();
            self.omitted += 1;
        }
        self.within.push_back(entry);
    }

    fn done(self) -> (Trail, u64, Option<Time>) {
        let within = self.within.len() as u64 + self.omitted;
        let stood = self.stood.into_iter().flatten();
        let trail = Trail {
            entries: stood.chain(self.within).collect(),
            omitted: self.omitted,
            state: TrailState {
                within,
                ..TrailState::default()
            },
        };
        (trail, self.total, self.first)
    }
}
