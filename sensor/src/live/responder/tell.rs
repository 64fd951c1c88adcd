//! What is told of findings, alerts and incidents.

use sensor_analysis::{Outcome, alert::AlertUpdate, incident::IncidentUpdate};
use sensor_facts::{
    event::{AlertReport, Body, Event, IncidentReport},
    finding::Basis,
};

use super::Responder;

impl Responder {
    /// Decides about findings, then tells of them and of alerts.
    pub(super) fn take(&mut self, out: Outcome) {
        for finding in out.findings {
            if finding.basis != Basis::Exposure {
                self.respond(&finding);
            }
            let time = finding.time;
            let finding = Box::new(finding);
            self.output
                .send(Event::general(time, Body::Finding { finding }));
        }
        for AlertUpdate { change, alert } in out.alerts {
            let now = self.keeper().time();
            let touched = self.judgement.touched(&alert, now);
            self.analysis.touch(alert.id, &touched);
            let Some(alert) = self.analysis.alerts().get(alert.id).cloned() else {
                continue;
            };
            tracing::warn!(
                id = alert.id,
                severity = alert.severity.label(),
                change = change.label(),
                "alert: {}",
                alert.title
            );
            let time = alert.updated;
            let alert = Box::new(AlertReport { change, alert });
            self.output
                .send(Event::general(time, Body::Alert { alert }));
        }
        self.tell_incidents(out.incidents);
    }

    /// Tells what a person has just changed about incidents; the daemon may stop before the next tick.
    pub(crate) fn tell_changed_incidents(&mut self) {
        let told = self.analysis.incidents_mut().take_told();
        self.tell_incidents(told);
    }

    fn tell_incidents(&self, updates: Vec<IncidentUpdate>) {
        for IncidentUpdate { change, incident } in updates {
            tracing::warn!(
                id = incident.id,
                severity = incident.severity.label(),
                change = change.label(),
                "incident: {}",
                incident.title
            );
            let time = incident.updated;
            let incident = Box::new(IncidentReport { change, incident });
            self.output
                .send(Event::general(time, Body::Incident { incident }));
        }
    }
}
