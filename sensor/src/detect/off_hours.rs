//! Work at an hour at which a device never works (ATT&CK T1078).

use std::net::IpAddr;

use super::{Basis, Detector, Draft, Observation, Site, What, once::Once, puller};
use crate::baseline::{Fact, works};

/// Hours that a device has to have, for its others to be unusual; a device with nearly all works always.
const HOURS: std::ops::RangeInclusive<usize> = 3..=18;

#[derive(Default)]
pub(super) struct OffHours(Once<IpAddr>);

impl Detector for OffHours {
    fn name(&self) -> &'static str {
        "off_hours"
    }

    fn observe(&mut self, seen: &Observation, site: Site<'_>) -> Option<Draft> {
        // What a person does: reading studies, remote access.
        let what = match &seen.what {
            What::Request { command, .. }
                if *command == puller::FIND || puller::PULLS.contains(command) =>
            {
                "DICOM queries"
            }
            What::Flow(facts)
                if facts.established(seen.protocol)
                    && matches!(seen.server.port(), 22 | 3_389 | 5_900)
                    && facts.to_server.payload > 2_000 =>
            {
                "remote access"
            }
            _ => return None,
        };
        let client = seen.client.ip();
        if site.learns() || site.baselines.learns(client, seen.time) {
            return None;
        }
        let device = site.baselines.device(client)?;
        let Fact::Works { hour, weekend } = works(seen.time) else {
            return None;
        };
        let known = |hour: u8| {
            let fact = Fact::Works {
                hour: hour % 24,
                weekend,
            };
            device.items().get(&fact).is_some()
        };
        // An hour earlier or later is no news.
        let hours = (0..24).filter(|hour| known(*hour)).count();
        if !HOURS.contains(&hours)
            || [hour + 22, hour + 23, hour, hour + 1, hour + 2]
                .into_iter()
                .any(known)
            || !self.0.first(client, seen.time)
        {
            return None;
        }
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
