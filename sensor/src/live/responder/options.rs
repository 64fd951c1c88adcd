//! Options of the response thread that a reload can change.

use std::time::Duration;

use sensor_analysis::AnalysisOptions;
use sensor_facts::target::Protected;
use sensor_response::config::Containment;

/// What can be set anew while it runs.
#[derive(Clone, Debug, PartialEq)]
pub struct ResponderOptions {
    /// What may be done by itself, and what is protected.
    pub containment: Containment,
    /// Baselines, detectors, alerts.
    pub analysis: AnalysisOptions,
}

impl ResponderOptions {
    /// What the configuration protects.
    #[must_use]
    pub fn protect(&self) -> Vec<Protected> {
        let protect = &self.containment.protect;
        protect.iter().map(|never| never.0).collect()
    }

    pub(super) fn patience(&self) -> Duration {
        self.containment.heartbeat.into()
    }
}
