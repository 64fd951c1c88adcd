//! What a report is asked of: an incident, or an alert and the incident that it belongs to.

use std::fmt;

use sensor_analysis::incident::no_incident;
use sensor_evidence::store::Reader;
use sensor_facts::incident::{Incident, number};

use crate::control::answer::Failed;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Incident(u64),
    Alert(u64),
}

impl Asked {
    /// Reads `I3` or `7`.
    pub(super) fn read(text: &str) -> Result<Self, Failed> {
        let id = number(text).map_err(|error| Failed::missing(&error))?;
        Ok(if text.starts_with(['I', 'i']) {
            Self::Incident(id)
        } else {
            Self::Alert(id)
        })
    }

    /// The incident: of those in memory, or as the store has it; of one that was taken in, the one that took it in.
    pub(super) fn incident(self, known: &[Incident], store: Option<&Reader>) -> Option<Incident> {
        let by_id = |id| {
            let known = known.iter().find(|one| one.id == id).cloned();
            known.or_else(|| store?.incident(id).ok()?)
        };
        let found = match self {
            Self::Incident(id) => by_id(id),
            Self::Alert(alert) => {
                let known = known.iter().find(|one| one.has(alert)).cloned();
                known.or_else(|| store?.incident_of(alert).ok()?)
            }
        }?;
        // Numbers fall from one to the next, so this ends.
        let mut last = found;
        while let Some(into) = last.merged_into.filter(|into| *into < last.id) {
            last = by_id(into)?;
        }
        Some(last)
    }

    /// The alert that the report is about first: the one that was asked for, or the first about the first affected device.
    pub(super) fn alert(self, incident: Option<&Incident>) -> Result<u64, Failed> {
        match (self, incident) {
            (Self::Alert(id), _) => Ok(id),
            (Self::Incident(id), None) => Err(Failed::missing(&no_incident(id))),
            (Self::Incident(id), Some(incident)) => {
                let mut alerts = incident.alerts.iter();
                let is_first = |one: &&sensor_facts::incident::Member| {
                    incident.first_affected == Some(one.device) && !one.role.is_victim()
                };
                let first = alerts.clone().find(is_first).or_else(|| alerts.next());
                first
                    .map(|one| one.alert)
                    .ok_or_else(|| Failed::missing(&format!("I{id} has no alerts")))
            }
        }
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Incident(id) => write!(f, "the report of incident I{id}"),
            Self::Alert(id) => write!(f, "the incident report of alert {id}"),
        }
    }
}
