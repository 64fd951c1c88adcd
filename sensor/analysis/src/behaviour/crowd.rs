//! How many devices were surprising in the same way of late: what many do at once is a change of the site, such as a day of
//! updates, and no intruder.

use std::{
    collections::{HashSet, VecDeque},
    net::IpAddr,
};

use super::measure::{MEASURES, Measure};

/// From this surprise on a device counts.
const COUNTS: f64 = 2.5;
/// Hours for which it does.
const HOURS: i64 = 24;
/// Devices that are told apart in an hour; more make no difference.
const MOST: usize = 512;

/// Devices with a surprise, by measure and hour.
pub(super) struct Crowd {
    hours: Vec<VecDeque<(i64, HashSet<IpAddr>)>>,
}

impl Default for Crowd {
    fn default() -> Self {
        Self {
            hours: vec![VecDeque::new(); MEASURES],
        }
    }
}

impl Crowd {
    /// Takes a device's surprise.
    pub(super) fn add(&mut self, measure: Measure, device: IpAddr, hour: i64, surprise: f64) {
        if surprise < COUNTS {
            return;
        }
        let hours = &mut self.hours[measure as usize];
        while hours
            .front()
            .is_some_and(|(first, _)| hour - first >= HOURS)
        {
            hours.pop_front();
        }
        if hours.back().is_none_or(|(last, _)| *last < hour) {
            hours.push_back((hour, HashSet::new()));
        }
        if let Some((_, devices)) = hours.back_mut()
            && devices.len() < MOST
        {
            devices.insert(device);
        }
    }

    /// What is taken off a surprise: the logarithm of how often other devices had one in the last day.
    #[expect(clippy::cast_precision_loss, reason = "at most some thousands")]
    pub(super) fn discount(&self, measure: Measure, device: IpAddr, hour: i64) -> f64 {
        let others: usize = self.hours[measure as usize]
            .iter()
            .filter(|(at, _)| hour - at < HOURS)
            .map(|(_, devices)| devices.len() - usize::from(devices.contains(&device)))
            .sum();
        (1.0 + others as f64).log10()
    }
}
