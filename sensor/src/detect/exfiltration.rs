//! Exfiltration: much more sent to outside or unknown hosts than usual, and more than is received
//! (ATT&CK T1041, T1567.002).

use std::{net::IpAddr, num::NonZeroUsize};

use lru::LruCache;

use super::{Contribution, Detector, Draft, Observation, Site, What, once::Once};
use crate::baseline::{Fact, Feature, Length};

/// Pairs that are watched.
const PAIRS: NonZeroUsize = NonZeroUsize::new(32_768).expect("it is not zero");

#[derive(Default)]
struct Sent {
    hour: i64,
    out: u64,
    back: u64,
}

pub(super) struct Exfiltration {
    pairs: LruCache<(IpAddr, IpAddr), Sent>,
    told: Once<(IpAddr, IpAddr)>,
}

impl Default for Exfiltration {
    fn default() -> Self {
        Self {
            pairs: LruCache::new(PAIRS),
            told: Once::default(),
        }
    }
}

impl Detector for Exfiltration {
    fn name(&self) -> &'static str {
        "exfiltration"
    }

    fn observe(&mut self, seen: &Observation, site: Site<'_>) -> Option<Draft> {
        let delta = site.delta?;
        if !matches!(&seen.what, What::Flow(facts) if facts.answered()) {
            return None;
        }
        let (client, server) = (seen.client.ip(), seen.server.ip());
        let outside = site.is_outside(server);
        if !outside && site.knows(client, &Fact::Peer(server)) {
            return None;
        }
        let sent = self
            .pairs
            .get_or_insert_mut((client, server), Sent::default);
        let hour = seen.time.0.div_euclid(Length::Hour.nanos());
        if sent.hour != hour {
            *sent = Sent {
                hour,
                ..Sent::default()
            };
        }
        sent.out += delta.to_server;
        sent.back += delta.to_client;
        let (out, back) = (sent.out, sent.back);
        let (length, feature) = (Length::Hour, Feature::BytesOut);
        if out < site.options.exfiltration_bytes || out / 4 < back {
            return None;
        }
        let usual = site.baselines.usual(client, length, feature);
        let new = !site.knows(client, &Fact::Peer(server));
        if (!new && usual.is_some_and(|usual| usual.excess(out) < site.options.unusual))
            || (site.learns() && !outside)
            || !self.told.first((client, server), seen.time)
        {
            return None;
        }
        Some(Draft {
            technique: if outside { "T1567.002" } else { "T1041" },
            confidence: if outside && new { 0.7 } else { 0.5 },
            victims: vec![server],
            service: seen.service(),
            evidence: format!(
                "{} MB sent to {}{server} within the hour, {} MB back",
                out / 1_000_000,
                match (outside, new) {
                    (true, true) => "the outside host, never talked to before, ",
                    (true, false) => "the outside host ",
                    _ => "",
                },
                back / 1_000_000
            ),
            features: vec![Contribution::of(length, feature, out, usual)],
            wrong_if: "a backup or an upload to a cloud service was set up",
            ..Draft::default()
        })
    }
}
