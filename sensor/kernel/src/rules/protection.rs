//! The never-block list in the kernel.

use std::collections::HashSet;

use aya::maps::lpm_trie::Key;
use sensor_facts::target::Protected;

use super::{RuleTables, forgive, keys::TableKey};
use crate::{KernelError, pod::Pod};

impl RuleTables {
    /// Puts an address or subnet on the never-block list.
    ///
    /// # Errors
    /// When the list is full or the kernel refuses.
    pub fn protect(&mut self, what: &Protected) -> Result<(), KernelError> {
        let key = TableKey::of_protected(what);
        match key {
            TableKey::Host(key) => self.protected_hosts.insert(Pod(key), 0, 0)?,
            TableKey::Net(prefix, key) => {
                self.protected_nets
                    .insert(&Key::new(prefix, Pod(key)), 0, 0)?;
            }
            TableKey::Pair(_) => {}
        }
        if self.protected.insert(key) {
            self.fill.add(key.protected_table());
        }
        self.announce()
    }

    /// Takes it off again.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn unprotect(&mut self, what: &Protected) -> Result<(), KernelError> {
        self.unprotect_key(TableKey::of_protected(what))
    }

    fn unprotect_key(&mut self, key: TableKey) -> Result<(), KernelError> {
        forgive(match key {
            TableKey::Host(key) => self.protected_hosts.remove(&Pod(key)),
            TableKey::Net(prefix, key) => self.protected_nets.remove(&Key::new(prefix, Pod(key))),
            TableKey::Pair(_) => Ok(()),
        })?;
        if self.protected.remove(&key) {
            self.fill.take(key.protected_table());
        }
        self.announce()
    }

    /// Makes the never-block list the one of `wanted`: first what is missing, then what is too much. How
    /// many entries were added and taken away.
    ///
    /// # Errors
    /// When the list is full or the kernel refuses.
    pub fn protect_exactly(
        &mut self,
        wanted: impl IntoIterator<Item = Protected>,
    ) -> Result<(usize, usize), KernelError> {
        let mut keep = HashSet::new();
        let mut added = 0;
        for what in wanted {
            let key = TableKey::of_protected(&what);
            if !self.protected.contains(&key) {
                self.protect(&what)?;
                added += 1;
            }
            keep.insert(key);
        }
        let surplus: Vec<_> = self.protected.difference(&keep).copied().collect();
        let removed = surplus.len();
        for key in surplus {
            self.unprotect_key(key)?;
        }
        Ok((added, removed))
    }
}
