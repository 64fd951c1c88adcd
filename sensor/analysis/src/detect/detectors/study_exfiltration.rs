//! Studies taken in bulk: far more C-MOVE and C-GET requests than usual (ATT&CK T1020).

use std::net::IpAddr;

use crate::detect::prelude::*;

pub(super) const ABOUT: About = About {
    id: "study_exfiltration",
    techniques: &["T1020"],
    finds: "far more C-MOVE and C-GET requests than usual",
    starts: Starts::AtOnce,
    wrong_if: &["an archive is migrated, or studies are prefetched for a clinic"],
    thresholds: THRESHOLDS,
    features: &[],
    new: |values| Box::new(StudyExfiltration::new(values)),
};

thresholds! {
    /// This many C-MOVE and C-GET requests in an hour are many, if they are also far from the usual.
    pulls: count = 50, 1..=100_000_000;
}

pub(super) struct StudyExfiltration {
    reported: Reported<IpAddr>,
    pulls: u64,
    /// Spreads above the median that are far from the usual.
    far: f64,
}

impl StudyExfiltration {
    fn new(values: &Values) -> Self {
        Self {
            reported: Reported::new(values),
            pulls: Thresholds::of(values).pulls.into(),
            far: shared::Thresholds::of(values).far(),
        }
    }
}

impl Detector for StudyExfiltration {
    fn evicted(&self) -> u64 {
        self.reported.evicted()
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
        if count < self.pulls
            || usual.is_some_and(|usual| usual.excess(count) < self.far)
            || !self.reported.first(client, seen.time)
        {
            return None;
        }
        let received = windows.now(length, Feature::BytesIn);
        let usual_bytes = site.baselines.usual(client, length, Feature::BytesIn);
        Some(Draft {
            confidence: 0.75,
            evidence: format!("{count} C-MOVE or C-GET requests within the hour"),
            features: vec![
                contribution(length, feature, count, usual),
                contribution(length, Feature::BytesIn, received, usual_bytes),
            ],
            ..Draft::about_server(seen)
        })
    }
}
