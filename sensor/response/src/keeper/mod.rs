//! Who may change what is blocked: one keeper of rule book, audit trail and the kernel's maps.
//!
//! Each change goes first to the kernel, then to the trail, and is answered when it is on the disk; so what
//! was answered is in force, and what is in force was written down or is undone at the next start. The
//! disk is waited for by who asked, not here: where the trail can't be written (a full disk) containment
//! goes on and the entries wait.

mod protection;
mod record;
mod undo;
mod watch;
mod wish;

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

pub use undo::Undo;
pub use wish::{Denied, RuleReport, Wish};

use sensor_common::rule::RuleState;
use sensor_evidence::audit::{Summaries, Trail};
use sensor_facts::{
    action::{Action, Cause, Change, RuleChange},
    clock,
    effect::Effect,
    rule::{Actor, Rule, RuleId, Scope, State},
    target::{ClinicalPeer, Target},
    time::{Time, Timebase},
};
use sensor_kernel::{RuleOrder, RuleTables};

use super::{
    Book, Refusal,
    guard::{self, Sound},
};

/// Tells the learnt clinical peers of a target that is a device.
pub type ClinicalOf = Box<dyn Fn(&Target) -> Vec<ClinicalPeer> + Send>;

/// The keeper. See the module's description.
pub struct Keeper {
    pub(super) tables: RuleTables,
    pub(super) trail: Trail,
    pub(super) book: Book,
    pub(super) timebase: Timebase,
    pub(super) effects: HashMap<RuleId, Effect>,
    /// Since when a rule is in force, nanoseconds of the engine's clock.
    pub(super) since: HashMap<RuleId, u64>,
    /// Rules that resets were sent for.
    pub(super) reset: HashSet<RuleId>,
    /// Who knows a device's clinical traffic.
    pub(super) clinical: ClinicalOf,
    /// Decisions that repeat.
    pub(super) summaries: Summaries,
    /// What would put the last change back.
    pub(super) undo: Option<Undo>,
    /// What was done, for the events.
    pub(super) done: Vec<(Time, Actor, Action)>,
}

impl Keeper {
    /// The wall clock, to the microsecond that the trail keeps.
    pub(super) fn now(&self) -> Time {
        let now = self.timebase.wall(clock::monotonic()).0;
        Time(now - now.rem_euclid(1_000))
    }

    /// A moment of the wall clock on the engine's clock.
    pub(super) fn engine(&self, time: Time) -> u64 {
        u64::try_from(time.0.saturating_sub(self.timebase.unix_offset_ns)).unwrap_or(0)
    }

    /// The wall-clock time of a moment of the engine's clock.
    #[must_use]
    pub fn wall(&self, engine: u64) -> Time {
        self.timebase.wall(engine)
    }

    /// The rules and the never-block list.
    #[must_use]
    pub fn book(&self) -> &Book {
        &self.book
    }

    /// The audit trail.
    #[must_use]
    pub fn trail(&self) -> &Trail {
        &self.trail
    }

    /// Puts a rule in force, or makes one that is there last longer; which one, and whether it was there.
    ///
    /// # Errors
    /// [`Denied`]; nothing was changed.
    pub fn add(&mut self, actor: &Actor, wish: Wish) -> Result<(RuleId, bool), Denied> {
        let now = self.now();
        let ttl = i64::try_from(wish.ttl.as_nanos()).unwrap_or(i64::MAX);
        guard::check_target(&wish.target)?;
        self.has_room()?;
        let rule = Rule {
            id: self.book.next_id(),
            target: wish.target.canonical(),
            scope: wish.scope,
            state: wish.state,
            sticky: wish.sticky,
            created: now,
            expires: Time(now.0.saturating_add(ttl)),
            reason: wish.reason,
            by: actor.clone(),
        };
        match guard::check(&rule, &self.book)? {
            Sound::New => {
                let id = rule.id;
                self.put(&rule)?;
                self.record(
                    actor,
                    Action::RuleAdded {
                        rule: Box::new(rule),
                    },
                );
                self.undo = Some(Undo::Remove(id));
                Ok((id, false))
            }
            Sound::Extends(id) => {
                let changed = RuleChange {
                    id,
                    change: Change::Extended,
                    state: rule.state,
                    expires: rule.expires,
                    reason: rule.reason,
                };
                self.change(actor, changed)?;
                Ok((id, true))
            }
        }
    }

    /// Gives a proposed rule force, for as long as was proposed.
    ///
    /// # Errors
    /// [`Denied`]; nothing was changed.
    pub fn approve(&mut self, actor: &Actor, id: RuleId, reason: String) -> Result<(), Denied> {
        let rule = self.rule(id)?;
        if rule.state != State::Proposed {
            return Err(state(rule, "only a proposed rule can be approved"));
        }
        let ttl = rule.expires.0 - rule.created.0;
        let expires = Time(self.now().0 + ttl);
        self.protected_check(id)?;
        let changed = RuleChange {
            id,
            change: Change::Approved,
            state: State::Enabled,
            expires,
            reason,
        };
        self.change(actor, changed)
    }

    /// Makes a rule drop (again).
    ///
    /// # Errors
    /// [`Denied`]; nothing was changed.
    pub fn enable(&mut self, actor: &Actor, id: RuleId, reason: String) -> Result<(), Denied> {
        let rule = self.rule(id)?;
        let expires = rule.expires;
        match rule.state {
            State::Proposed => {
                return Err(state(rule, "`wardtap rules approve` gives it force"));
            }
            State::Enabled => return Err(state(rule, "nothing is to be done")),
            State::Disabled | State::DryRun => {}
        }
        self.protected_check(id)?;
        let changed = RuleChange {
            id,
            change: Change::Enabled,
            state: State::Enabled,
            expires,
            reason,
        };
        self.change(actor, changed)
    }

