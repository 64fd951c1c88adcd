//! A list of which one row is chosen.

use std::net::IpAddr;

use sensor_facts::{alert::Alert, rule::RuleId};
use sensor_sessions::inventory::HostReport;

use crate::control::api::RuleView;

/// What has a name that stays when other rows come and go.
pub(super) trait Named {
    type Name: Copy + PartialEq;

    fn name(&self) -> Self::Name;
}

impl Named for Alert {
    type Name = u64;

    fn name(&self) -> u64 {
        self.id
    }
}

impl Named for RuleView {
    type Name = RuleId;

    fn name(&self) -> RuleId {
        self.rule.id
    }
}

/// A device, and what it does now.
#[derive(Debug)]
pub(super) struct Device {
    pub(super) host: HostReport,
    /// Bytes a second, both ways; none before it was seen twice.
    pub(super) rate: Option<f64>,
    /// An alert about it goes on, or nothing is learnt of it.
    pub(super) suspected: bool,
}

impl Named for Device {
    type Name = IpAddr;

    fn name(&self) -> IpAddr {
        self.host.address
    }
}

/// Rows, of which one is chosen. The choice stays with the thing, not with the place: what is done to it must not hit
/// another that has come there.
#[derive(Debug)]
pub(super) struct List<T: Named> {
    /// The rows; none before the daemon was asked.
    pub(super) rows: Option<Vec<T>>,
    /// Rows that the daemon has.
    pub(super) total: usize,
    /// Place of the chosen row.
    pub(super) at: usize,
    chosen: Option<T::Name>,
}

impl<T: Named> Default for List<T> {
    fn default() -> Self {
        Self {
            rows: None,
            total: 0,
            at: 0,
            chosen: None,
        }
    }
}

impl<T: Named> List<T> {
    /// Takes the rows as they are now. If the chosen one is gone, its neighbour is chosen.
    pub(super) fn take(&mut self, rows: Vec<T>, total: usize) {
        let found = self
            .chosen
            .and_then(|name| rows.iter().position(|row| row.name() == name));
        self.rows = Some(rows);
        self.total = total;
        self.choose(found.unwrap_or(self.at));
    }

    /// Chooses the row at this place, or the last.
    pub(super) fn choose(&mut self, at: usize) {
        let rows = self.rows.as_deref().unwrap_or_default();
        self.at = at.min(rows.len().saturating_sub(1));
        self.chosen = rows.get(self.at).map(Named::name);
    }

    /// The chosen row.
    pub(super) fn chosen(&self) -> Option<&T> {
        self.rows.as_deref()?.get(self.at)
    }
}
