//! The never-block list.

use super::{Denied, Keeper, Undo};
use crate::{Protection, Refusal, guard};
use sensor_facts::{
    action::{Action, Cause},
    rule::{Actor, RuleId},
    target::Protected,
};
use sensor_kernel::KernelError;

impl Keeper {
    /// Puts an address or subnet on the never-block list; rules that it makes void end. They.
    ///
    /// # Errors
    /// [`Denied`]; nothing was changed.
    pub fn protect(
        &mut self,
        actor: &Actor,
        what: Protected,
        reason: String,
    ) -> Result<Vec<RuleId>, Denied> {
        if reason.trim().is_empty() {
            return Err(Refusal::NoReason.into());
        }
        guard::check_protection(&what)?;
        if self.book.protected().any(|entry| entry.what == what) {
            return Err(Refusal::AlreadyProtected(what).into());
        }
        self.tables.protect(&what)?;
        self.record(actor, Action::Protected { what, reason });
        let void: Vec<_> = self
            .book
            .rules()
            .filter(|rule| guard::protects(&what, &rule.target))
            .map(|rule| rule.id)
            .collect();
        for id in &void {
            let reason = format!("{what} is protected now");
            self.end(actor, *id, Cause::Protected, reason)?;
        }
        Ok(void)
    }

    /// Takes something off the never-block list.
    ///
    /// # Errors
    /// [`Denied`]; nothing was changed.
    pub fn unprotect(
        &mut self,
        actor: &Actor,
        what: Protected,
        reason: String,
    ) -> Result<(), Denied> {
        if self.book.protection(&what).is_none() {
            return Err(if self.book.is_configured(&what) {
                Refusal::Configured(what).into()
            } else {
                Refusal::NotProtected(what).into()
            });
        }
        self.has_room()?;
        let before = self.book.protection(&what).cloned();
        self.record(actor, Action::Unprotected { what, reason });
        self.undo = before.map(|before| Undo::Protect(Box::new(before)));
        // The configuration may say the same.
        if !self.book.is_configured(&what) {
            self.tables.unprotect(&what)?;
        }
        Ok(())
    }

    /// Puts what the configuration protects on the never-block list, and takes off what it protects no
    /// more.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn configure(&mut self, protected: &[Protected]) -> Result<(), KernelError> {
        self.book.configure(protected, self.now());
        let wanted: Vec<_> = self.book.protected().map(|entry| entry.what).collect();
        self.tables.protect_exactly(wanted).map(|_| ())
    }

    /// The never-block list.
    pub fn protected(&self) -> impl Iterator<Item = &Protection> {
        self.book.protected()
    }
}
