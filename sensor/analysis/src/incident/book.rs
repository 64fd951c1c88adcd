//! All incidents: how alerts join them, what is told of them, and when they are over. Kept in `incidents.json` in the
//! state directory.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    net::IpAddr,
    path::Path,
};

use sensor_facts::{
    alert::{Alert, Verdict},
    files,
    finding::Finding,
    incident::{Change, End, Incident, Tie},
    observation::Observation,
    rule::Actor,
    time::Time,
};
use serde::{Deserialize, Serialize};

use super::{
    contacts::Contacts,
    index::{Acts, Index, Named},
    parts,
    ties::{Common, gets_in, only_looks},
    told::{IncidentUpdate, Standing},
};
use crate::{baseline::Baselines, config::Grouping};

/// Incidents that are kept.
const INCIDENTS_MAX: usize = 1_000;
/// Victims that an incident names.
const VICTIMS_MAX: usize = 256;
/// Hints that an incident keeps, the last ones.
const HINTS_MAX: usize = 64;
/// Links that an incident keeps.
const LINKS_MAX: usize = 1_024;
/// Alerts that an incident names.
const ALERTS_MAX: usize = 256;
/// Alerts whose incident is known.
const ALERTS_KNOWN_MAX: usize = 65_536;
const FILE: &str = "incidents.json";

/// An alert that was raised or got another finding.
pub(crate) struct Found<'a> {
    pub(crate) alert: &'a Alert,
    /// Its findings that are new to the incidents.
    pub(crate) new: &'a [Finding],
    /// The Ethernet address that sent it, unless that is a router's.
    pub(crate) mac: Option<String>,
}

/// What is usual, as far as it decides what belongs together.
pub(crate) struct Knows<'a> {
    /// The device has always had to do with the peer.
    pub(crate) peer: &'a dyn Fn(IpAddr, IpAddr) -> bool,
    /// The device has always called itself so.
    pub(crate) title: &'a dyn Fn(IpAddr, &str) -> bool,
    /// The host is outside of the site.
    pub(crate) outside: &'a dyn Fn(IpAddr) -> bool,
    /// The site is learnt, so that nothing is usual yet.
    pub(crate) learns: bool,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Content {
    pub(super) last_id: u64,
    pub(super) incidents: BTreeMap<u64, Incident>,
    pub(super) index: Index,
}

/// All incidents. See the module's description.
#[derive(Default)]
pub struct Incidents {
    pub(super) options: Grouping,
    pub(super) content: Content,
    pub(super) contacts: Contacts,
    /// The incidents of alerts.
    pub(super) of_alert: HashMap<u64, u64>,
    /// What is to be told.
    pub(super) told: Vec<IncidentUpdate>,
    /// When open incidents were told last, and whether more has changed since.
    pub(super) last_told: HashMap<u64, (Time, bool)>,
    pub(super) standing: Standing,
    pub(super) changed: bool,
}

impl Incidents {
    /// No incidents.
    #[must_use]
    pub fn new(options: Grouping) -> Self {
        Self {
            options,
            ..Self::default()
        }
    }

    /// Reads what was kept. Incidents that were open are so still.
    #[must_use]
    pub fn open(folder: &Path, options: Grouping) -> Self {
        let mut this = Self::new(options);
        this.content = files::read(&folder.join(FILE));
        let Content {
            incidents, index, ..
        } = &mut this.content;
        for incident in incidents.values() {
            let alerts = incident.alerts.iter().map(|one| one.alert);
            this.of_alert.extend(alerts.map(|one| (one, incident.id)));
            if incident.is_open() {
                index.enter(incident);
                this.last_told
                    .insert(incident.id, (incident.updated, false));
            }
        }
        this
    }

    /// Writes what is new to the disk.
    ///
    /// # Errors
    /// When the file can't be written; it is tried again with the next call.
    pub fn save(&mut self, folder: &Path) -> io::Result<()> {
        if self.changed {
            files::write(&folder.join(FILE), &self.content)?;
            self.changed = false;
        }
        Ok(())
    }

    /// Puts other options in force.
    pub fn set(&mut self, options: Grouping) {
        self.options = options;
    }

