//! DNS tunnels: much data in queries of long names (ATT&CK T1071.004).
//!
//! The names themselves do not leave the kernel; their length and number are in the flows' features.

use std::{net::IpAddr, num::NonZeroUsize};

use lru::LruCache;

use super::{Detector, Draft, Observation, Site, What, once::Once};
use crate::{baseline::Length, event::Time};

/// Clients that are watched.
const CLIENTS: NonZeroUsize = NonZeroUsize::new(16_384).expect("it is not zero");
/// A usual query has fewer bytes on average: 12 of header, 4 of type and class, the name.
const LONG: u64 = 75;
/// Least number of queries.
const MANY: u64 = 100;

#[derive(Default)]
struct Asked {
    window: i64,
    queries: u64,
    bytes: u64,
}

pub(super) struct DnsTunnel {
    clients: LruCache<IpAddr, Asked>,
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

fn window(now: Time) -> i64 {
    now.0.div_euclid(Length::FiveMinutes.nanos())
}

impl Detector for DnsTunnel {
    fn name(&self) -> &'static str {
        "dns_tunnel"
    }

    fn observe(&mut self, seen: &Observation, site: Site<'_>) -> Option<Draft> {
        let What::Flow(facts) = &seen.what else {
            return None;
        };
        let delta = site.delta?;
        if seen.service()?.port != 53 || facts.to_server.packets == 0 {
            return None;
        }
        let client = seen.client.ip();
        let asked = self.clients.get_or_insert_mut(client, Asked::default);
        let window = window(seen.time);
        if asked.window != window {
            *asked = Asked {
                window,
                ..Asked::default()
            };
        }
        // The share of this report, by the flow's mean.
        let packets = facts.to_server.packets;
        let queries = (delta.to_server * packets / facts.to_server.bytes.max(1)).max(1);
        asked.queries += queries;
        asked.bytes += facts.to_server.payload / packets * queries;
        let mean = asked.bytes / asked.queries.max(1);
        let (queries, bytes) = (asked.queries, asked.bytes);
        if queries < MANY
            || mean < LONG
            || bytes < site.options.dns_bytes
            || !self.told.first(client, seen.time)
        {
            return None;
        }
        Some(Draft {
            technique: "T1071.004",
            confidence: 0.7,
            victims: vec![seen.server.ip()],
            service: seen.service(),
            evidence: format!(
                "{queries} DNS queries within 5 minutes with {bytes} bytes, {mean} each; usual ones have 30 to 60"
            ),
            wrong_if: "the client is a mail or security server that asks blocklists, or a resolver",
            ..Draft::default()
        })
    }
}
