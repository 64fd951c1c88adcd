//! Writing down what is done.

use sensor_facts::{
    action::{Action, Decision},
    rule::Actor,
    time::Time,
};

use super::{Denied, Keeper};

impl Keeper {
    /// Writes down what was done, and takes it over. False if too much waits for the disk, so that it is not written: that
    /// happens to what changes no rule, and is counted.
    pub fn record(&mut self, actor: &Actor, action: Action) -> bool {
        let now = self.now();
        self.record_at(now, actor, action)
    }

    fn record_at(&mut self, now: Time, actor: &Actor, action: Action) -> bool {
        self.book.apply(now, actor, &action);
        let taken = self.trail.record(now, actor.clone(), action.clone());
        self.done.push((now, actor.clone(), action));
        if self.trail.is_full() {
            self.trail.begin_segment(now, self.book.standing());
        }
        taken
    }

    /// Writes down what the policy decided about a finding of `detector`. Of decisions that repeat and change nothing only
    /// the first is written at once; [`Keeper::summarise`] writes the others.
    pub fn decided(&mut self, detector: &str, actor: &Actor, decision: Decision) {
        let now = self.now();
        if let Some(decision) = self.summaries.take(now, detector, decision) {
            self.record_at(now, actor, Action::Decided(decision));
        }
    }

    /// Writes down the decisions that repeated, of the times that are over.
    pub fn summarise(&mut self) {
        let now = self.now();
        for (time, actor, action) in self.summaries.due(now) {
            self.record_at(time, &actor, action);
        }
    }

    /// Writes down all decisions that repeated and are not written yet.
    pub fn summarise_all(&mut self) {
        let now = self.now();
        for (time, actor, action) in self.summaries.finish(now) {
            self.record_at(time, &actor, action);
        }
    }

    /// A change that blocks needs room in the trail: one that is not written down must not be made.
    pub(super) fn has_room(&self) -> Result<(), Denied> {
        if self.trail.has_room() {
            return Ok(());
        }
        Err(Denied::TrailFull {
            waiting: self.trail.status().waiting,
        })
    }

    /// What was done since the last time this was asked, and what the trail did to itself.
    pub fn take_done(&mut self) -> Vec<(Time, Actor, Action)> {
        let mut done = std::mem::take(&mut self.done);
        done.extend(self.trail.take_own());
        done
    }

    /// True if something was done since then.
    #[must_use]
    pub fn has_done(&self) -> bool {
        !self.done.is_empty()
    }
}
