//! Reverts a change that could not be written to the audit trail.

use sensor_facts::{
    action::{Action, Cause, Change, RuleChange},
    rule::{Actor, Rule, RuleId},
};

use super::{Denied, Keeper};
use crate::Protection;

/// Why it is put back, as the trail says it.
const WHY: &str = "the disk did not take the audit trail in time, so the change was not made";

/// What puts a change back. Only what blocks, or lets be blocked, is ever put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undo {
    /// The rule was not there.
    Remove(RuleId),
    /// The rule was like this.
    Restore(Box<Rule>),
    /// This was on the never-block list.
    Protect(Box<Protection>),
}

impl Keeper {
    /// What would put the last change back, if it is one that can be; asked once.
    pub fn take_undo(&mut self) -> Option<Undo> {
        self.undo.take()
    }

    /// Puts a change back.
    ///
    /// # Errors
    /// [`Denied`], when the kernel does not take it.
    pub fn put_back(&mut self, undo: Undo) -> Result<(), Denied> {
        let reason = WHY.to_owned();
        match undo {
            Undo::Remove(id) => {
                // It may have ended meanwhile.
                if self.book.rule(id).is_some() {
                    self.end(&Actor::Daemon, id, Cause::Undone, reason)?;
                }
            }
            Undo::Restore(before) => {
                if self.book.rule(before.id).is_some() {
                    self.put(&before)?;
                    let action = Action::RuleChanged(RuleChange {
                        id: before.id,
                        change: Change::Undone,
                        state: before.state,
                        expires: before.expires,
                        reason,
                    });
                    self.record(&Actor::Daemon, action);
                }
            }
            Undo::Protect(before) => {
                self.tables.protect(&before.what)?;
                let what = before.what;
                self.record(&Actor::Daemon, Action::Protected { what, reason });
            }
        }
        self.undo = None;
        Ok(())
    }
}
