//! Harvesting by query: far more C-FIND requests than usual (ATT&CK T1213).

use std::net::IpAddr;

use super::{Detector, Site, once::Once, puller::FIND};
use crate::baseline::{Feature, Length};
use crate::detect::draft::{Draft, contribution};
use sensor_facts::observation::{Observation, What};

/// In an hour it takes so many times as many as in 5 minutes.
const HOUR: u64 = 3;

#[derive(Default)]
pub(super) struct MassFind(Once<IpAddr>);

impl Detector for MassFind {
    fn name(&self) -> &'static str {
        "mass_find"
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        if !matches!(&seen.what, What::Request { command, .. } if *command == FIND) {
            return None;
        }
        let client = seen.client.ip();
        let feature = Feature::Queries;
        let windows = site.baselines.device(client)?.windows();
        let many = |(length, times): (Length, u64)| {
            let count = windows.now(length, feature) + 1;
            let usual = site.baselines.usual(client, length, feature);
            let is = count >= u64::from(site.options.queries) * times
                && usual.is_none_or(|usual| usual.excess(count) >= site.options.far());
            is.then_some((length, count, usual))
        };
        let (length, count, usual) = [(Length::FiveMinutes, 1), (Length::Hour, HOUR)]
            .into_iter()
            .find_map(many)?;
        if !self.0.first(client, seen.time) {
            return None;
        }
        Some(Draft {
            technique: "T1213",
            confidence: 0.7,
            victims: vec![seen.server.ip()],
            service: seen.service(),
            evidence: format!("{count} C-FIND requests in {}", length.label()),
            features: vec![contribution(length, feature, count, usual)],
            wrong_if: "data is migrated, or a worklist is asked for much more often after a change",
            ..Draft::default()
        })
    }
}
