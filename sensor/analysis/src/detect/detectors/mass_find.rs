//! Harvesting by query: far more C-FIND requests than usual (ATT&CK T1213).

use std::net::IpAddr;

use crate::detect::prelude::*;

pub(super) const ABOUT: About = About {
    id: "mass_find",
    techniques: &["T1213"],
    finds: "far more C-FIND requests than usual",
    starts: Starts::AtOnce,
    wrong_if: &["data is migrated, or a worklist is asked for much more often after a change"],
    thresholds: THRESHOLDS,
    features: &[],
    new: |values| Box::new(MassFind::new(values)),
};

thresholds! {
    /// This many C-FIND requests in 5 minutes are many, if they are also far from the usual.
    queries: count = 100, 1..=100_000_000;
    /// In an hour it takes this many times `queries`.
    queries_hour_factor: count = 3, 1..=12;
}

pub(super) struct MassFind {
    reported: Reported<IpAddr>,
    own: Thresholds,
    /// Spreads above the median that are far from the usual.
    far: f64,
}

impl MassFind {
    fn new(values: &Values) -> Self {
        Self {
            reported: Reported::new(values),
            own: Thresholds::of(values),
            far: shared::Thresholds::of(values).far(),
        }
    }
}

impl Detector for MassFind {
    fn evicted(&self) -> u64 {
        self.reported.evicted()
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
            let is = count >= u64::from(self.own.queries) * times
                && usual.is_none_or(|usual| usual.excess(count) >= self.far);
            is.then_some((length, count, usual))
        };
        let (length, count, usual) = [
            (Length::FiveMinutes, 1),
            (Length::Hour, self.own.queries_hour_factor.into()),
        ]
        .into_iter()
        .find_map(many)?;
        if !self.reported.first(client, seen.time) {
            return None;
        }
        Some(Draft {
            confidence: 0.7,
            evidence: format!("{count} C-FIND requests in {}", length.label()),
            features: vec![contribution(length, feature, count, usual)],
            ..Draft::about_server(seen)
        })
    }
}
