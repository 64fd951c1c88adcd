//! Tunnels in ICMP echo: much data in requests and answers whose lengths change, as those of no ping do, or in long ones to
//! the outside (ATT&CK T1095).

use std::{net::IpAddr, num::NonZeroUsize};

use crate::detect::counted::CountedLru;
use crate::detect::prelude::*;

pub(super) const ABOUT: About = About {
    id: "icmp_tunnel",
    techniques: &["T1095"],
    finds: "much data in ICMP echo requests and answers of changing lengths, or in long ones to the outside",
    starts: Starts::AtOnce,
    wrong_if: &["someone measures a line with pings of many sizes"],
    thresholds: THRESHOLDS,
    features: &[Feature::BytesOut],
    new: |values| Box::new(IcmpTunnel::new(values)),
};

thresholds! {
    /// This many bytes in ICMP echo requests and answers of changing lengths between two hosts in 5 minutes count as a
    /// tunnel.
    icmp_bytes: bytes = 100_000, 1_000..=100_000_000_000;
    /// In an hour it takes this many times `icmp_bytes`.
    icmp_hour_factor: count = 3, 1..=12;
    /// Lengths change when the longest packet of a flow is longer than its shortest by this much.
    icmp_length_change: bytes = 32, 1..=65_535;
    /// To the outside, packets of one length count too from this length on: pings have 64 to 100 bytes.
    icmp_length_long: bytes = 256, 64..=65_535;
}

/// Echo requests of ICMP and ICMPv6, and their answers, which a tunnel also sends unasked.
const ECHO: [u16; 4] = [8, 128, 0, 129];
/// Pairs that are watched.
const PAIRS: NonZeroUsize = NonZeroUsize::new(16_384).expect("it is not zero");
const LENGTHS: [Length; 2] = [Length::FiveMinutes, Length::Hour];

/// Bytes of a window, by its number.
type Sum = (i64, u64);

pub(super) struct IcmpTunnel {
    pairs: CountedLru<(IpAddr, IpAddr), [Sum; LENGTHS.len()]>,
    reported: Reported<(IpAddr, IpAddr)>,
    own: Thresholds,
}

impl IcmpTunnel {
    fn new(values: &Values) -> Self {
        Self {
            pairs: CountedLru::new(PAIRS),
            reported: Reported::new(values),
            own: Thresholds::of(values),
        }
    }
}

impl Detector for IcmpTunnel {
    fn evicted(&self) -> u64 {
        self.pairs.evicted() + self.reported.evicted()
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        let What::Flow(facts) = &seen.what else {
            return None;
        };
        let delta = site.delta?;
        let echo = facts.icmp_type.is_some_and(|kind| ECHO.contains(&kind));
        let changes = [&facts.to_server, &facts.to_client]
            .into_iter()
            .any(|half| {
                u64::from(half.length_max - half.length_min.min(half.length_max))
                    >= self.own.icmp_length_change
            });
        let sent = &facts.to_server;
        let long = site.is_outside(seen.server.ip())
            && sent.bytes
                >= self
                    .own
                    .icmp_length_long
                    .saturating_mul(sent.packets.max(1));
        if !echo || !(changes || long) {
            return None;
        }
        let ends = (seen.client.ip(), seen.server.ip());
        let both = self.pairs.get_or_insert_mut(ends, Default::default);
        let mut much = None;
        let factors = [1, self.own.icmp_hour_factor.into()];
        for ((sum, length), times) in both.iter_mut().zip(LENGTHS).zip(factors) {
            let window = seen.time.0.div_euclid(length.nanos());
            if sum.0 != window {
                *sum = (window, 0);
            }
            sum.1 += delta.to_server + delta.to_client;
            if sum.1 >= self.own.icmp_bytes * times && much.is_none() {
                much = Some((length.label(), sum.1));
            }
        }
        let (within, bytes) = much?;
        self.reported.first(ends, seen.time).then(|| Draft {
            confidence: if changes { 0.75 } else { 0.6 },
            evidence: format!(
                "{bytes} bytes in ICMP echo with {} in {within}, in packets of {} to {} bytes; {}",
                ends.1,
                facts
                    .to_server
                    .length_min
                    .min(facts.to_client.length_min.max(1)),
                facts.to_server.length_max.max(facts.to_client.length_max),
                if changes {
                    "a ping keeps its size"
                } else {
                    "a ping has about 64 to 100"
                }
            ),
            ..Draft::about_server(seen)
        })
    }
}
