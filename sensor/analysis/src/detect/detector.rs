//! The trait of all detectors.

use std::net::IpAddr;

use sensor_facts::{observation::Observation, time::Time};

use super::{draft::Draft, site::Site};
use crate::{behaviour::Judged, model::Scored};

/// A detector: state in, finding out. Its file declares with `ABOUT` what others need to know about it.
pub(crate) trait Detector: Send {
    /// Takes an observation; what it makes of it. The baselines do not know of it yet.
    fn observe(&mut self, _: &Observation, _: &Site<'_>) -> Option<Draft> {
        None
    }

    /// What suspects did beyond what was found, now that they have stopped for a moment: findings come when an amount has
    /// doubled, so the last one can name half of it.
    fn settled(&mut self, _: &Site<'_>) -> Vec<(Time, Draft)> {
        Vec::new()
    }

    /// Takes what the anomaly model said of flows, which may come a little later than the flows.
    fn scored(&mut self, _: &[Scored], _: &Site<'_>) {}

    /// Suspects that were forgotten to make room for others.
    fn evicted(&self) -> u64 {
        0
    }

    /// A device's 5-minute window is over; what it makes of its windows as they were just before.
    fn window(&mut self, _device: IpAddr, _: &Site<'_>) -> Option<Draft> {
        None
    }

    /// A device's window was judged by its measures; what it makes of it.
    fn judged(&mut self, _: &Judged, _: &Site<'_>) -> Option<Draft> {
        None
    }
}
