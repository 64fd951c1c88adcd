//! What is told of incidents, and when they are over.

use sensor_facts::{
    alert::Severity,
    incident::{Change, End, Incident},
    rule::Actor,
    time::Time,
};

use super::book::Incidents;

/// An incident that opened, changed or was closed.
#[derive(Clone, Debug, PartialEq)]
pub struct IncidentUpdate {
    /// What became of it.
    pub change: Change,
    /// The incident as it is now.
    pub incident: Incident,
}

/// How many incidents there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Incidents that go on, by severity.
    pub open: [u64; Severity::ALL.len()],
    /// Incidents opened since the start.
    pub opened: u64,
    /// Incidents that others took in since the start.
    pub merged: u64,
    /// Incidents that made room for others since the start.
    pub evicted: u64,
    /// Contacts and names that made room for others since the start.
    pub forgotten: u64,
}

impl Incidents {
    /// How many there are.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let mut standing = self.standing.clone();
        for one in self.content.incidents.values().filter(|one| one.is_open()) {
            standing.open[one.severity as usize] += 1;
        }
        standing.forgotten = self.contacts.evicted();
        standing
    }

    /// Closes an incident.
    pub(super) fn end(&mut self, id: u64, end: End) {
        if let Some(incident) = self.content.incidents.get_mut(&id) {
            self.changed = true;
            incident.end = Some(end);
            self.content.index.leave(incident);
            self.tell(id, Change::Closed);
            self.last_told.remove(&id);
        }
    }

    /// What is due: incidents that were quiet for long enough are closed, and changes that wait are told. `patience`: an
    /// alert goes on for so long, nanoseconds.
    pub fn tick(&mut self, now: Time, patience: i64) {
        let quiet = i64::try_from(self.options.quiet.as_nanos()).unwrap_or(i64::MAX);
        let quiet = quiet.max(patience);
        let open = self.content.incidents.values().filter(|one| one.is_open());
        let over: Vec<u64> = open
            .filter(|one| now.0.saturating_sub(one.updated.0) > quiet)
            .map(|one| one.id)
            .collect();
        for id in over {
            let end = End {
                time: now,
                by: Actor::Daemon,
                reason: "nothing was added for a while".to_owned(),
            };
            self.end(id, end);
        }
        let every = i64::try_from(self.options.every.as_nanos()).unwrap_or(i64::MAX);
        let last_told = self.last_told.iter();
        let due: Vec<u64> = last_told
            .filter(|(_, (last, more))| *more && now.0.saturating_sub(last.0) >= every)
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            self.tell(id, Change::Updated);
        }
    }

    /// Tells a change now.
    pub(super) fn tell(&mut self, id: u64, change: Change) {
        if let Some(incident) = self.content.incidents.get(&id).cloned() {
            self.last_told.insert(id, (incident.updated, false));
            self.told.push(IncidentUpdate { change, incident });
        }
    }

    /// Tells that it changed, now or when it is time again.
    pub(super) fn tell_soon(&mut self, id: u64, now: Time) {
        let every = i64::try_from(self.options.every.as_nanos()).unwrap_or(i64::MAX);
        match self.last_told.get_mut(&id) {
            // It is about to be told that it opened.
            None => {}
            Some((last, more)) if now.0.saturating_sub(last.0) < every => *more = true,
            Some(_) => self.tell(id, Change::Updated),
        }
    }

    /// What is to be told since this was asked last.
    pub fn take_told(&mut self) -> Vec<IncidentUpdate> {
        std::mem::take(&mut self.told)
    }
}
