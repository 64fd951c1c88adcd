//! Harvesting by query: far more C-FIND requests than usual (ATT&CK T1213).

use std::net::IpAddr;

use super::{Contribution, Detector, Draft, Observation, Site, What, once::Once, puller::FIND};
use crate::baseline::{Feature, Length};

#[derive(Default)]
pub(super) struct MassFind(Once<IpAddr>);

impl Detector for MassFind {
    fn name(&self) -> &'static str {
        "mass_find"
    }

    fn observe(&mut self, seen: &Observation, site: Site<'_>) -> Option<Draft> {
        if !matches!(&seen.what, What::Request { command, .. } if *command == FIND) {
            return None;
        }
        let client = seen.client.ip();
        let (length, feature) = (Length::FiveMinutes, Feature::Queries);
        let device = site.baselines.device(client)?;
        let count = device.windows().now(length, feature) + 1;
        let usual = site.baselines.usual(client, length, feature);
        if count < u64::from(site.options.queries)
            || usual.is_some_and(|usual| usual.excess(count) < site.options.unusual)
            || !self.0.first(client, seen.time)
        {
            return None;
        }
        Some(Draft {
            technique: "T1213",
            confidence: 0.7,
            victims: vec![seen.server.ip()],
            service: seen.service(),
            evidence: format!("{count} C-FIND requests within 5 minutes"),
            features: vec![Contribution::of(length, feature, count, usual)],
            wrong_if: "data is migrated, or a worklist is asked for much more often after a change",
            ..Draft::default()
        })
    }
}
