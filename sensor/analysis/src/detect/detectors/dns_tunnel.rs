//! DNS tunnels: much data in queries of long names (ATT&CK T1071.004).
//!
//! The names themselves do not leave the kernel; their length and number are in the flows' features.

use std::{net::IpAddr, num::NonZeroUsize};

use crate::detect::counted::CountedLru;
use crate::detect::prelude::*;

pub(super) const ABOUT: About = About {
    id: "dns_tunnel",
    techniques: &["T1071.004"],
    finds: "much data in DNS queries",
    starts: Starts::AtOnce,
    wrong_if: &["the client is a mail or security server that asks blocklists, or a resolver"],
    thresholds: THRESHOLDS,
    features: &[Feature::Flows, Feature::BytesOut],
    new: |values| Box::new(DnsTunnel::new(values)),
};

thresholds! {
    /// This many bytes in DNS queries of long names in 5 minutes count as a tunnel.
    dns_bytes: bytes = 50_000, 1_000..=100_000_000_000;
    /// It takes at least this many queries in 5 minutes.
    dns_queries: count = 100, 1..=100_000_000;
    /// Queries have long names when they have at least this many bytes on average; usual ones have 30 to 60.
    dns_query_bytes: bytes = 75, 20..=65_535;
    /// With this many bytes on average, the number of queries is enough.
    dns_query_long: bytes = 120, 20..=65_535;
    /// In an hour it takes this many times `dns_queries` and `dns_bytes`.
    dns_hour_factor: count = 3, 1..=12;
}

/// Clients that are watched.
const CLIENTS: NonZeroUsize = NonZeroUsize::new(16_384).expect("it is not zero");
/// Resolvers that are remembered.
const RESOLVERS: NonZeroUsize = NonZeroUsize::new(1_024).expect("it is not zero");
/// Windows: a tunnel that hides is slow.
const LENGTHS: [Length; 2] = [Length::FiveMinutes, Length::Hour];

#[derive(Default)]
struct Queries {
    window: i64,
    count: u64,
    bytes: u64,
}

impl Queries {
    fn add(&mut self, window: i64, count: u64, bytes: u64) {
        if self.window != window {
            *self = Self {
                window,
                ..Self::default()
            };
        }
        self.count += count;
        self.bytes += bytes;
    }
}

pub(super) struct DnsTunnel {
    clients: CountedLru<IpAddr, [Queries; LENGTHS.len()]>,
    /// Who answers others of the site.
    resolvers: CountedLru<IpAddr, ()>,
    reported: Reported<IpAddr>,
    own: Thresholds,
}

impl DnsTunnel {
    fn new(values: &Values) -> Self {
        Self {
            clients: CountedLru::new(CLIENTS),
            resolvers: CountedLru::new(RESOLVERS),
            reported: Reported::new(values),
            own: Thresholds::of(values),
        }
    }
}

impl Detector for DnsTunnel {
    fn evicted(&self) -> u64 {
        self.clients.evicted() + self.resolvers.evicted() + self.reported.evicted()
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        let What::Flow(facts) = &seen.what else {
            return None;
        };
        let delta = site.delta?;
        if seen.service()?.port != 53 || facts.to_server.packets == 0 {
            return None;
        }
        let (client, server) = (seen.client.ip(), seen.server.ip());
        if facts.answered() && !site.is_outside(server) {
            self.resolvers.put(server, ());
        }
        let both = self.clients.get_or_insert_mut(client, Default::default);
        // The share of this report, by the flow's mean.
        let packets = facts.to_server.packets;
        let queries = (delta.to_server * packets / facts.to_server.bytes.max(1)).max(1);
        let bytes = facts.to_server.payload / packets * queries;
        let mut much = None;
        let factors = [1, self.own.dns_hour_factor.into()];
        for ((asked, length), times) in both.iter_mut().zip(LENGTHS).zip(factors) {
            asked.add(seen.time.0.div_euclid(length.nanos()), queries, bytes);
            let mean = asked.bytes / asked.count.max(1);
            let is = asked.count >= u64::from(self.own.dns_queries) * times
                && (mean >= self.own.dns_query_long
                    || mean >= self.own.dns_query_bytes
                        && asked.bytes >= self.own.dns_bytes * times);
            if is && much.is_none() {
                much = Some((length.label(), asked.count, asked.bytes, mean));
            }
        }
        let (within, queries, bytes, mean) = much?;
        if !self.reported.first(client, seen.time) {
            return None;
        }
        // Whoever is asked by others asks in their place: one of them has the tunnel, and his own queries say so.
        let relays = self.resolvers.contains(&client);
        let through = self.resolvers.contains(&server);
        Some(Draft {
            confidence: if relays { 0.3 } else { 0.7 },
            evidence: format!(
                "{queries} DNS queries in {within} with {bytes} bytes, {mean} each; usual ones have 30 to 60{}",
                if relays {
                    "; others ask it too, so it may only pass on what one of them asks"
                } else if through {
                    "; it asks a resolver of the site, which passes them on"
                } else {
                    ""
                }
            ),
            victims: if through { Vec::new() } else { vec![server] },
            service: seen.service(),
            ..Draft::default()
        })
    }
}
