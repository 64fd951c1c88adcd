//! Exfiltration: much more sent to outside or unknown hosts than usual, and more than is received
//! (ATT&CK T1041, T1567.002).

use std::{net::IpAddr, num::NonZeroUsize};

use lru::LruCache;

use super::{Detector, Site, once::Once};
use crate::baseline::{Fact, Feature, Length};
use crate::detect::draft::{Draft, contribution};
use sensor_facts::observation::{Observation, What};

/// Pairs that are watched.
const PAIRS: NonZeroUsize = NonZeroUsize::new(32_768).expect("it is not zero");

/// To an outside host that was never talked to, so much in a day is as much as in an hour.
const LENGTHS: [Length; 2] = [Length::Hour, Length::Day];

#[derive(Clone, Copy, Default)]
struct Sent {
    window: i64,
    out: u64,
    back: u64,
}

pub(super) struct Exfiltration {
    pairs: LruCache<(IpAddr, IpAddr), [Sent; LENGTHS.len()]>,
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

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        let delta = site.delta?;
        if !matches!(&seen.what, What::Flow(facts) if facts.answered()) {
            return None;
        }
        let (client, server) = (seen.client.ip(), seen.server.ip());
        let outside = site.is_outside(server);
        if !outside && site.knows(client, &Fact::Peer(server)) {
            return None;
        }
        let both = self
            .pairs
            .get_or_insert_mut((client, server), Default::default);
        for (sent, length) in both.iter_mut().zip(LENGTHS) {
            let window = seen.time.0.div_euclid(length.nanos());
            if sent.window != window {
                *sent = Sent {
                    window,
                    ..Sent::default()
                };
            }
            sent.out += delta.to_server;
            sent.back += delta.to_client;
        }
        let much =
            |sent: &Sent| sent.out >= site.options.exfiltration_bytes && sent.out / 4 >= sent.back;
        let ([hour, day], feature) = (*both, Feature::BytesOut);
        if !much(&hour) && !much(&day) {
            return None;
        }
        let new = !site.knows(client, &Fact::Peer(server));
        let (length, Sent { out, back, .. }) = if much(&hour) {
            (Length::Hour, hour)
        } else if outside && new && much(&day) {
            (Length::Day, day)
        } else {
            return None;
        };
        let usual = site.baselines.usual(client, length, feature);
        if (!new && usual.is_some_and(|usual| usual.excess(out) < site.options.far()))
            || (site.learns() && !outside)
            || !self.told.first((client, server), seen.time)
        {
            return None;
        }
        Some(Draft {
            technique: if outside { "T1567.002" } else { "T1041" },
            confidence: match (outside, new) {
                (true, true) => 0.7,
                (true, false) => 0.5,
                // Within the house it is a hint: someone may gather what he wants to take.
                (false, _) => 0.2,
            },
            victims: vec![server],
            service: seen.service(),
            evidence: format!(
                "{} MB sent to {}{server} in {}, {} MB back",
                out / 1_000_000,
                match (outside, new) {
                    (true, true) => "the outside host, never talked to before, ",
                    (true, false) => "the outside host ",
                    _ => "",
                },
                length.label(),
                back / 1_000_000
            ),
            features: vec![contribution(length, feature, out, usual)],
            wrong_if: "a backup or an upload to a cloud service was set up",
            ..Draft::default()
        })
    }
}
