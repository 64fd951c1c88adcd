//! Five minutes of a device that are surprising in several measures at once, by its own past and that of its kind.
//!
//! What is attacked needs no detector of its own for that: each measure is compared with how often it had such a value. How
//! surprising is too surprising follows from how many false alerts a site can bear.

use std::net::IpAddr;

use sensor_facts::finding::Contribution;

use crate::{
    behaviour::{Judged, Side, Surprise, Unit},
    detect::prelude::*,
};

pub(super) const ABOUT: About = About {
    id: "unusual_behaviour",
    techniques: &["T1078"],
    finds: "five minutes of a device that are surprising in several measures at once, as seldom as the budget allows",
    starts: Starts::WithHistory,
    wrong_if: &[
        "the device was given other work, is being updated, or is used in an unusual situation",
    ],
    thresholds: THRESHOLDS,
    features: &[],
    new: |values| Box::new(UnusualBehaviour::new(values)),
};

thresholds! {
    /// How many false alerts a day and 1,000 devices are acceptable: as many hours of devices reach the score that is needed.
    behaviour_budget: number = 1.0, 0.01..=1000.0;
    /// The least score: by how many powers of ten the measures are rarer than one window in a thousand, all together.
    behaviour_least: number = 1.0, 0.0..=100.0;
    /// Nothing is judged before this number of 5-minute windows of all devices: about a day of 20 devices. With a model that says what
    /// a first day is like, a tenth of them is enough. A device without a past is compared with the others.
    behaviour_windows: count = 5_000, 0..=1_000_000;
}

/// Measures that are named.
const SHOWN: usize = 3;
/// A measure that is less surprising than this is not named.
const WORTH: f64 = 1.0;

pub(super) struct UnusualBehaviour {
    reported: Reported<IpAddr>,
    own: Thresholds,
}

impl UnusualBehaviour {
    fn new(values: &Values) -> Self {
        Self {
            reported: Reported::new(values),
            own: Thresholds::of(values),
        }
    }
}

impl Detector for UnusualBehaviour {
    fn evicted(&self) -> u64 {
        self.reported.evicted()
    }

    fn judged(&mut self, judged: &Judged, site: &Site<'_>) -> Option<Draft> {
        let needed = site
            .behaviour
            .threshold(self.own.behaviour_budget)
            .max(self.own.behaviour_least);
        if judged.score < needed
            || site.behaviour.windows() < self.own.behaviour_windows
            || !self.reported.first(judged.device, site.now)
        {
            return None;
        }
        let decisive: Vec<&Surprise> = judged
            .surprises
            .iter()
            .take(SHOWN)
            .filter(|one| one.discounted >= WORTH)
            .collect();
        let words: Vec<String> = decisive.iter().map(|one| sentence(one)).collect();
        let compared = if judged.has_past() {
            format!(
                "compared with 99 of 100 of its {}",
                several(judged.windows.into(), "earlier windows with traffic")
            )
        } else {
            "compared with 99 of 100 windows of other devices, as little is known of this one"
                .to_owned()
        };
        // What others do to it makes it a victim.
        let of = |side| -> f64 {
            let shares = judged
                .surprises
                .iter()
                .filter(|one| one.measure.side() == side);
            shares.map(|one| one.share).sum()
        };
        let role = if of(Side::Others) > of(Side::Own) {
            AttackRole::Victim
        } else {
            AttackRole::Suspect
        };
        Some(Draft {
            basis: Basis::Model,
            role,
            confidence: 0.55,
            evidence: format!("unusual in 5 minutes, {compared}: {}", words.join("; ")),
            features: decisive.into_iter().map(contribution_of).collect(),
            ..Draft::default()
        })
    }
}

fn amount(value: u64, unit: Unit) -> String {
    match unit {
        Unit::Bytes if value >= 10_000_000 => format!("{} MB", value / 1_000_000),
        Unit::Bytes if value >= 10_000 => format!("{} kB", value / 1_000),
        Unit::Count | Unit::Bytes | Unit::Seconds => value.to_string(),
    }
}

fn sentence(one: &Surprise) -> String {
    let unit = one.measure.unit();
    format!(
        "{}: {} (usually at most {})",
        one.measure.label(),
        amount(one.value, unit),
        amount(one.usual, unit)
    )
}

fn contribution_of(one: &Surprise) -> Contribution {
    Contribution {
        feature: format!("{} in 5 minutes", one.measure.label()),
        value: one.value,
        usual: None,
        range: Some((0, one.usual)),
    }
}
