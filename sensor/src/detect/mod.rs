//! From what was seen to what is suspected.
//!
//! A detector takes [`Observation`]s and gives [`Finding`]s; each is a file of its own. These are simple
//! thresholds, each with words for its evidence, its ATT&CK technique, and what would make it wrong.

mod ae_rejects;
pub mod clinical;
pub mod known;
mod observation;
mod puller;
mod scan;
mod window;

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

pub use known::Known;
pub use observation::{Observation, What};

use crate::{
    config::Detect,
    event::Time,
    response::{Service, Transport},
};

/// Something suspicious.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Its number since the daemon's start.
    pub id: u64,
    /// When the evidence was complete.
    pub time: Time,
    /// Who found it; findings of two detectors count as independent.
    pub detector: String,
    /// ATT&CK technique.
    pub technique: String,
    /// Who is suspected.
    pub subject: IpAddr,
    /// Whom it did something to; the first of them.
    pub victims: Vec<IpAddr>,
    /// How many there were.
    pub victim_count: u64,
    /// The service of the one victim, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Service>,
    /// The connection that completed the evidence, where there is one: the suspect's end first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<(SocketAddr, SocketAddr)>,
    /// The evidence, in words and numbers.
    pub evidence: String,
    /// What would make it wrong.
    pub wrong_if: String,
}

/// Victims that a finding names.
const VICTIMS_MAX: usize = 16;

/// What a detector found, before it is numbered.
pub(crate) struct Draft {
    pub(crate) technique: &'static str,
    pub(crate) victims: Vec<IpAddr>,
    pub(crate) service: Option<Service>,
    pub(crate) evidence: String,
    pub(crate) wrong_if: &'static str,
}

/// A detector: state in, finding out.
trait Detector: Send {
    /// Its name in findings and configuration.
    fn name(&self) -> &'static str;

    /// Takes an observation; what it makes of it.
    fn observe(&mut self, seen: &Observation, known: &Known) -> Option<Draft>;
}

/// All detectors.
pub struct Detectors {
    detectors: Vec<Box<dyn Detector>>,
    last_id: u64,
}

impl Detectors {
    /// With these thresholds.
    #[must_use]
    pub fn new(options: &Detect) -> Self {
        Self {
            detectors: vec![
                Box::new(scan::Scan::new(options)),
                Box::new(ae_rejects::AeRejects::new(options)),
                Box::new(puller::Puller::default()),
            ],
            last_id: 0,
        }
    }

    /// Takes an observation; what is found by it.
    pub fn observe(&mut self, seen: &Observation, known: &Known) -> Vec<Finding> {
        let mut findings = Vec::new();
        for detector in &mut self.detectors {
            let Some(mut draft) = detector.observe(seen, known) else {
                continue;
            };
            self.last_id += 1;
            let victim_count = draft.victims.len() as u64;
            draft.victims.truncate(VICTIMS_MAX);
            findings.push(Finding {
                id: self.last_id,
                time: seen.time,
                detector: detector.name().to_owned(),
                technique: draft.technique.to_owned(),
                subject: seen.client.ip(),
                victims: draft.victims,
                victim_count,
                service: draft.service,
                connection: (seen.transport == Transport::Tcp)
                    .then_some((seen.client, seen.server)),
                evidence: draft.evidence,
                wrong_if: draft.wrong_if.to_owned(),
            });
        }
        findings
    }
}
