//! Keeping the size of an attack current.

use sensor_facts::time::Time;

use super::{Analysis, context};

impl Analysis {
    /// Alerts say how much was done, now that suspects have stopped for a moment: findings come when an amount has doubled,
    /// so the last one can name half of it.
    pub(super) fn settle(&mut self, now: Time) {
        let site = self.known.site(now, None);
        let settled = self.detectors.settled(&site);
        for (about, mut finding) in settled {
            context::add(&mut finding, about.features, &self.known.baselines);
            self.alerts.grow(&finding);
        }
    }
}
