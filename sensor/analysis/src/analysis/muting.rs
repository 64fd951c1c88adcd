//! Exceptions as people make them, and what they need to know of devices.

use std::{collections::HashMap, net::IpAddr};

use sensor_facts::{rule::Actor, setting::Network, time::Time};
use sensor_sessions::inventory::Role;

use super::Analysis;
use crate::alert::{Exception, NewException};

impl Analysis {
    /// True if the role of a device decides something: [`Self::set_roles`] is to be called from time to time.
    #[must_use]
    pub fn asks_for_roles(&self) -> bool {
        self.detectors.asks_for_roles() || self.alerts.asks_for_roles()
    }

    /// The roles that devices have now.
    pub fn set_roles(&mut self, roles: HashMap<IpAddr, Role>) {
        self.known.roles = roles;
    }

    /// Mutes findings as a person wants it: all of these exceptions are made, or none.
    ///
    /// # Errors
    /// When one of them can't be: which, and why.
    pub fn except(
        &mut self,
        new: Vec<NewException>,
        by: &Actor,
        now: Time,
    ) -> Result<Vec<Exception>, String> {
        self.alerts.except(new, by, now)
    }

    /// Ends an exception; none if there is none of this number.
    pub fn end_exception(&mut self, id: u64) -> Option<Exception> {
        self.alerts.end_exception(id)
    }

    /// Networks that belong to the site, beside private ones.
    #[must_use]
    pub fn inside(&self) -> &[Network] {
        &self.known.options.detect.inside
    }
}
