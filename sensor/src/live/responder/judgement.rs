//! From findings to decisions: how the capture fares, and what the policy says.

use std::{
    collections::{HashMap, VecDeque},
    io,
    sync::{Arc, Mutex},
};

use ipnet::IpNet;
use sensor_analysis::detect::clinical::Clinical;
use sensor_facts::{
    alert::{Alert, Touched},
    effect::Sighting,
    finding::Finding,
    lock::lock,
    observation::Observation,
    rule::RuleId,
    time::Time,
};
use sensor_response::{
    Keeper,
    config::Containment,
    policy::{self, Decision, Policy, Situation},
};

/// Pulses over which the loss is measured: a minute.
const LOSS_PULSES: usize = 60;

/// What the capture thread tells each second.
#[derive(Debug, Default)]
pub struct Pulse {
    /// What was seen of the rules' targets since the last pulse.
    pub seen: HashMap<RuleId, Sighting>,
    /// Packets and ring events since the last pulse.
    pub offered: u64,
    /// Of these, lost or not understood.
    pub lost: u64,
    /// Known devices by [`policy::neighbourhood`]; `None`: as before.
    pub devices: Option<HashMap<IpNet, usize>>,
}

/// From findings to decisions.
pub(crate) struct Judgement {
    clinical: Arc<Mutex<Clinical>>,
    policy: Policy,
    /// Offered and lost, of the last pulses.
    losses: VecDeque<(u64, u64)>,
    devices: HashMap<IpNet, usize>,
    inline: bool,
}

impl Judgement {
    pub(crate) fn new(
        clinical: Arc<Mutex<Clinical>>,
        containment: Containment,
        inline: bool,
    ) -> Self {
        Self {
            clinical,
            policy: Policy::new(containment),
            losses: VecDeque::new(),
            devices: HashMap::new(),
            inline,
        }
    }

    /// Puts another policy in force.
    pub(crate) fn set(&mut self, containment: Containment) {
        self.policy.set(containment);
    }

    /// Learns whom devices treat patients with.
    pub(crate) fn learn(&self, seen: &Observation) {
        lock(&self.clinical).learn(seen);
    }

    /// Writes that to the disk.
    pub(crate) fn save(&self) -> io::Result<()> {
        let Some(unsaved) = lock(&self.clinical).take_unsaved() else {
            return Ok(());
        };
        unsaved
            .write()
            .inspect_err(|_| lock(&self.clinical).put_back())
    }

    /// Clinical pairs that made room for others.
    pub(crate) fn evicted(&self) -> u64 {
        lock(&self.clinical).evicted()
    }

    pub(crate) fn pulse(&mut self, pulse: Pulse) {
        if self.losses.len() == LOSS_PULSES {
            self.losses.pop_front();
        }
        self.losses.push_back((pulse.offered, pulse.lost));
        if let Some(devices) = pulse.devices {
            self.devices = devices;
        }
    }

    /// What was offered in the last minute, and lost of it.
    pub(crate) fn loss(&self) -> (u64, u64) {
        self.losses
            .iter()
            .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }

    /// Loss in the last minute, per cent.
    #[expect(clippy::cast_precision_loss, reason = "a share need not be exact")]
    fn loss_percent(&self) -> f64 {
        let (offered, lost) = self.loss();
        if offered == 0 {
            return 0.0;
        }
        lost as f64 * 100.0 / offered as f64
    }

    pub(crate) fn decide(&mut self, finding: &Finding, keeper: &Keeper, resets: bool) -> Decision {
        let neighbours = policy::neighbourhood(finding.subject);
        let situation = Situation {
            now: keeper.time(),
            book: keeper.book(),
            loss_percent: self.loss_percent(),
            known_devices: self.devices.get(&neighbours).copied().unwrap_or(0),
            inline: self.inline,
            resets,
        };
        self.policy.decide(finding, &situation)
    }

    /// What containment of an alert's device would touch.
    pub(crate) fn touched(&self, alert: &Alert, now: Time) -> Touched {
        let clinical = lock(&self.clinical);
        let peers = clinical.peers_of(alert.device, now);
        Touched::by(alert, &peers, clinical.recent_of(alert.device, now))
    }
}
