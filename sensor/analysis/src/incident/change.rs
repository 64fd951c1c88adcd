//! What people do with incidents: merge, split, close, note, label.

use std::{collections::BTreeSet, net::IpAddr};

use sensor_facts::{
    alert::{Alert, Label, Verdict},
    incident::{Change, End, Incident, Link, Note, Tie},
    reason,
    rule::Actor,
    time::Time,
};

use super::{book::Incidents, parts};

/// Notes that an incident keeps.
const NOTES_MAX: usize = 128;
/// Characters of a note.
const NOTE_MAX: usize = 4_000;

/// What is wrong with what a person asks for, in words.
type Refused = String;

impl Incidents {
    /// An incident that goes on.
    fn open_one(&self, id: u64) -> Result<&Incident, Refused> {
        let incident = self.current(id)?;
        if incident.is_open() {
            Ok(incident)
        } else {
            Err(format!("I{id} is closed"))
        }
    }

    /// An incident that is no part of another one.
    ///
    /// # Errors
    /// In words, when there is no such incident, or its number is no longer used.
    pub fn current(&self, id: u64) -> Result<&Incident, Refused> {
        let incident = self.one(id)?;
        match incident.merged_into {
            Some(into) => Err(format!("I{id} is a part of I{into}: use that number")),
            None => Ok(incident),
        }
    }

    fn one(&self, id: u64) -> Result<&Incident, Refused> {
        self.get(id).ok_or_else(|| no_incident(id))
    }

    /// Makes two incidents one, which keeps the older number.
    ///
    /// # Errors
    /// In words, when one is not open; nothing is changed then.
    pub fn merge(&mut self, a: u64, b: u64, by: &Actor, now: Time) -> Result<Incident, Refused> {
        if a == b {
            return Err(format!(
                "I{a} can't be merged with itself: name two incidents"
            ));
        }
        let first = |one: &Incident| one.alerts.first().map(|one| one.alert);
        let ends = (first(self.open_one(a)?), first(self.open_one(b)?));
        let (older, younger) = (a.min(b), a.max(b));
        self.merge_into(older, younger, now, by);
        if let Some(incident) = self.content.incidents.get_mut(&older) {
            if let (Some(from), Some(to)) = ends {
                incident.links.push(by_person(from, to, by));
            }
            incident.updated = incident.updated.max(now);
            parts::refresh(incident);
        }
        self.tell(older, Change::Merged);
        self.one(older).cloned()
    }

    /// Makes an incident of its own of the alerts about some devices. No rule joins the two again.
    ///
    /// # Errors
    /// In words, when none or all of its alerts are about these devices; nothing is changed then.
    pub fn split(&mut self, id: u64, devices: &[IpAddr], now: Time) -> Result<Incident, Refused> {
        let incident = self.open_one(id)?;
        let moved: BTreeSet<u64> = incident
            .alerts
            .iter()
            .filter(|one| devices.contains(&one.device))
            .map(|one| one.alert)
            .collect();
        let unknown = |device: &&IpAddr| !incident.alerts.iter().any(|one| one.device == **device);
        if let Some(device) = devices.iter().find(unknown) {
            return Err(format!("no alert of I{id} is about {device}"));
        }
        if moved.is_empty() || moved.len() == incident.alerts.len() {
            return Err(format!(
                "all alerts of I{id} are about these devices: name some of its devices, not all of them"
            ));
        }
        let new = self.part_with(id, &moved, now);
        for (one, other) in [(id, new), (new, id)] {
            if let Some(incident) = self.content.incidents.get_mut(&one) {
                incident.apart.push(other);
            }
        }
        self.tell(id, Change::Split);
        self.tell(new, Change::Opened);
        self.one(new).cloned()
    }

    /// Moves alerts of an incident to a new one; its number.
    fn part_with(&mut self, id: u64, moved: &BTreeSet<u64>, now: Time) -> u64 {
        let new_id = self.open_empty(now);
        self.changed = true;
        let (Some(mut old), Some(mut new)) = (
            self.content.incidents.remove(&id),
            self.content.incidents.remove(&new_id),
        ) else {
            return new_id;
        };
        let (gone, stays) = old
            .alerts
            .drain(..)
            .partition(|one| moved.contains(&one.alert));
        (new.alerts, old.alerts) = (gone, stays);
        let links = std::mem::take(&mut old.links);
        for link in links {
            match (moved.contains(&link.from), moved.contains(&link.to)) {
                (true, true) => new.links.push(link),
                (false, false) => old.links.push(link),
                _ => {}
            }
        }
        let mut victims = BTreeSet::new();
        for one in &new.alerts {
            let named = self.content.index.named_by(one.alert, &old.victims);
            let to = Some(new_id);
            self.content.index.shift(one.device, one.alert, &named, to);
            self.of_alert.insert(one.alert, new_id);
            victims.extend(named);
        }
        new.victims = victims.into_iter().collect();
        self.only_named(&mut old);
        new.split_from = Some(id);
        new.updated = new
            .alerts
            .iter()
            .map(|one| one.updated)
            .max()
            .unwrap_or(now);
        for incident in [&mut old, &mut new] {
            parts::techniques(incident);
            parts::refresh(incident);
        }
        self.content.incidents.insert(id, old);
        self.content.incidents.insert(new_id, new);
        new_id
    }

