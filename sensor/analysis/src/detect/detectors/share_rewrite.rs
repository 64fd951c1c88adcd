//! A client reads much of a file share and writes about as much back, far more than is usual of it, as ransomware does
//! (ATT&CK T1486). SMB is not parsed; the volumes of both directions say it.

use std::{net::IpAddr, num::NonZeroUsize};

use crate::detect::counted::CountedLru;
use crate::detect::prelude::*;

pub(super) const ABOUT: About = About {
    id: "share_rewrite",
    techniques: &["T1486"],
    finds: "much that is read of a file share and written back, far more than usual",
    starts: Starts::AfterLearning,
    wrong_if: &["large files are converted or moved on the share"],
    thresholds: THRESHOLDS,
    features: &[Feature::BytesOut, Feature::BytesIn],
    new: |values| Box::new(ShareRewrite::new(values)),
};

thresholds! {
    /// This many bytes read of a file share, and as many written, in 5 minutes are much, if they are also far from the usual.
    share_bytes: bytes = 5_000_000, 100_000..=1_000_000_000_000;
    /// One direction may have at most this many times as much as the other.
    share_balance: count = 2, 1..=100;
}

const SHARES: [u16; 2] = [139, 445];
/// Pairs that are watched.
const PAIRS: NonZeroUsize = NonZeroUsize::new(16_384).expect("it is not zero");

#[derive(Clone, Copy, Default)]
struct Moved {
    window: i64,
    written: u64,
    read: u64,
}

pub(super) struct ShareRewrite {
    pairs: CountedLru<(IpAddr, IpAddr), Moved>,
    reported: Reported<(IpAddr, IpAddr)>,
    own: Thresholds,
    /// Spreads above the median that are far from the usual.
    far: f64,
}

impl ShareRewrite {
    fn new(values: &Values) -> Self {
        Self {
            pairs: CountedLru::new(PAIRS),
            reported: Reported::new(values),
            own: Thresholds::of(values),
            far: shared::Thresholds::of(values).far(),
        }
    }
}

impl Detector for ShareRewrite {
    fn evicted(&self) -> u64 {
        self.pairs.evicted() + self.reported.evicted()
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        let delta = site.delta?;
        let What::Flow(facts) = &seen.what else {
            return None;
        };
        let service = seen.service()?;
        if service.transport != Transport::Tcp
            || !SHARES.contains(&service.port)
            || !facts.established(seen.protocol)
            || site.learns()
            || site.baselines.learns(seen.client.ip(), seen.time)
        {
            return None;
        }
        let (client, length) = (seen.client.ip(), Length::FiveMinutes);
        let ends = (client, seen.server.ip());
        let moved = self.pairs.get_or_insert_mut(ends, Default::default);
        let window = seen.time.0.div_euclid(length.nanos());
        if moved.window != window {
            *moved = Moved {
                window,
                ..Moved::default()
            };
        }
        moved.written += delta.to_server;
        moved.read += delta.to_client;
        let Moved { written, read, .. } = *moved;
        let balance = u64::from(self.own.share_balance);
        if written.min(read) < self.own.share_bytes
            || written.max(read) / balance > written.min(read)
        {
            return None;
        }
        let far = |feature, value| {
            let usual = site.baselines.usual(client, length, feature)?;
            (usual.excess(value) >= self.far).then_some(usual)
        };
        let usual_out = far(Feature::BytesOut, written)?;
        let usual_in = far(Feature::BytesIn, read)?;
        if !self.reported.first(ends, seen.time) {
            return None;
        }
        Some(Draft {
            basis: Basis::Statistics,
            confidence: 0.55,
            evidence: format!(
                "{} MB read of the file share at {} and {} MB written to it in {}, both far more than usual",
                read / 1_000_000,
                ends.1,
                written / 1_000_000,
                length.label()
            ),
            features: vec![
                contribution(length, Feature::BytesOut, written, Some(usual_out)),
                contribution(length, Feature::BytesIn, read, Some(usual_in)),
            ],
            ..Draft::about_server(seen)
        })
    }
}
