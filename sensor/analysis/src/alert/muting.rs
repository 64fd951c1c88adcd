//! What exceptions do to findings, and how they are made and ended.

use std::{collections::HashMap, net::IpAddr};

use sensor_facts::{finding::Finding, rule::Actor, time::Time};
use sensor_sessions::inventory::Role;

use super::{
    book::Alerts,
    exceptions::{Exception, NewException},
};
use crate::whom::Whom;

impl Alerts {
    /// True if an exception mutes the finding. `clinical`: it is about clinical devices; `roles`: those that are known.
    pub fn mutes(
        &mut self,
        finding: &Finding,
        clinical: bool,
        roles: &HashMap<IpAddr, Role>,
    ) -> bool {
        let muted = self.content.exceptions.mutes(finding, clinical, roles);
        self.changed |= muted;
        muted
    }

    /// True if an exception is about a role.
    pub(crate) fn asks_for_roles(&self) -> bool {
        let mut exceptions = self.exceptions().iter();
        exceptions.any(|one| matches!(one.whom, Whom::Role(_)))
    }

    /// Makes all of these exceptions, or none.
    pub(crate) fn except(
        &mut self,
        new: Vec<NewException>,
        by: &Actor,
        now: Time,
    ) -> Result<Vec<Exception>, String> {
        self.changed = true;
        self.content.exceptions.add(new, by, now)
    }

    /// Ends an exception.
    pub(crate) fn end_exception(&mut self, id: u64) -> Option<Exception> {
        self.changed = true;
        self.content.exceptions.remove(id)
    }

    /// Exceptions in force.
    #[must_use]
    pub fn exceptions(&self) -> &[Exception] {
        self.content.exceptions.all()
    }

    /// Findings that were muted since the start, and how many of them would have been of high impact.
    #[must_use]
    pub fn excepted(&self) -> (u64, u64) {
        let muted = self.content.exceptions.muted;
        (muted.all, muted.high)
    }
}