    /// Takes who talks to whom, with the baselines as they were before it.
    pub(crate) fn learn(&mut self, seen: &Observation, baselines: &Baselines) {
        self.contacts.learn(seen, baselines);
    }

    /// An incident.
    #[must_use]
    pub fn get(&self, id: u64) -> Option<&Incident> {
        self.content.incidents.get(&id)
    }

    /// The incident of an alert.
    #[must_use]
    pub fn of_alert(&self, alert: u64) -> Option<u64> {
        self.of_alert.get(&alert).copied()
    }

    /// All incidents that are kept, the latest first.
    pub fn all(&self) -> impl Iterator<Item = &Incident> {
        self.content.incidents.values().rev()
    }

    /// Takes an alert that was raised or got another finding, or a hint: an alert without a number or one that nobody is
    /// told of.
    pub(crate) fn take(&mut self, found: &Found<'_>, knows: &Knows<'_>) {
        let alert = found.alert;
        let own = self.of_alert(alert.id).filter(|_| alert.id != 0);
        if let Some(id) = own.filter(|id| self.get(*id).is_some_and(|one| !one.is_open())) {
            self.add_to_closed(id, alert);
            return;
        }
        let common = self.ties(found, knows);
        if alert.id == 0 || (alert.suppressed && own.is_none()) {
            self.hint(found, &common);
            return;
        }
        let candidates: Vec<u64> = own
            .into_iter()
            .chain(common.iter().map(|one| one.incident))
            .collect();
        let same = |one: &&Common| matches!(one.link.because, Tie::SameDevice { .. });
        let of_device = common.iter().filter(same).map(|one| one.incident).min();
        let Some(target) = self.target(own.or(of_device), &candidates) else {
            if alert.severity >= self.options.severity {
                self.open_with(found);
            }
            return;
        };
        let is_new = own.is_none();
        let is_material = self.add(own.unwrap_or(target), found, is_new);
        let mut others: Vec<u64> = candidates;
        others.retain(|other| *other != target);
        others.sort_unstable();
        others.dedup();
        let mut merged = false;
        for other in others {
            if self.may_join(target, other) {
                self.merge_into(target, other, alert.updated, &Actor::Daemon);
                merged = true;
            }
        }
        self.link(target, &common);
        if merged {
            self.tell(target, Change::Merged);
        } else if is_material {
            self.tell_soon(target, alert.updated);
        }
    }

    /// An alert of an incident that was closed got another finding. If that is worth telling the incident goes on again,
    /// unless a person said that it was nothing bad.
    fn add_to_closed(&mut self, id: u64, alert: &Alert) {
        let Some(incident) = self.content.incidents.get_mut(&id) else {
            return;
        };
        self.changed = true;
        let is_material = parts::put(incident, alert, ALERTS_MAX, false);
        parts::refresh(incident);
        let label = incident.label.as_ref().map(|label| label.verdict);
        if is_material && label != Some(Verdict::Benign) {
            incident.end = None;
            self.content.index.enter(incident);
            self.tell(id, Change::Opened);
        }
    }

    /// The oldest incident that an alert belongs to. Where one is its own, or that of its device, those that may be joined
    /// with that one.
    fn target(&self, own: Option<u64>, candidates: &[u64]) -> Option<u64> {
        let fits = |one: &&u64| own.is_none_or(|own| own == **one || self.may_join(own, **one));
        candidates.iter().filter(fits).min().copied()
    }

    /// True for two open incidents that nobody separated.
    fn may_join(&self, a: u64, b: u64) -> bool {
        let open = |id| self.get(id).filter(|one| one.is_open());
        match (open(a), open(b)) {
            (Some(a), Some(b)) => !a.apart.contains(&b.id) && !b.apart.contains(&a.id),
            _ => false,
        }
    }

    fn open_with(&mut self, found: &Found<'_>) {
        let alert = found.alert;
        let id = self.open_empty(alert.opened);
        self.standing.opened += 1;
        self.add(id, found, true);
        self.tell(id, Change::Opened);
    }

    /// A new incident without alerts.
    pub(super) fn open_empty(&mut self, time: Time) -> u64 {
        if self.content.incidents.len() >= INCIDENTS_MAX {
            self.make_room();
        }
        self.content.last_id += 1;
        let id = self.content.last_id;
        self.content.incidents.insert(id, parts::empty(id, time));
        id
    }

