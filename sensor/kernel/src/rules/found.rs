//! What an earlier daemon left in the maps.

use std::collections::{HashMap, HashSet};

use sensor_common::rule::{RULES_MAX, RuleRef};

use super::{Entry, RuleTables, keys::TableKey};
use crate::{KernelError, pod::Pod};

impl RuleTables {
    /// Reads what is there. Keys that lead nowhere and slots without a key are freed.
    pub(super) fn adopt(&mut self) -> Result<(), KernelError> {
        for slot in (0..RULES_MAX).rev() {
            let rule = self.rules.get(&slot, 0)?.0;
            if rule.id == 0 {
                self.free.push(slot);
            } else {
                let clinical = HashSet::new();
                let entry = Entry {
                    slot,
                    rule,
                    key: None,
                    clinical,
                };
                self.entries.insert(rule.id, entry);
            }
        }
        let mut keys: Vec<(TableKey, RuleRef)> = Vec::new();
        for item in &self.hosts {
            let (key, found) = item?;
            keys.push((TableKey::Host(key.0), found.0));
        }
        for item in &self.pairs {
            let (key, found) = item?;
            keys.push((TableKey::Pair(key.0), found.0));
        }
        for item in &self.nets {
            let (key, found) = item?;
            keys.push((TableKey::Net(key.prefix_len(), key.data().0), found.0));
        }
        let entries = self.entries.values();
        let slots: HashMap<_, _> = entries.map(|entry| (entry.slot, entry.rule.id)).collect();
        for (key, found) in keys {
            let owner = slots
                .get(&found.slot)
                .filter(|id| RuleRef::new(found.slot, **id) == found)
                .and_then(|id| self.entries.get_mut(id));
            match owner {
                Some(entry) if entry.key.is_none() => {
                    entry.key = Some(key);
                    self.fill.add(key.table());
                }
                _ => self.remove_key(&key)?,
            }
        }
        let clinical: Vec<_> = self.clinical.keys().collect::<Result<_, _>>()?;
        for Pod(key) in clinical {
            match self.entries.get_mut(&key.rule) {
                Some(entry) => {
                    entry.clinical.insert(key);
                }
                None => self.clinical.remove(&Pod(key))?,
            }
        }
        let lost = self.entries.values().filter(|entry| entry.key.is_none());
        for id in lost.map(|entry| entry.rule.id).collect::<Vec<_>>() {
            self.remove(id)?;
        }
        for key in self.protected_hosts.keys() {
            self.protected.insert(TableKey::Host(key?.0));
        }
        for key in self.protected_nets.keys() {
            let key = key?;
            self.protected
                .insert(TableKey::Net(key.prefix_len(), key.data().0));
        }
        for key in &self.protected {
            self.fill.add(key.protected_table());
        }
        self.announce()
    }
}
