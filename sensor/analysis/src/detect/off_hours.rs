//! Work at an hour at which a device never works (ATT&CK T1078).

use std::net::IpAddr;

use super::{Detector, Site, once::Once};
use crate::baseline::{Fact, acts, works};
use crate::detect::draft::Draft;
use sensor_facts::{finding::Basis, observation::Observation};

/// Hours that a device has to have, for its others to be unusual; a device with nearly all works always.
const HOURS: std::ops::RangeInclusive<usize> = 3..=18;

/// Hours of the day in which a device is known to work.
struct Hours([bool; 24]);

impl Hours {
    fn of(device: IpAddr, weekend: bool, acts: bool, site: &Site<'_>) -> Self {
        let mut hours = [false; 24];
        for (hour, known) in (0..).zip(&mut hours) {
            let fact = if acts {
                Fact::Acts { hour, weekend }
            } else {
                Fact::Works { hour, weekend }
            };
            *known = site.knows(device, &fact);
            // A week of learning has one weekend only: what is done on weekdays is no news there.
            if weekend {
                let weekday = if acts {
                    Fact::Acts {
                        hour,
                        weekend: false,
                    }
                } else {
                    Fact::Works {
                        hour,
                        weekend: false,
                    }
                };
                *known |= site.knows(device, &weekday);
            }
        }
        Self(hours)
    }

    fn count(&self) -> usize {
        self.0.iter().filter(|known| **known).count()
    }
}

#[derive(Default)]
pub(super) struct OffHours(Once<IpAddr>);

impl Detector for OffHours {
    fn name(&self) -> &'static str {
        "off_hours"
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        let what = acts(seen)?;
        let client = seen.client.ip();
        if site.learns() || site.baselines.learns(client, seen.time) {
            return None;
        }
        let Fact::Works { hour, weekend } = works(seen.time) else {
            return None;
        };
        // Where nobody works at it, what it does by itself must do.
        let by = [true, false]
            .into_iter()
            .map(|acts| Hours::of(client, weekend, acts, site));
        let hours = by
            .into_iter()
            .find(|hours| HOURS.contains(&hours.count()))?;
        // An hour earlier or later is no news.
        if (hour + 22..=hour + 26).any(|hour| hours.0[usize::from(hour % 24)])
            || !self.0.first(client, seen.time)
        {
            return None;
        }
        let hours = hours.count();
        Some(Draft {
            technique: "T1078",
            basis: Basis::Novelty,
            confidence: 0.5,
            victims: vec![seen.server.ip()],
            service: seen.service(),
            evidence: format!(
                "{what} at {hour:02}:00 UTC on a {}; in the time before it worked in {hours} hours of such days, none within two hours of this",
                if weekend { "weekend" } else { "weekday" }
            ),
            wrong_if: "someone is on call, or shifts were changed",
            ..Draft::default()
        })
    }
}
