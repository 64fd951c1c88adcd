//! What the report is made from.

use std::{
    collections::{BTreeMap, VecDeque},
    path::Path,
};

use sensor_analysis::{detect::Detect, exposure::Exposure};
use sensor_facts::{action::Action, alert::Alert, contact::Contact, time::Time};
use sensor_sessions::{inventory::HostReport, pipeline::PipelineOptions};

use super::TrailState;
use crate::audit::{self, Entry};

/// Entries of the trail that a report takes into account, the last ones.
pub const ENTRIES_MAX: usize = 200_000;

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
    /// Counters.
    pub counted: &'a Counted,
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

/// Counters of a time: how much they rose, and when they were taken. They are many, so they are not kept.
#[derive(Clone, Debug, Default)]
pub struct Counted {
    last: BTreeMap<String, u64>,
    pub(super) times: Vec<Time>,
    pub(super) rises: BTreeMap<String, u64>,
    /// The counters of the first time.
    pub(super) first: BTreeMap<String, u64>,
}

impl Counted {
    /// Takes counters that are later than those before. One that fell began anew, from 0.
    pub fn add(&mut self, time: Time, counters: BTreeMap<String, u64>) {
        if self.times.is_empty() {
            self.first.clone_from(&counters);
        } else {
            for (name, now) in &counters {
                let before = self.last.get(name).copied().unwrap_or(0);
                let rise = now.checked_sub(before).unwrap_or(*now);
                *self.rises.entry(name.clone()).or_default() += rise;
            }
        }
        self.times.push(time);
        self.last = counters;
    }
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
    /// Verifies the trail of a state directory and takes what a report of this time needs. Waits a little for a
    /// daemon that has written entries and is about to sign them.
    #[must_use]
    pub fn read(folder: &Path, since: Time, until: Time) -> Self {
        let (taking, verified) = audit::verify_settled(
            &folder.join(audit::FILE),
            None,
            || Taking::new(since, until),
            Taking::take,
        );
        let mut this = taking.done();
        match verified {
            Ok((summary, checkpoints)) => {
                this.state.whole = true;
                this.state.head = summary.head;
                this.state.signed = checkpoints.last();
                this.state.key = checkpoints.key;
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
    within: VecDeque<Entry>,
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
            within: VecDeque::new(),
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

    fn done(self) -> Trail {
        let within = self.within.len() as u64 + self.omitted;
        let stood = self.stood.into_iter().flatten();
        Trail {
            entries: stood.chain(self.within).collect(),
            omitted: self.omitted,
            state: TrailState {
                entries: self.total,
                within,
                first: self.first,
                ..TrailState::default()
            },
        }
    }
}

impl Facts<'_> {
    /// Within the time that the report is about.
    pub(super) fn has(&self, time: Time) -> bool {
        (self.since..self.until).contains(&time)
    }
}
