//! Beacons: connections to an outside or unknown host with hardly any spread in interval and size
//! (ATT&CK T1071, T1573).
//!
//! The score is after RITA (Active Countermeasures): how little the intervals and the sizes spread around
//! their median, half each.

use std::{net::IpAddr, num::NonZeroUsize};

use sensor_common::layer7::Protocol;

use crate::detect::counted::CountedLru;
use crate::detect::prelude::*;

pub(super) const ABOUT: About = About {
    id: "beacon",
    techniques: &["T1071", "T1573"],
    finds: "regular connections to an unknown host",
    starts: Starts::AfterLearning,
    wrong_if: &["software looks for updates or reports to its maker, which it did not before"],
    thresholds: THRESHOLDS,
    features: &[Feature::Flows],
    new: |values| Box::new(Beacon::new(values)),
};

thresholds! {
    /// This many connections with regular intervals and sizes to an outside or unknown host count as a beacon.
    beacon_connections: count = 12, 4..=48;
    /// How regular intervals and sizes must be, from 0 (their deviation is half of the median or more) to 1 (no
    /// deviation at all).
    beacon_score: number = 0.7, 0.1..=1.0;
    /// The least interval: what comes faster is one piece of work.
    beacon_interval: seconds = 2, 1..=86_400;
    /// The connections must be spread over at least this time: what is shorter may be one piece of work, such as the
    /// set-up of a device.
    beacon_lasts: seconds = 60, 1..=7 * 86_400;
}

/// Pairs that are watched.
const PAIRS: NonZeroUsize = NonZeroUsize::new(32_768).expect("it is not zero");
/// Every site uses the web, and new workstations ask regularly for what is new.
const WEB: [u16; 2] = [80, 443];
/// Connections that are kept of a pair.
const KEPT: usize = 48;
type Pair = (IpAddr, IpAddr, Service);

pub(super) struct Beacon {
    pairs: CountedLru<Pair, Vec<(Time, u64)>>,
    reported: Reported<Pair>,
    own: Thresholds,
}

impl Beacon {
    fn new(values: &Values) -> Self {
        Self {
            pairs: CountedLru::new(PAIRS),
            reported: Reported::new(values),
            own: Thresholds::of(values),
        }
    }
}

fn median(values: &mut [i64]) -> i64 {
    let half = values.len() / 2;
    *values.select_nth_unstable(half).1
}

/// 1 without any spread; 0 where the median deviation is half of the median or more. What is made to look
/// irregular by a tenth or a third of its interval keeps more than half.
#[expect(clippy::cast_precision_loss, reason = "a score need not be exact")]
fn steadiness(mut values: Vec<i64>) -> (f64, i64) {
    let middle = median(&mut values);
    let mut deviations: Vec<i64> = values.iter().map(|one| (one - middle).abs()).collect();
    let spread = median(&mut deviations) as f64;
    (
        (1.0 - 2.0 * spread / (middle.max(1) as f64)).max(0.0),
        middle,
    )
}

/// True if a client is known to use the service. A newcomer does not earn it where nobody else uses the port outside.
fn is_usual(site: &Site<'_>, client: IpAddr, (server, service): (IpAddr, Service)) -> bool {
    let uses = Fact::Uses(server, service);
    let of_many = WEB.contains(&service.port)
        || !site.is_outside(server)
        || site.knows_at_site(&Fact::AsksOutside(service));
    if of_many {
        site.knows(client, &uses)
    } else {
        site.trusts(client, &uses)
    }
}

impl Detector for Beacon {
    fn evicted(&self) -> u64 {
        self.pairs.evicted() + self.reported.evicted()
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        let What::Flow(facts) = &seen.what else {
            return None;
        };
        let service = seen.service()?;
        let (client, server) = (seen.client.ip(), seen.server.ip());
        // DNS and NTP are regular by their nature.
        if !facts.over
            || !facts.established(seen.protocol)
            || matches!(service.port, 53 | 123)
            || !is_host(server)
            || site.learns()
            || is_usual(site, client, (server, service))
        {
            return None;
        }
        let pair = (client, server, service);
        let seen_before = self.pairs.get_or_insert_mut(pair, Vec::new);
        if seen_before.len() == KEPT {
            seen_before.remove(0);
        }
        let duration = i64::try_from(facts.duration).unwrap_or(i64::MAX);
        let begin = Time(seen.time.0.saturating_sub(duration));
        seen_before.push((begin, facts.to_server.bytes));
        let least = usize::try_from(self.own.beacon_connections).unwrap_or(KEPT);
        if seen_before.len() < least.min(KEPT) {
            return None;
        }
        let mut times: Vec<i64> = seen_before.iter().map(|(time, _)| time.0).collect();
        times.sort_unstable();
        if times.last().zip(times.first()).is_none_or(|(last, first)| {
            last - first < self.own.beacon_lasts.as_nanos().cast_signed()
        }) {
            return None;
        }
        let intervals = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let sizes = seen_before
            .iter()
            .map(|(_, bytes)| i64::try_from(*bytes).unwrap_or(i64::MAX))
            .collect();
        let (timing, interval) = steadiness(intervals);
        let (sizing, bytes) = steadiness(sizes);
        let score = f64::midpoint(timing, sizing);
        if score < self.own.beacon_score
            || interval < self.own.beacon_interval.as_nanos().cast_signed()
            || !self.reported.first(pair, seen.time)
        {
            return None;
        }
        let outside = site.is_outside(server);
        Some(Draft {
            technique: if facts.app == Protocol::Tls {
                "T1573"
            } else {
                "T1071"
            },
            confidence: if outside { 0.55 } else { 0.4 },
            victims: vec![server],
            service: Some(service),
            evidence: format!(
                "{} connections to {} host {server}, port {}, every {:.1} s with {bytes} bytes, hardly any spread (score {score:.2} of 1)",
                seen_before.len(),
                if outside {
                    "the outside"
                } else {
                    "the unknown"
                },
                service.port,
                seconds(interval)
            ),
            ..Draft::default()
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "it is shown with one decimal")]
fn seconds(nanos: i64) -> f64 {
    nanos as f64 / 1e9
}
