//! How many alerts there are: for status and metrics.

use std::net::IpAddr;

use sensor_facts::{
    alert::{Alert, Severity},
    time::Time,
};
use serde::{Deserialize, Serialize};

use super::Alerts;

/// An alert in a line.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Headline {
    /// Its number.
    pub id: u64,
    /// How urgent.
    pub severity: Severity,
    /// The device that it is about.
    pub device: IpAddr,
    /// What it says first.
    pub title: String,
    /// When its first finding was made.
    pub opened: Time,
    /// It goes on.
    pub open: bool,
}

/// All alerts at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Alerts raised since the start, by severity when they opened.
    pub raised: [u64; Severity::ALL.len()],
    /// Of these, and of those from before the start, those that go on, by severity now.
    pub open: [u64; Severity::ALL.len()],
    /// Alerts that are listed as suppressed, because the budget was used up.
    pub suppressed: u64,
    /// Alerts suppressed since the start when they opened; some may have come back since.
    pub suppressed_ever: u64,
    /// Alerts that made room for others since the start.
    pub evicted: u64,
    /// Findings that were excepted since the start.
    pub excepted: u64,
    /// Of these, findings that would have been of high or critical severity.
    pub excepted_high: u64,
    /// Exceptions in force.
    pub exceptions: u64,
    /// Episodes that are not sure enough to be told.
    pub doubtful: u64,
    /// The last alert that people were told of.
    pub last: Option<Headline>,
}

impl Headline {
    fn of(alert: &Alert) -> Self {
        Self {
            id: alert.id,
            severity: alert.severity,
            device: alert.device,
            title: alert.title.clone(),
            opened: alert.opened,
            open: alert.closed.is_none(),
        }
    }
}

impl Alerts {
    /// How many alerts there are.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let mut open = [0; Severity::ALL.len()];
        let mut doubtful = 0;
        for episode in self.episodes.values() {
            if episode.id == 0 {
                doubtful += 1;
            } else if !episode.suppressed {
                open[episode.severity as usize] += 1;
            }
        }
        Standing {
            raised: self.raised,
            open,
            suppressed: self.suppressed(),
            suppressed_ever: self.suppressed_ever,
            evicted: self.evicted,
            excepted: self.excepted().0,
            excepted_high: self.excepted().1,
            exceptions: self.exceptions().len() as u64,
            doubtful,
            last: self.all().find(|one| !one.suppressed).map(Headline::of),
        }
    }
}
