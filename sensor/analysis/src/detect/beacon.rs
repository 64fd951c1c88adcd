//! Beacons: connections to an outside or unknown host with hardly any spread in interval and size
//! (ATT&CK T1071, T1573).
//!
//! The score is after RITA (Active Countermeasures): how little the intervals and the sizes spread around
//! their median, half each.

use std::{net::IpAddr, num::NonZeroUsize};

use lru::LruCache;
use sensor_common::layer7::Protocol;

use super::{Detector, Site, once::Once};
use crate::baseline::Fact;
use crate::detect::draft::Draft;
use sensor_facts::observation::{Observation, What, is_host};
use sensor_facts::{target::Service, time::Time};

/// Pairs that are watched.
const PAIRS: NonZeroUsize = NonZeroUsize::new(32_768).expect("it is not zero");
/// Connections that are kept of a pair.
const KEPT: usize = 48;
/// Least score, 0 to 1.
const LEAST: f64 = 0.7;
/// Least median interval, nanoseconds: below, it is one piece of work.
const INTERVAL_MIN: i64 = 2_000_000_000;

/// Shorter than this it may be one piece of work too, such as the set-up of a device, nanoseconds.
const LASTS_MIN: i64 = 60_000_000_000;

type Pair = (IpAddr, IpAddr, Service);

pub(super) struct Beacon {
    pairs: LruCache<Pair, Vec<(Time, u64)>>,
    told: Once<Pair>,
}

impl Default for Beacon {
    fn default() -> Self {
        Self {
            pairs: LruCache::new(PAIRS),
            told: Once::default(),
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

impl Detector for Beacon {
    fn name(&self) -> &'static str {
        "beacon"
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
            || site.knows(client, &Fact::Uses(server, service))
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
        let least = usize::try_from(site.options.beacon_connections).unwrap_or(KEPT);
        if seen_before.len() < least.clamp(4, KEPT) {
            return None;
        }
        let mut times: Vec<i64> = seen_before.iter().map(|(time, _)| time.0).collect();
        times.sort_unstable();
        if times
            .last()
            .zip(times.first())
            .is_none_or(|(last, first)| last - first < LASTS_MIN)
        {
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
        if score < LEAST || interval < INTERVAL_MIN || !self.told.first(pair, seen.time) {
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
            wrong_if: "software looks for updates or reports to its maker, which it did not before",
            ..Draft::default()
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "it is shown with one decimal")]
fn seconds(nanos: i64) -> f64 {
    nanos as f64 / 1e9
}
