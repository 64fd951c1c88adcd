//! Guessing AE titles: many DICOM associations rejected because a title is not recognised (ATT&CK T1110).

use std::{collections::BTreeSet, net::IpAddr};

use crate::detect::prelude::*;

pub(super) const ABOUT: About = About {
    id: "ae_rejects",
    techniques: &["T1110"],
    finds: "many AE titles that are not recognised",
    starts: Starts::AtOnce,
    wrong_if: &["a device was set up by someone who did not know the AE titles"],
    thresholds: THRESHOLDS,
    features: &[Feature::Rejects, Feature::Flows],
    new: |values| Box::new(AeRejects::new(values)),
};

thresholds! {
    /// This many different pairs of AE titles that servers did not recognise, within `ae_rejects_within` or
    /// `slow_within`, count as guessing.
    ae_rejects: count = 5, 1..=1_024;
    /// The time in which pairs of AE titles that were not recognised are counted.
    ae_rejects_within: seconds = 60, 1..=86_400;
}

/// Calling or called AE title not recognised, by the application (PS3.8 section 9.3.4).
const NOT_RECOGNISED: [(u8, u8); 2] = [(1, 3), (1, 7)];

/// Server, its port, calling and called title: a device that keeps trying the same ones does not guess.
type Try = (IpAddr, u16, Option<String>, Option<String>);

pub(super) struct AeRejects {
    fast: Window<Try>,
    slow: Window<Try>,
}

impl AeRejects {
    fn new(values: &Values) -> Self {
        let (own, shared) = (Thresholds::of(values), shared::Thresholds::of(values));
        Self {
            fast: Window::new(own.ae_rejects_within, own.ae_rejects),
            slow: Window::new(shared.slow_within, own.ae_rejects),
        }
    }
}

impl Detector for AeRejects {
    fn evicted(&self) -> u64 {
        self.fast.evicted() + self.slow.evicted()
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        let What::AssociationRejected {
            calling,
            called,
            source,
            reason,
        } = &seen.what
        else {
            return None;
        };
        if !NOT_RECOGNISED.contains(&(*source, *reason)) {
            return None;
        }
        let (server, port) = (seen.server.ip(), seen.server.port());
        let one = (server, port, calling.clone(), called.clone());
        let client = seen.client.ip();
        let slow = self.slow.add(site.who(client), one.clone(), seen.time);
        let fast = self.fast.add(site.who(client), one, seen.time);
        let seconds = if fast.is_some() {
            self.fast.took()
        } else {
            self.slow.took()
        };
        let draft = rejected(&fast.or(slow)?, seconds);
        let service = seen.service().filter(|_| draft.victims.len() == 1);
        Some(Draft { service, ..draft })
    }

    fn settled(&mut self, site: &Site<'_>) -> Vec<(Time, Draft)> {
        let windows = [&mut self.fast, &mut self.slow];
        let all = windows.into_iter().flat_map(|one| one.settled(site.now));
        let draft = |one: Settled<Try>| (one.time, rejected(&one.things, one.took).by(one.suspect));
        largest(all).into_iter().map(draft).collect()
    }
}

/// Pairs of AE titles that servers did not recognise.
fn rejected(tries: &[Try], seconds: i64) -> Draft {
    let servers: BTreeSet<IpAddr> = tries.iter().map(|one| one.0).collect();
    Draft {
        confidence: 0.8,
        evidence: format!(
            "{} pairs of AE titles that {} did not recognise, within {seconds} s",
            at_least(tries.len()),
            several_at_least(servers.len(), "DICOM servers"),
        ),
        victims: servers.into_iter().collect(),
        ..Draft::default()
    }
}
