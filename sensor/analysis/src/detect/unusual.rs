//! Amounts that are far from what is usual of a device, or of devices of its kind, at this time of day.

use std::net::IpAddr;

use super::{Detector, Site, once::Once};
use crate::baseline::{Feature, Length};
use crate::detect::draft::{Draft, contribution};
use sensor_facts::finding::Basis;

/// Features and from where on an amount is worth a word, in 5 minutes, an hour, a day.
const LEAST: [(Feature, [u64; 3]); 8] = [
    (Feature::Flows, [200, 1_000, 10_000]),
    (Feature::Peers, [20, 30, 60]),
    (Feature::Ports, [15, 20, 40]),
    (Feature::Failed, [20, 60, 300]),
    (Feature::BytesOut, [50_000_000, 200_000_000, 2_000_000_000]),
    (
        Feature::NewPeerBytes,
        [20_000_000, 100_000_000, 500_000_000],
    ),
    (Feature::Messages, [500, 2_000, 20_000]),
    (Feature::Rejects, [10, 30, 100]),
];

#[derive(Default)]
pub(super) struct Unusual(Once<(IpAddr, Feature)>);

impl Detector for Unusual {
    fn name(&self) -> &'static str {
        "unusual_amount"
    }

    fn window(&mut self, device: IpAddr, site: &Site<'_>) -> Option<Draft> {
        let windows = site.baselines.device(device)?.windows();
        let mut features = Vec::new();
        for (index, length) in Length::ALL.into_iter().enumerate() {
            for (feature, least) in LEAST {
                let value = windows.now(length, feature);
                if value < least[index] {
                    continue;
                }
                let usual = site.baselines.usual(device, length, feature);
                if usual.is_some_and(|usual| usual.excess(value) >= site.options.unusual)
                    && self.0.first((device, feature), site.now)
                {
                    features.push(contribution(length, feature, value, usual));
                }
            }
        }
        if features.is_empty() {
            return None;
        }
        let words: Vec<String> = features
            .iter()
            .map(|one| {
                let usual = one.usual.unwrap_or_default();
                format!("{} {}, usual {usual}", one.value, one.feature)
            })
            .collect();
        let kinds = features.len();
        Some(Draft {
            technique: "T1078",
            basis: Basis::Statistics,
            // A hint, also if several are: they come of one cause.
            confidence: if kinds > 1 { 0.35 } else { 0.3 },
            evidence: words.join("; "),
            features,
            wrong_if: "the device was given other work, is being updated, or is backed up",
            ..Draft::default()
        })
    }
}
