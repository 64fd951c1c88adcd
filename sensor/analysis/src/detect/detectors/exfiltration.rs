//! Exfiltration: much more sent to outside or unknown hosts than usual, and more than is received
//! (ATT&CK T1041, T1567.002).

use std::{net::IpAddr, num::NonZeroUsize};

use crate::detect::counted::CountedLru;
use crate::detect::prelude::*;

pub(super) const ABOUT: About = About {
    id: "exfiltration",
    techniques: &["T1041", "T1567.002"],
    finds: "much sent to outside or unknown hosts",
    starts: Starts::AtOnce,
    wrong_if: &["a backup or an upload to a cloud service was set up"],
    thresholds: THRESHOLDS,
    features: &[],
    new: |values| Box::new(Exfiltration::new(values)),
};

thresholds! {
    /// This many bytes in an hour to an outside or unknown host are much, if they are also far from the usual; to an
    /// outside host that was never talked to, also in a day.
    exfiltration_bytes: bytes = 100_000_000, 10_000..=1_000_000_000_000_000;
    /// This many bytes in an hour to an outside host that was never talked to are much for a device that is not known to
    /// talk to the outside or to use the service by which it does, or for which it is `unusual`.
    exfiltration_new_bytes: bytes = 25_000_000, 10_000..=1_000_000_000_000_000;
    /// At least this many times as much must be sent as received.
    exfiltration_ratio: count = 4, 1..=1_000;
}

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
    pairs: CountedLru<(IpAddr, IpAddr), [Sent; LENGTHS.len()]>,
    reported: Reported<(IpAddr, IpAddr)>,
    own: Thresholds,
    /// Spreads above the median that are far from the usual.
    far: f64,
    /// And that are unusual.
    unusual: f64,
}

impl Exfiltration {
    fn new(values: &Values) -> Self {
        Self {
            pairs: CountedLru::new(PAIRS),
            reported: Reported::new(values),
            own: Thresholds::of(values),
            far: shared::Thresholds::of(values).far(),
            unusual: shared::Thresholds::of(values).unusual,
        }
    }
}

impl Detector for Exfiltration {
    fn evicted(&self) -> u64 {
        self.pairs.evicted() + self.reported.evicted()
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
        let own = self.own;
        let reaches = |sent: &Sent, bytes| {
            sent.out >= bytes && sent.out / u64::from(own.exfiltration_ratio) >= sent.back
        };
        let much = |sent: &Sent| reaches(sent, own.exfiltration_bytes);
        let ([hour, day], feature) = (*both, Feature::BytesOut);
        let for_a_stranger = reaches(&hour, own.exfiltration_new_bytes);
        if !(much(&hour) || much(&day) || outside && for_a_stranger) {
            return None;
        }
        let new = !site.knows(client, &Fact::Peer(server));
        let other_service = seen.service().is_some_and(|service| {
            is_lasting(service) && !site.knows(client, &Fact::Asks(service))
        });
        let for_this_device = || {
            let usual = site.baselines.usual(client, Length::Hour, feature);
            !site.learns()
                && (!site.knows(client, &Fact::Outside)
                    || other_service
                    || usual.is_some_and(|usual| usual.excess(hour.out) >= self.unusual))
        };
        let (length, Sent { out, back, .. }) = if much(&hour) {
            (Length::Hour, hour)
        } else if outside && new && much(&day) {
            (Length::Day, day)
        } else if outside && new && for_a_stranger && for_this_device() {
            (Length::Hour, hour)
        } else {
            return None;
        };
        let usual = site.baselines.usual(client, length, feature);
        let first = outside && !site.knows(client, &Fact::Outside);
        if (!new && usual.is_some_and(|usual| usual.excess(out) < self.far))
            || (site.learns() && !outside)
            || !self.reported.first((client, server), seen.time)
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
            ) + if first && !site.learns() {
                "; it was not seen to talk to the outside in its learning time"
            } else if outside && other_service && !site.learns() {
                "; it was not seen to use such a service in its learning time"
            } else {
                ""
            },
            features: vec![contribution(length, feature, out, usual)],
            ..Draft::about_server(seen)
        })
    }
}
