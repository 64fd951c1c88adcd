//! What open incidents are about, by device and Ethernet address.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
};

use sensor_facts::{alert::Severity, finding::AttackRole, incident::Incident, time::Time};
use serde::{Deserialize, Serialize};

/// Incidents that name one device as attacked are kept up to this number, the last ones.
const NAMED_MAX: usize = 8;
/// Ethernet addresses that are kept.
const MACS_MAX: usize = 4_096;

/// An alert of an open incident, as its device finds it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Acts {
    pub(super) incident: u64,
    pub(super) alert: u64,
    pub(super) role: AttackRole,
    pub(super) severity: Severity,
    pub(super) opened: Time,
}

/// An alert of an open incident names a device as one that something was done to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Named {
    pub(super) incident: u64,
    pub(super) alert: u64,
    /// The device of the alert.
    pub(super) by: IpAddr,
    pub(super) time: Time,
    /// It was only looked whether it is there and what it offers.
    pub(super) looked: bool,
    /// The device may be the attacker's since then.
    pub(super) entered: bool,
}

/// The part of the index that can't be made of incidents again.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Index {
    pub(super) named: HashMap<IpAddr, VecDeque<Named>>,
    /// The incident and the alert that packets of an Ethernet address belong to.
    pub(super) macs: HashMap<String, (u64, u64)>,
    #[serde(skip)]
    pub(super) devices: HashMap<IpAddr, Vec<Acts>>,
}

impl Index {
    /// Enters the alerts of an open incident.
    pub(super) fn enter(&mut self, incident: &Incident) {
        for one in &incident.alerts {
            self.acts(
                one.device,
                Acts {
                    incident: incident.id,
                    alert: one.alert,
                    role: one.role,
                    severity: one.severity,
                    opened: one.opened,
                },
            );
        }
    }

    /// Enters an alert, or what it is now.
    pub(super) fn acts(&mut self, device: IpAddr, new: Acts) {
        let all = self.devices.entry(device).or_default();
        match all.iter_mut().find(|one| one.alert == new.alert) {
            Some(old) => *old = new,
            None => all.push(new),
        }
    }

    /// Enters a device that an alert names.
    pub(super) fn name(&mut self, victim: IpAddr, new: Named) {
        let all = self.named.entry(victim).or_default();
        if let Some(old) = all.iter_mut().find(|one| one.alert == new.alert) {
            // What was done weighs more than a look, and what may have got in counts by its last time.
            old.looked &= new.looked;
            if new.entered {
                (old.entered, old.time) = (true, new.time);
            }
            return;
        }
        if all.len() == NAMED_MAX {
            all.pop_front();
        }
        all.push_back(new);
    }

    /// Enters the Ethernet address that packets of an alert came from. Whoever makes addresses up fills the table and takes
    /// no room from those that are in it.
    pub(super) fn sends(&mut self, mac: &str, incident: u64, alert: u64) {
        if self.macs.len() < MACS_MAX && !self.macs.contains_key(mac) {
            self.macs.insert(mac.to_owned(), (incident, alert));
        }
    }

    /// All of an incident belongs to another one from now on.
    pub(super) fn rename(&mut self, from: &Incident, to: u64) {
        self.each(from, |incident| *incident = to);
    }

    fn each(&mut self, of: &Incident, mut change: impl FnMut(&mut u64)) {
        let mut change = |incident: &mut u64| {
            if *incident == of.id {
                change(incident);
            }
        };
        for one in &of.alerts {
            let acts = self.devices.get_mut(&one.device).into_iter().flatten();
            acts.for_each(|one| change(&mut one.incident));
        }
        for victim in &of.victims {
            let named = self.named.get_mut(victim).into_iter().flatten();
            named.for_each(|one| change(&mut one.incident));
        }
        self.macs.values_mut().for_each(|(one, _)| change(one));
    }

    /// Takes out what an incident is about.
    pub(super) fn leave(&mut self, incident: &Incident) {
        let id = incident.id;
        for one in &incident.alerts {
            if let Some(acts) = self.devices.get_mut(&one.device) {
                acts.retain(|one| one.incident != id);
                if acts.is_empty() {
                    self.devices.remove(&one.device);
                }
            }
        }
        self.forget(&incident.victims, |one| one.incident == id);
        self.macs.retain(|_, (one, _)| *one != id);
    }

    /// Moves an alert to another incident, or takes it out.
    pub(super) fn shift(
        &mut self,
        device: IpAddr,
        alert: u64,
        victims: &[IpAddr],
        to: Option<u64>,
    ) {
        let Some(to) = to else {
            if let Some(acts) = self.devices.get_mut(&device) {
                acts.retain(|one| one.alert != alert);
            }
            self.forget(victims, |one| one.alert == alert);
            self.macs.retain(|_, (_, one)| *one != alert);
            return;
        };
        let acts = self.devices.get_mut(&device).into_iter().flatten();
        acts.filter(|one| one.alert == alert)
            .for_each(|one| one.incident = to);
        for victim in victims {
            let named = self.named.get_mut(victim).into_iter().flatten();
            named
                .filter(|one| one.alert == alert)
                .for_each(|one| one.incident = to);
        }
        let macs = self.macs.values_mut();
        macs.filter(|(_, one)| *one == alert)
            .for_each(|(incident, _)| *incident = to);
    }

    /// Those of the victims that an alert names.
    pub(super) fn named_by(&self, alert: u64, victims: &[IpAddr]) -> Vec<IpAddr> {
        let names = |victim: &&IpAddr| {
            let named = self.named.get(*victim);
            named.is_some_and(|all| all.iter().any(|one| one.alert == alert))
        };
        victims.iter().filter(names).copied().collect()
    }

    fn forget(&mut self, victims: &[IpAddr], which: impl Fn(&Named) -> bool) {
        for victim in victims {
            if let Some(named) = self.named.get_mut(victim) {
                named.retain(|one| !which(one));
                if named.is_empty() {
                    self.named.remove(victim);
                }
            }
        }
    }
}
