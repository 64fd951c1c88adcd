//! Analysis of what a replay observes, as events: the daemon's way without its policy and its disk.

use super::{Analysis, AnalysisOptions, Outcome};
use crate::{
    alert::AlertUpdate,
    detect::clinical::{CLINICAL_AFTER, Clinical},
    incident::IncidentUpdate,
};
use sensor_facts::{
    alert::Touched,
    event::{AlertReport, Body, Event, IncidentReport},
    observation::Observation,
};

/// See the module's description.
pub struct Online {
    analysis: Analysis,
    clinical: Clinical,
    out: Outcome,
}

impl Online {
    /// Nothing is known.
    #[must_use]
    pub fn new(options: AnalysisOptions) -> Self {
        Self {
            analysis: Analysis::new(options),
            clinical: Clinical::new(CLINICAL_AFTER.as_nanos()),
            out: Outcome::default(),
        }
    }

    /// Takes an observation; what is found and told goes to `events`.
    pub fn observe(&mut self, seen: &Observation, events: &mut Vec<Event>) {
        self.clinical.learn(seen);
        self.analysis.observe(seen, &mut self.out);
        for finding in self.out.findings.drain(..) {
            let time = finding.time;
            let finding = Box::new(finding);
            events.push(Event::general(time, Body::Finding { finding }));
        }
        for AlertUpdate { change, alert } in self.out.alerts.drain(..) {
            let peers = self.clinical.peers_of(alert.device, alert.updated);
            let recent = self.clinical.recent_of(alert.device, alert.updated);
            self.analysis
                .touch(alert.id, &Touched::by(&alert, &peers, recent));
            let Some(alert) = self.analysis.alerts().get(alert.id).cloned() else {
                continue;
            };
            let time = alert.updated;
            let alert = Box::new(AlertReport { change, alert });
            events.push(Event::general(time, Body::Alert { alert }));
        }
        for IncidentUpdate { change, incident } in self.out.incidents.drain(..) {
            let time = incident.updated;
            let incident = Box::new(IncidentReport { change, incident });
            events.push(Event::general(time, Body::Incident { incident }));
        }
    }

    /// Detectors, baselines and alerts.
    #[must_use]
    pub fn analysis(&self) -> &Analysis {
        &self.analysis
    }
}
