//! All detectors, by name and at work.

use std::net::IpAddr;

use sensor_facts::{finding::Finding, observation::Observation};

use super::{
    about::About, detector::Detector, detectors::ALL, draft::Draft, options::Detect, site::Site,
};
use crate::{behaviour::Judged, model::Scored};

/// A finding with the detector that it is from.
pub(crate) type Found = (&'static About, Finding);

/// The detectors that are on.
pub struct Detectors {
    detectors: Vec<(&'static About, Box<dyn Detector>)>,
}

impl Detectors {
    /// With these thresholds.
    #[must_use]
    pub fn new(options: &Detect) -> Self {
        Self {
            detectors: ALL
                .iter()
                .filter(|about| !options.off.iter().any(|off| off == about.id))
                .map(|about| (*about, (about.new)(options.values())))
                .collect(),
        }
    }

    /// The names of all detectors that are on.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.detectors.iter().map(|(about, _)| about.id)
    }

    /// Suspects that all detectors forgot to make room for others.
    pub(crate) fn evicted(&self) -> u64 {
        self.detectors.iter().map(|(_, one)| one.evicted()).sum()
    }

    /// Takes an observation; what is found by it.
    pub(crate) fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Vec<Found> {
        let mut found = Vec::new();
        for (about, one) in &mut self.detectors {
            if let Some(draft) = one.observe(seen, site) {
                found.push((
                    *about,
                    complete(draft, about).of_observation(about.id, seen),
                ));
            }
        }
        found
    }

    /// Takes what the anomaly model said of flows.
    pub(crate) fn scored(&mut self, scored: &[Scored], site: &Site<'_>) {
        if scored.is_empty() {
            return;
        }
        for (_, one) in &mut self.detectors {
            one.scored(scored, site);
        }
    }

    /// A 5-minute window of a device is over; what is found by it.
    pub(crate) fn window(&mut self, device: IpAddr, site: &Site<'_>) -> Vec<Found> {
        self.about(device, site, |one| one.window(device, site))
    }

    /// A device's window was judged by its measures; what is found by it.
    pub(crate) fn judged(&mut self, judged: &Judged, site: &Site<'_>) -> Vec<Found> {
        self.about(judged.device, site, |one| one.judged(judged, site))
    }

    /// What suspects did beyond what was found.
    pub(crate) fn settled(&mut self, site: &Site<'_>) -> Vec<Found> {
        let mut found = Vec::new();
        for (about, one) in &mut self.detectors {
            for (time, draft) in one.settled(site) {
                let Some(subject) = draft.subject else {
                    continue;
                };
                let draft = complete(draft, about);
                found.push((*about, draft.of_device(about.id, subject, time)));
            }
        }
        found
    }

    fn about(
        &mut self,
        device: IpAddr,
        site: &Site<'_>,
        mut ask: impl FnMut(&mut dyn Detector) -> Option<Draft>,
    ) -> Vec<Found> {
        let mut found = Vec::new();
        for (about, one) in &mut self.detectors {
            if let Some(draft) = ask(one.as_mut()) {
                let draft = complete(draft, about);
                found.push((*about, draft.of_device(about.id, device, site.now)));
            }
        }
        found
    }
}

/// What a draft leaves out is what its detector says about itself.
fn complete(mut draft: Draft, about: &About) -> Draft {
    if draft.technique.is_empty() {
        draft.technique = about.techniques.first().copied().unwrap_or_default();
    }
    if draft.wrong_if.is_empty() {
        draft.wrong_if = about.wrong_if.first().copied().unwrap_or_default();
    }
    debug_assert!(
        about.techniques.contains(&draft.technique),
        "{} does not declare the technique {}",
        about.id,
        draft.technique
    );
    debug_assert!(
        about.wrong_if.contains(&draft.wrong_if),
        "{} does not declare that it is wrong if {}",
        about.id,
        draft.wrong_if
    );
    draft
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::about::Starts;

    const TWO: About = About {
        id: "two",
        techniques: &["T1001", "T1002"],
        finds: "nothing",
        starts: Starts::AtOnce,
        wrong_if: &["first", "second"],
        thresholds: &[],
        features: &[],
        new: |_| Box::new(Nothing),
    };

    struct Nothing;

    impl Detector for Nothing {}

    #[test]
    fn what_a_draft_leaves_out_is_what_its_detector_declares() {
        let draft = complete(Draft::default(), &TWO);
        assert_eq!((draft.technique, draft.wrong_if), ("T1001", "first"));
        let draft = Draft {
            technique: "T1002",
            wrong_if: "second",
            ..Draft::default()
        };
        let draft = complete(draft, &TWO);
        assert_eq!((draft.technique, draft.wrong_if), ("T1002", "second"));
    }

    #[test]
    #[should_panic(expected = "does not declare the technique T9999")]
    fn a_technique_that_is_not_declared_is_noticed() {
        let draft = Draft {
            technique: "T9999",
            ..Draft::default()
        };
        complete(draft, &TWO);
    }

    #[test]
    fn off_switches_exactly_the_named_ones_off() {
        let mut options = Detect::default();
        options.off = vec!["scan".to_owned(), "flood".to_owned()];
        let on: Vec<&str> = Detectors::new(&options).names().collect();
        assert_eq!(on.len(), ALL.len() - 2);
        assert!(!on.contains(&"scan") && !on.contains(&"flood"));
    }
}
