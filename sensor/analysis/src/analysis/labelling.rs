//! What people say of alerts and incidents.

use sensor_facts::{
    alert::{Alert, Label, LabelError, Verdict},
    incident::Incident,
};

use super::Analysis;
use crate::{alert::Case, model::features};

/// What labelling an incident did.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelledIncident {
    /// The incident.
    pub incident: Incident,
    /// The alerts that got the label.
    pub alerts: Vec<Alert>,
    /// Alerts that did not get it, and why.
    pub refused: Vec<(u64, String)>,
}

impl Analysis {
    /// Labels an alert, with what follows for the baselines, and keeps it as a case with its evidence.
    ///
    /// # Errors
    /// [`LabelError`]; nothing is changed then.
    pub fn label(&mut self, id: u64, label: &Label) -> Result<Alert, LabelError> {
        let verdict = label.verdict;
        let alert = self.alerts.label(id, label)?;
        self.incidents.alert_labelled(&alert);
        if !alert.role.is_victim() {
            match verdict {
                Verdict::Benign => self.known.baselines.trust(alert.device),
                Verdict::Malicious => self.known.baselines.unlearn(alert.device, alert.opened),
            }
        }
        let flows = self.recent.rows(&alert).into_iter();
        self.cases.keep(Case {
            alert: alert.clone(),
            schema: features::SCHEMA.to_owned(),
            flows: flows.map(Into::into).collect(),
        });
        Ok(alert)
    }

    /// Labels an incident and all its alerts.
    ///
    /// # Errors
    /// In words, when there is no such incident or no reason; nothing is changed then.
    pub fn label_incident(&mut self, id: u64, label: &Label) -> Result<LabelledIncident, String> {
        if label.reason.trim().is_empty() {
            return Err(LabelError::NoReason.to_string());
        }
        let ids = self.incidents.to_label(id)?;
        // First, so that no alert that is labelled leaves it.
        let incident = self.incidents.labelled(id, label)?;
        let (mut alerts, mut refused) = (Vec::new(), Vec::new());
        for alert in ids {
            match self.label(alert, label) {
                Ok(labelled) => alerts.push(labelled),
                Err(LabelError::Same { .. }) => {}
                Err(error) => refused.push((alert, error.to_string())),
            }
        }
        Ok(LabelledIncident {
            incident,
            alerts,
            refused,
        })
    }
}