    /// Forgets the incident that matters least.
    fn make_room(&mut self) {
        let worth = |one: &&Incident| {
            let handled = one.label.is_some() || !one.notes.is_empty();
            (one.is_open(), handled, one.severity, one.id)
        };
        let least = self.content.incidents.values().min_by_key(worth);
        if let Some(id) = least.map(|one| one.id)
            && let Some(old) = self.content.incidents.remove(&id)
        {
            self.content.index.leave(&old);
            self.of_alert.retain(|_, incident| *incident != id);
            self.last_told.remove(&id);
            self.standing.evicted += 1;
        }
    }

    /// Puts an alert into an incident, or what it is now. True if that is worth telling.
    fn add(&mut self, id: u64, found: &Found<'_>, is_new: bool) -> bool {
        let alert = found.alert;
        let Some(incident) = self.content.incidents.get_mut(&id) else {
            return false;
        };
        self.changed = true;
        if is_new && self.of_alert.len() < ALERTS_KNOWN_MAX {
            self.of_alert.insert(alert.id, id);
        }
        let is_material = parts::put(incident, alert, ALERTS_MAX, is_new);
        if !incident.has(alert.id) {
            return is_material;
        }
        let index = &mut self.content.index;
        index.acts(
            alert.device,
            Acts {
                incident: id,
                alert: alert.id,
                role: alert.role,
                severity: alert.severity,
                opened: alert.opened,
            },
        );
        if let Some(mac) = &found.mac {
            index.sends(mac, id, alert.id);
        }
        for finding in found.new {
            for victim in finding.targets() {
                let known = incident.victims.contains(victim);
                if !known && incident.victims.len() == VICTIMS_MAX {
                    continue;
                }
                if !known {
                    incident.victims.push(*victim);
                }
                // A victim's finding does not say who did it.
                if !finding.role.is_victim() {
                    let named = Named {
                        incident: id,
                        alert: alert.id,
                        by: alert.device,
                        time: finding.time,
                        looked: only_looks(finding),
                        entered: gets_in(finding),
                    };
                    index.name(*victim, named);
                }
            }
        }
        parts::refresh(incident);
        is_material
    }

    fn link(&mut self, id: u64, common: &[Common]) {
        let Some(incident) = self.content.incidents.get_mut(&id) else {
            return;
        };
        for one in common {
            parts::link(incident, &one.link, LINKS_MAX);
        }
        parts::refresh(incident);
    }

    /// Notes a hint in the first incident that it belongs to.
    fn hint(&mut self, found: &Found<'_>, common: &[Common]) {
        let Some(id) = common.iter().map(|one| one.incident).min() else {
            return;
        };
        let (Some(incident), Some(finding)) =
            (self.content.incidents.get_mut(&id), found.new.last())
        else {
            return;
        };
        self.changed = true;
        parts::hint(incident, finding, HINTS_MAX);
    }

    /// One incident takes in another.
    pub(super) fn merge_into(&mut self, id: u64, other: u64, now: Time, by: &Actor) {
        let Some(mut old) = self.content.incidents.remove(&other) else {
            return;
        };
        let Some(incident) = self.content.incidents.get_mut(&id) else {
            self.content.incidents.insert(other, old);
            return;
        };
        self.changed = true;
        self.standing.merged += 1;
        self.content.index.rename(&old, id);
        for one in &old.alerts {
            self.of_alert.insert(one.alert, id);
        }
        parts::take_in(incident, &mut old, VICTIMS_MAX, (LINKS_MAX, HINTS_MAX));
        for cut in incident
            .alerts
            .split_off(incident.alerts.len().min(ALERTS_MAX))
        {
            incident.alerts_cut += 1;
            self.content.index.shift(cut.device, cut.alert, &[], None);
        }
        old.merged_into = Some(id);
        old.end = Some(End {
            time: now,
            by: by.clone(),
            reason: format!("it is a part of I{id}"),
        });
        self.content.incidents.insert(other, old);
        self.tell(other, Change::Closed);
        self.last_told.remove(&other);
    }
}
