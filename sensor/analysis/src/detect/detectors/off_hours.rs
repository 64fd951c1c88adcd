//! Work at an hour at which a device never works (ATT&CK T1078).

use std::{net::IpAddr, ops::RangeInclusive};

use crate::{
    baseline::{acts, works},
    detect::prelude::*,
};

pub(super) const ABOUT: About = About {
    id: "off_hours",
    techniques: &["T1078"],
    finds: "queries or remote access at an hour at which it never works",
    starts: Starts::AfterLearning,
    wrong_if: &["someone is on call, or shifts were changed"],
    thresholds: THRESHOLDS,
    features: &[Feature::Queries, Feature::Pulls, Feature::BytesIn],
    new: |values| Box::new(OffHours::new(values)),
};

thresholds! {
    /// A device must be known to work in at least this many hours of the day for its other hours to be unusual.
    off_hours_least: count = 3, 1..=12;
    /// A device that is known to work in more hours than this works always.
    off_hours_most: count = 18, 12..=23;
    /// An hour that is no more than this many hours earlier or later is not unusual.
    off_hours_margin: count = 2, 0..=11;
}

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

pub(super) struct OffHours {
    reported: Reported<IpAddr>,
    /// Hours that a device has to have, for its others to be unusual; a device with nearly all works always.
    hours: RangeInclusive<usize>,
    margin: u8,
}

impl OffHours {
    fn new(values: &Values) -> Self {
        let own = Thresholds::of(values);
        let count = |number| usize::try_from(number).unwrap_or(24);
        Self {
            reported: Reported::new(values),
            hours: count(own.off_hours_least)..=count(own.off_hours_most),
            margin: u8::try_from(own.off_hours_margin).unwrap_or(11),
        }
    }
}

impl Detector for OffHours {
    fn evicted(&self) -> u64 {
        self.reported.evicted()
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
            .find(|hours| self.hours.contains(&hours.count()))?;
        // An hour earlier or later is no news.
        if (hour + 24 - self.margin..=hour + 24 + self.margin)
            .any(|hour| hours.0[usize::from(hour % 24)])
            || !self.reported.first(client, seen.time)
        {
            return None;
        }
        let hours = hours.count();
        Some(Draft {
            basis: Basis::Novelty,
            confidence: 0.5,
            evidence: format!(
                "{what} at {hour:02}:00 UTC on a {}; in the time before it worked in {hours} hours of such days, none within {} hours of this",
                if weekend { "weekend" } else { "weekday" },
                self.margin
            ),
            ..Draft::about_server(seen)
        })
    }
}
