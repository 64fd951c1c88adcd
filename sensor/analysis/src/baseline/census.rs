//! How many devices there are, how far they are learnt, and what they take.

use std::net::IpAddr;

use sensor_facts::time::Time;

use super::Baselines;

/// Frozen devices that are named.
const NAMED: usize = 8;

/// All devices at one moment, each in one of three states.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Census {
    /// Devices whose learning time has passed.
    pub learnt: u64,
    /// Devices in their learning time.
    pub learning: u64,
    /// Devices that are suspected: nothing is learnt of them.
    pub frozen: u64,
    /// The first of these by address, with until when.
    pub frozen_first: Vec<(IpAddr, Time)>,
    /// Devices that were dropped because they were too many.
    pub evicted: u64,
    /// Bytes that the devices take.
    pub bytes: u64,
    /// Share of the site's learning time that has passed, 0 to 1.
    pub site_learnt: f64,
    /// When it has passed; none before anything was seen.
    pub site_until: Option<Time>,
}

impl Baselines {
    /// Counts all devices: about a microsecond for each.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share need not be exact")]
    pub fn census(&self, now: Time) -> Census {
        let mut census = Census {
            evicted: self.devices.evicted(),
            bytes: self.memory() as u64,
            ..Census::default()
        };
        for (address, device) in self.devices.iter() {
            match device.frozen.filter(|until| *until > now) {
                Some(until) => {
                    census.frozen += 1;
                    census.frozen_first.push((*address, until));
                }
                None if now.0.saturating_sub(device.first.0) < self.learning() => {
                    census.learning += 1;
                }
                None => census.learnt += 1,
            }
        }
        census.frozen_first.sort_unstable();
        census.frozen_first.truncate(NAMED);
        if let Some(begin) = self.begin {
            let passed = now.0.saturating_sub(begin.0) as f64;
            census.site_learnt = (passed / self.learning().max(1) as f64).clamp(0.0, 1.0);
            census.site_until = Some(Time(begin.0.saturating_add(self.learning())));
        }
        census
    }
}