    /// Makes a rule drop no more; it can be enabled again until it ends.
    ///
    /// # Errors
    /// [`Denied`]; nothing was changed.
    pub fn disable(&mut self, actor: &Actor, id: RuleId, reason: String) -> Result<(), Denied> {
        let rule = self.rule(id)?;
        if rule.state == State::Disabled {
            return Err(state(rule, "nothing is to be done"));
        }
        let expires = rule.expires;
        let changed = RuleChange {
            id,
            change: Change::Disabled,
            state: State::Disabled,
            expires,
            reason,
        };
        self.change(actor, changed)
    }

    fn rule(&self, id: RuleId) -> Result<&Rule, Refusal> {
        self.book.rule(id).ok_or(Refusal::NoRule(id))
    }

    /// What was protected after the rule was made.
    fn protected_check(&self, id: RuleId) -> Result<(), Refusal> {
        let target = &self.rule(id)?.target;
        guard::check_protected(target, &self.book)
    }

    fn change(&mut self, actor: &Actor, changed: RuleChange) -> Result<(), Denied> {
        let before = self.rule(changed.id)?.clone();
        let mut rule = before.clone();
        (rule.state, rule.expires) = (changed.state, changed.expires);
        // What lifts a block is done whatever the disk does.
        let lifts = changed.state == State::Disabled;
        if !lifts {
            self.has_room()?;
        }
        self.put(&rule)?;
        self.record(actor, Action::RuleChanged(changed));
        self.undo = (!lifts).then(|| Undo::Restore(Box::new(before)));
        Ok(())
    }

    fn put(&mut self, rule: &Rule) -> Result<(), Denied> {
        let clinical = self.clinical_of(rule)?;
        let expires = self.engine(rule.expires);
        self.tables.put(&order(rule, expires, &clinical))?;
        self.since.insert(rule.id, clock::monotonic());
        self.effects.remove(&rule.id);
        Ok(())
    }

    fn clinical_of(&self, rule: &Rule) -> Result<Vec<ClinicalPeer>, Refusal> {
        if rule.scope != Scope::KeepClinical {
            return Ok(Vec::new());
        }
        let peers = (self.clinical)(&rule.target);
        if peers.is_empty() {
            return Err(Refusal::NothingLearnt(rule.target));
        }
        Ok(peers)
    }

    /// Lifts a rule.
    ///
    /// # Errors
    /// [`Denied`]; nothing was changed.
    pub fn remove(&mut self, actor: &Actor, id: RuleId, reason: String) -> Result<(), Denied> {
        self.rule(id)?;
        self.end(actor, id, Cause::Released, reason)
    }

    fn end(
        &mut self,
        actor: &Actor,
        id: RuleId,
        cause: Cause,
        reason: String,
    ) -> Result<(), Denied> {
        self.tables.remove(id)?;
        self.forget(id);
        self.record(actor, Action::RuleRemoved { id, cause, reason });
        Ok(())
    }

    fn forget(&mut self, id: RuleId) {
        self.since.remove(&id);
        self.effects.remove(&id);
        self.reset.remove(&id);
    }

    /// Lifts all rules at once; how many there were.
    ///
    /// # Errors
    /// [`Denied`], when the kernel does not lift them all.
    pub fn release_all(&mut self, actor: &Actor, reason: String) -> Result<usize, Denied> {
        self.tables.remove_all()?;
        let ids: Vec<_> = self.book.rules().map(|rule| rule.id).collect();
        for id in &ids {
            self.forget(*id);
        }
        let count = ids.len();
        self.record(actor, Action::ReleasedAll { ids, reason });
        Ok(count)
    }

    /// Writes down that someone asked for what was refused.
    pub fn refused(&mut self, actor: &Actor, what: String, reason: String) {
        self.record(actor, Action::Refused { what, reason });
    }

    /// Ends the rules whose time is over, by the kernel's clock: there they ended by themselves.
    pub fn expire(&mut self) {
        let now = clock::monotonic();
        let over: Vec<_> = self
            .book
            .rules()
            .filter(|rule| {
                self.tables
                    .expires(rule.id)
                    .is_none_or(|expires| expires <= now)
            })
            .map(|rule| rule.id)
            .collect();
        for id in over {
            let reason = "its time was over".to_owned();
            if let Err(error) = self.end(&Actor::Daemon, id, Cause::Expired, reason) {
                tracing::error!(
                    rule = id,
                    "a rule that is over stays in the tables: {error}"
                );
            }
        }
    }

    /// Says to the kernel that the daemon lives.
    pub fn beat(&mut self, patience: Duration) {
        let patience = u64::try_from(patience.as_nanos()).unwrap_or(u64::MAX);
        if let Err(error) = self.tables.beat(clock::monotonic(), patience) {
            tracing::error!("the kernel does not hear that the daemon lives: {error}");
        }
    }
}

/// A rule as the kernel is to have it.
pub(super) fn order<'a>(
    rule: &'a Rule,
    expires: u64,
    clinical: &'a [ClinicalPeer],
) -> RuleOrder<'a> {
    RuleOrder {
        id: rule.id,
        target: &rule.target,
        scope: rule.scope,
        state: match rule.state {
            State::Enabled => RuleState::Enabled,
            State::DryRun => RuleState::DryRun,
            State::Proposed | State::Disabled => RuleState::Off,
        },
        sticky: rule.sticky,
        expires,
        clinical,
    }
}

fn state(rule: &Rule, why: &'static str) -> Denied {
    Denied::Refused(Refusal::State {
        id: rule.id,
        state: rule.state,
        why,
    })
}
