//! From what was seen to what is suspected.
//!
//! A detector takes [`Observation`]s and gives [`Finding`]s; each is a file of its own, which says its evidence
//! in words and numbers, its ATT&CK technique, and what would make it wrong. What is usual it asks of the
//! [baselines](crate::baseline).

mod ae_rejects;
mod arp_spoof;
mod beacon;
mod brute_force;
mod cleartext;
pub mod clinical;
mod dns_tunnel;
mod draft;
mod echo_sweep;
mod exfiltration;
mod fan_out;
mod flood;
mod hl7_replay;
mod hl7_sender;
mod mass_find;
mod mass_pull;
mod model;
mod move_destination;
mod nak_burst;
mod new_service;
mod off_hours;
mod once;
mod probe;
mod puller;
mod routers;
mod scan;
mod sweep;
#[cfg(test)]
mod tests;
mod time_skew;
mod unknown_modality;
mod unusual;
mod window;

use std::net::IpAddr;

pub(crate) use draft::{Draft, contribution};
pub(crate) use routers::Routers;

use crate::{
    baseline::{Baselines, Delta, Fact, Familiar},
    config::Detect,
    model::Scored,
};
use sensor_facts::{finding::Finding, observation::Observation, time::Time};

/// What a detector may ask.
pub(crate) struct Site<'a> {
    /// The time of the observation.
    pub(crate) now: Time,
    /// What is usual.
    pub(crate) baselines: &'a Baselines,
    /// Who stands for many.
    pub(crate) routers: &'a Routers,
    /// Thresholds.
    pub(crate) options: &'a Detect,
    /// Bytes of the observed flow since its last report.
    pub(crate) delta: Option<Delta>,
}

impl Site<'_> {
    /// True if the fact is part of what is usual of the device.
    pub(crate) fn knows(&self, device: IpAddr, fact: &Fact<'_>) -> bool {
        self.baselines.familiar(device, fact, self.now) == Familiar::Known
    }

    /// True if the fact is usual at the site.
    pub(crate) fn knows_at_site(&self, fact: &Fact<'_>) -> bool {
        self.baselines.familiar_at_site(fact, self.now) == Familiar::Known
    }

    /// True while the site is learnt.
    pub(crate) fn learns(&self) -> bool {
        self.baselines.site_learns(self.now)
    }

    /// True for an address outside of the site.
    pub(crate) fn is_outside(&self, address: IpAddr) -> bool {
        self.options.is_outside(address)
    }
}

/// A detector: state in, finding out.
trait Detector: Send {
    /// Its name in findings and configuration.
    fn name(&self) -> &'static str;

    /// Takes an observation; what it makes of it. The baselines do not know of it yet.
    fn observe(&mut self, _: &Observation, _: &Site<'_>) -> Option<Draft> {
        None
    }

    /// Takes what the anomaly model said of flows, which may come a little later than the flows.
    fn scored(&mut self, _: &[Scored], _: &Site<'_>) {}

    /// A device's 5-minute window is over; what it makes of its windows as they were just before.
    fn window(&mut self, _device: IpAddr, _: &Site<'_>) -> Option<Draft> {
        None
    }
}

/// All detectors.
pub struct Detectors {
    detectors: Vec<Box<dyn Detector>>,
}

impl Detectors {
    /// With these thresholds.
    #[must_use]
    pub fn new(options: &Detect) -> Self {
        let all: Vec<Box<dyn Detector>> = vec![
            Box::new(scan::Scan::new(options)),
            Box::new(sweep::Sweep::new(options)),
            Box::new(probe::Probe::new(options)),
            Box::new(brute_force::BruteForce::new(options)),
            Box::new(ae_rejects::AeRejects::new(options)),
            Box::new(echo_sweep::EchoSweep::new(options)),
            Box::new(unknown_modality::UnknownModality::default()),
            Box::new(puller::Puller::default()),
            Box::new(mass_find::MassFind::default()),
            Box::new(mass_pull::MassPull::default()),
            Box::new(move_destination::MoveDestination::default()),
            Box::new(hl7_sender::Hl7Sender::default()),
            Box::new(hl7_replay::Hl7Replay::new(options)),
            Box::new(nak_burst::NakBurst::new()),
            Box::new(time_skew::TimeSkew::default()),
            Box::new(fan_out::FanOut::new(options)),
            Box::new(beacon::Beacon::default()),
            Box::new(dns_tunnel::DnsTunnel::default()),
            Box::new(exfiltration::Exfiltration::default()),
            Box::new(new_service::NewService::default()),
            Box::new(off_hours::OffHours::default()),
            Box::new(arp_spoof::ArpSpoof::default()),
            Box::new(flood::Flood::new(options)),
            Box::new(cleartext::ClearText::default()),
            Box::new(unusual::Unusual::default()),
            Box::new(model::StrangeFlows::default()),
        ];
        Self {
            detectors: all
                .into_iter()
                .filter(|one| !options.off.iter().any(|off| off == one.name()))
                .collect(),
        }
    }

    /// The names of all detectors that are on.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.detectors.iter().map(|one| one.name())
    }

    /// Takes an observation; what is found by it.
    pub(crate) fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Vec<Finding> {
        let mut found = Vec::new();
        for one in &mut self.detectors {
            if let Some(draft) = one.observe(seen, site) {
                found.push(draft.of_observation(one.name(), seen));
            }
        }
        found
    }

    /// Takes what the anomaly model said of flows.
    pub(crate) fn scored(&mut self, scored: &[Scored], site: &Site<'_>) {
        if scored.is_empty() {
            return;
        }
        for one in &mut self.detectors {
            one.scored(scored, site);
        }
    }

    /// A 5-minute window of a device is over; what is found by it.
    pub(crate) fn window(&mut self, device: IpAddr, site: &Site<'_>) -> Vec<Finding> {
        let mut found = Vec::new();
        for one in &mut self.detectors {
            if let Some(draft) = one.window(device, site) {
                found.push(draft.of_device(one.name(), device, site.now));
            }
        }
        found
    }
}
