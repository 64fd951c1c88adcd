//! DNS tunnels: much data in queries of long names (ATT&CK T1071.004).
//!
//! The names themselves do not leave the kernel; their length and number are in the flows' features.

use std::{net::IpAddr, num::NonZeroUsize};

use lru::LruCache;

use super::{Detector, Site, once::Once};
use crate::baseline::Length;
use crate::detect::draft::Draft;
use sensor_facts::observation::{Observation, What};

/// Clients that are watched.
const CLIENTS: NonZeroUsize = NonZeroUsize::new(16_384).expect("it is not zero");
/// A usual query has fewer bytes on average: 12 of header, 4 of type and class, the name.
const LONG: u64 = 75;
/// Least number of queries.
const MANY: u64 = 100;
/// In an hour it takes so many times as much as in 5 minutes: a tunnel that hides is slow.
const HOUR: u64 = 3;
/// Windows: 5 minutes and an hour.
const LENGTHS: [(Length, u64); 2] = [(Length::FiveMinutes, 1), (Length::Hour, HOUR)];

#[derive(Default)]
struct Asked {
    window: i64,
    queries: u64,
    bytes: u64,
}

impl Asked {
    fn add(&mut self, window: i64, queries: u64, bytes: u64) {
        if self.window != window {
            *self = Self {
                window,
                ..Self::default()
            };
        }
        self.queries += queries;
        self.bytes += bytes;
    }
}

pub(super) struct DnsTunnel {
    clients: LruCache<IpAddr, [Asked; LENGTHS.len()]>,
    told: Once<IpAddr>,
}

impl Default for DnsTunnel {
    fn default() -> Self {
        Self {
            clients: LruCache::new(CLIENTS),
            told: Once::default(),
        }
    }
}

impl Detector for DnsTunnel {
    fn name(&self) -> &'static str {
        "dns_tunnel"
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        let What::Flow(facts) = &seen.what else {
            return None;
        };
        let delta = site.delta?;
        if seen.service()?.port != 53 || facts.to_server.packets == 0 {
            return None;
        }
        let client = seen.client.ip();
        let both = self.clients.get_or_insert_mut(client, Default::default);
        // The share of this report, by the flow's mean.
        let packets = facts.to_server.packets;
        let queries = (delta.to_server * packets / facts.to_server.bytes.max(1)).max(1);
        let bytes = facts.to_server.payload / packets * queries;
        let mut much = None;
        for (asked, (length, times)) in both.iter_mut().zip(LENGTHS) {
            asked.add(seen.time.0.div_euclid(length.nanos()), queries, bytes);
            let mean = asked.bytes / asked.queries.max(1);
            let is = asked.queries >= MANY * times
                && mean >= LONG
                && asked.bytes >= site.options.dns_bytes * times;
            if is && much.is_none() {
                much = Some((length.label(), asked.queries, asked.bytes, mean));
            }
        }
        let (within, queries, bytes, mean) = much?;
        if !self.told.first(client, seen.time) {
            return None;
        }
        Some(Draft {
            technique: "T1071.004",
            confidence: 0.7,
            victims: vec![seen.server.ip()],
            service: seen.service(),
            evidence: format!(
                "{queries} DNS queries in {within} with {bytes} bytes, {mean} each; usual ones have 30 to 60"
            ),
            wrong_if: "the client is a mail or security server that asks blocklists, or a resolver",
            ..Draft::default()
        })
    }
}
