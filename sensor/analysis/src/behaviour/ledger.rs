//! What a budget of false alerts comes to: how many hours of devices reached its score of late.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
};

use serde::{Deserialize, Serialize};

/// Hours that are looked back on.
const HOURS: i64 = 24;
/// Devices that are counted in an hour.
const MOST: usize = 4_096;

/// How a budget was spent in the last 24 hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spending {
    /// False alerts a day and 1,000 devices that are acceptable.
    pub budget: f64,
    /// The same for the devices of this site.
    pub allowed: f64,
    /// Hours of devices that reached the score, whether true or false.
    pub reached: u64,
    /// Hours of devices that twice the budget would have added.
    pub twice: u64,
}

/// See the module's description.
#[derive(Default)]
pub(super) struct Ledger {
    /// Devices that reached the score of twice the budget, by hour; true if they reached that of the budget.
    hours: VecDeque<(i64, HashMap<IpAddr, bool>)>,
}

impl Ledger {
    /// A device reached the score of twice the budget in an hour, or also that of the budget.
    pub(super) fn add(&mut self, hour: i64, device: IpAddr, reached: bool) {
        self.forget(hour);
        if self.hours.back().is_none_or(|(last, _)| *last < hour) {
            self.hours.push_back((hour, HashMap::new()));
        }
        let Some((_, devices)) = self.hours.back_mut() else {
            return;
        };
        if devices.len() < MOST || devices.contains_key(&device) {
            *devices.entry(device).or_default() |= reached;
        }
    }

    /// What is too long ago counts no more.
    pub(super) fn forget(&mut self, hour: i64) {
        while self
            .hours
            .front()
            .is_some_and(|(first, _)| hour - first >= HOURS)
        {
            self.hours.pop_front();
        }
    }

    /// Hours of devices that reached the score of the budget, and those that twice the budget would have added.
    pub(super) fn count(&self) -> (u64, u64) {
        let all = self.hours.iter().flat_map(|(_, devices)| devices.values());
        all.fold((0, 0), |(reached, twice), one| {
            (reached + u64::from(*one), twice + u64::from(!*one))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_of_devices_are_counted_once_and_for_a_day() {
        let mut ledger = Ledger::default();
        let device = |last: u8| IpAddr::from([10, 0, 0, last]);
        for reached in [false, true, false] {
            ledger.add(100, device(1), reached);
        }
        ledger.add(100, device(2), false);
        ledger.add(101, device(1), true);
        assert_eq!(ledger.count(), (2, 1));
        ledger.forget(124);
        assert_eq!(ledger.count(), (1, 0));
        ledger.forget(125);
        assert_eq!(ledger.count(), (0, 0));
    }
}
