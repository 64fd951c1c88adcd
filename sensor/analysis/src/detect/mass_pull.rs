//! Studies taken in bulk: far more C-MOVE and C-GET requests than usual (ATT&CK T1020).

use std::net::IpAddr;

use super::{Detector, Site, once::Once, puller::PULLS};
use crate::baseline::{Feature, Length};
use crate::detect::draft::{Draft, contribution};
use sensor_facts::observation::{Observation, What};

#[derive(Default)]
pub(super) struct MassPull(Once<IpAddr>);

impl Detector for MassPull {
    fn name(&self) -> &'static str {
        "study_exfiltration"
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        if !matches!(&seen.what, What::Request { command, .. } if PULLS.contains(command)) {
            return None;
        }
        let client = seen.client.ip();
        let (length, feature) = (Length::Hour, Feature::Pulls);
        let windows = site.baselines.device(client)?.windows();
        let count = windows.now(length, feature) + 1;
        let usual = site.baselines.usual(client, length, feature);
        if count < u64::from(site.options.pulls)
            || usual.is_some_and(|usual| usual.excess(count) < site.options.far())
            || !self.0.first(client, seen.time)
        {
            return None;
        }
        let received = windows.now(length, Feature::BytesIn);
        let usual_bytes = site.baselines.usual(client, length, Feature::BytesIn);
        Some(Draft {
            technique: "T1020",
            confidence: 0.75,
            victims: vec![seen.server.ip()],
            service: seen.service(),
            evidence: format!("{count} C-MOVE or C-GET requests within the hour"),
            features: vec![
                contribution(length, feature, count, usual),
                contribution(length, Feature::BytesIn, received, usual_bytes),
            ],
            wrong_if: "an archive is migrated, or studies are prefetched for a clinic",
            ..Draft::default()
        })
    }
}