    /// Takes out victims that none of the incident's alerts names.
    fn only_named(&self, incident: &mut Incident) {
        let Incident {
            alerts, victims, ..
        } = incident;
        let mut named = BTreeSet::new();
        for one in alerts.iter() {
            named.extend(self.content.index.named_by(one.alert, victims));
        }
        victims.retain(|one| named.contains(one));
    }

    /// Closes an incident.
    ///
    /// # Errors
    /// In words, when it is not open or no reason is given.
    pub fn close(
        &mut self,
        id: u64,
        by: &Actor,
        now: Time,
        reason: &str,
    ) -> Result<Incident, Refused> {
        reason::check(reason)?;
        self.open_one(id)?;
        let end = End {
            time: now,
            by: by.clone(),
            reason: reason.to_owned(),
        };
        self.end(id, end);
        self.one(id).cloned()
    }

    /// Adds a note, also to an incident that is closed.
    ///
    /// # Errors
    /// In words, when there is no such incident, or the note is empty or too long.
    pub fn note(
        &mut self,
        id: u64,
        by: &Actor,
        now: Time,
        note: &str,
    ) -> Result<Incident, Refused> {
        self.one(id)?;
        if note.trim().is_empty() {
            return Err("the note is empty: write what is to be remembered".to_owned());
        }
        if note.chars().count() > NOTE_MAX {
            return Err(format!("the note is longer than {NOTE_MAX} characters"));
        }
        if let Some(incident) = self.content.incidents.get_mut(&id) {
            self.changed = true;
            if incident.notes.len() == NOTES_MAX {
                return Err(format!("I{id} has {NOTES_MAX} notes, which is the limit"));
            }
            incident.notes.push(Note {
                time: now,
                by: by.clone(),
                note: note.to_owned(),
            });
        }
        self.one(id).cloned()
    }

    /// The alerts that a label of the incident is about.
    pub(crate) fn to_label(&self, id: u64) -> Result<Vec<u64>, Refused> {
        let incident = self.current(id)?;
        Ok(incident.alerts.iter().map(|one| one.alert).collect())
    }

    /// Notes the label of an incident; one that was nothing bad is over.
    pub(crate) fn labelled(&mut self, id: u64, label: &Label) -> Result<Incident, Refused> {
        self.one(id)?;
        if let Some(incident) = self.content.incidents.get_mut(&id) {
            self.changed = true;
            incident.label = Some(label.clone());
        }
        self.tell(id, Change::Labelled);
        if label.verdict == Verdict::Benign && self.open_one(id).is_ok() {
            let end = End {
                time: label.time,
                by: label.by.clone(),
                reason: format!("labelled benign: {}", label.reason),
            };
            self.end(id, end);
        }
        self.one(id).cloned()
    }

    /// An alert of an incident got a label of its own. One that was nothing bad leaves the incident, and what then holds
    /// together no more becomes several.
    pub(crate) fn alert_labelled(&mut self, alert: &Alert) {
        let Some(id) = self.of_alert(alert.id).filter(|_| alert.is_benign()) else {
            return;
        };
        let (Some(incident), Some(label)) = (self.get(id), &alert.label) else {
            return;
        };
        if !incident.is_open() {
            return;
        }
        if incident.alerts.len() == 1 {
            let end = End {
                time: label.time,
                by: label.by.clone(),
                reason: format!("its alert {} was labelled benign", alert.id),
            };
            self.end(id, end);
            return;
        }
        let now = label.time;
        self.take_out(id, alert);
        let parts = self.get(id).map(parts::parts).unwrap_or_default();
        for part in parts.iter().skip(1) {
            let new = self.part_with(id, part, now);
            self.tell(new, Change::Opened);
        }
        self.tell(id, Change::Split);
    }

    fn take_out(&mut self, id: u64, alert: &Alert) {
        let Some(mut incident) = self.content.incidents.remove(&id) else {
            return;
        };
        self.changed = true;
        let index = &mut self.content.index;
        index.shift(alert.device, alert.id, &incident.victims, None);
        self.of_alert.remove(&alert.id);
        incident.alerts.retain(|one| one.alert != alert.id);
        incident
            .links
            .retain(|link| link.from != alert.id && link.to != alert.id);
        self.only_named(&mut incident);
        parts::techniques(&mut incident);
        parts::refresh(&mut incident);
        self.content.incidents.insert(id, incident);
    }
}

/// What is said of a number that no incident has.
#[must_use]
pub fn no_incident(id: u64) -> String {
    format!("there is no incident I{id}; `wardtap incidents list` shows those that there are")
}

/// A link that a person made.
fn by_person(from: u64, to: u64, by: &Actor) -> Link {
    let by = by.clone();
    Link {
        from,
        to,
        because: Tie::Person { by },
    }
}
