//! A device that has another address now.

use std::net::IpAddr;

use sensor_facts::time::Time;

use super::{Baselines, Length};

impl Baselines {
    /// What was learnt of `before` is `after`'s from now on; what was learnt of another that had that address is
    /// forgotten. False if nothing was known.
    ///
    /// What others know of the device as a peer, by its address, does not move.
    pub fn move_to(&mut self, before: IpAddr, after: IpAddr, now: Time) -> bool {
        let Some((device, proven)) = self.devices.remove(&before) else {
            return false;
        };
        self.devices.add(after, device, proven);
        // The window that goes on is asked for by the address at its beginning.
        let number = now.0.div_euclid(Length::FiveMinutes.nanos());
        self.open_window(number, after);
        self.changed = true;
        true
    }
}
