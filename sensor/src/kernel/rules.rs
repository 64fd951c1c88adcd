//! The rules in the kernel: the only writer of their maps.
//!
//! What the maps hold is kept here too, as it was written or as it was found, so that each change is the
//! least that is needed. Order matters: a rule's slot is written before a key leads to it, and the
//! generation, which makes the programs look every flow up again, after both.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
};

use aya::{
    Ebpf,
    maps::{
        Array, HashMap as BpfHash, Map, MapData, MapError, PerCpuArray,
        lpm_trie::{Key, LpmTrie},
    },
};
use sensor_common::{
    ABI_VERSION,
    key::FlowKey,
    rule::{
        ClinicalKey, Containment, Hits, HostKey, NetKey, RULES_MAX, Rule, RuleRef, RuleScope,
        RuleState, tables,
    },
};

use super::{KernelError, load::take, pod::Pod, rule_keys::TableKey};
use crate::response::{ClinicalPeer, Protected, RuleId, Scope, Target};

/// A rule as the kernel is to have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleOrder<'a> {
    /// Its id.
    pub id: RuleId,
    /// What it means, in canonical form.
    pub target: &'a Target,
    /// How much of that.
    pub scope: Scope,
    /// What it does.
    pub state: RuleState,
    /// It stays in force while the daemon is gone.
    pub sticky: bool,
    /// When it ends, nanoseconds of `CLOCK_MONOTONIC`.
    pub expires: u64,
    /// For [`Scope::KeepClinical`]: who still gets through.
    pub clinical: &'a [ClinicalPeer],
}

/// A rule as it stands in the kernel.
#[derive(Clone, Debug)]
struct Entry {
    slot: u32,
    rule: Rule,
    key: Option<TableKey>,
    clinical: HashSet<ClinicalKey>,
}

/// The maps of containment. See the module's description.
pub struct RuleTables {
    containment: Array<MapData, Pod<Containment>>,
    rules: Array<MapData, Pod<Rule>>,
    hits: PerCpuArray<MapData, Pod<Hits>>,
    hosts: BpfHash<MapData, Pod<HostKey>, Pod<RuleRef>>,
    pairs: BpfHash<MapData, Pod<FlowKey>, Pod<RuleRef>>,
    nets: LpmTrie<MapData, Pod<NetKey>, Pod<RuleRef>>,
    clinical: BpfHash<MapData, Pod<ClinicalKey>, u32>,
    protected_hosts: BpfHash<MapData, Pod<HostKey>, u32>,
    protected_nets: LpmTrie<MapData, Pod<NetKey>, u32>,
    state: Containment,
    entries: HashMap<RuleId, Entry>,
    free: Vec<u32>,
    protected: HashSet<TableKey>,
    fill: Fill,
}

/// Entries of each table, by the number of its bit.
#[derive(Clone, Copy, Debug, Default)]
struct Fill([u32; u32::BITS as usize]);

impl Fill {
    fn of(&mut self, table: u32) -> &mut u32 {
        &mut self.0[(table.trailing_zeros() % u32::BITS) as usize]
    }

    fn add(&mut self, table: u32) {
        *self.of(table) += 1;
    }

    fn take(&mut self, table: u32) {
        let entries = self.of(table);
        *entries = entries.saturating_sub(1);
    }

    /// The bits of the tables that have entries.
    fn tables(&self) -> u32 {
        (0..)
            .zip(self.0)
            .filter(|(_, entries)| *entries > 0)
            .fold(0, |bits, (bit, _)| bits | 1 << bit)
    }
}

impl RuleTables {
    /// Takes the maps out of an instance, with what an earlier daemon left in them.
    pub(super) fn new(ebpf: &mut Ebpf) -> Result<Self, KernelError> {
        let containment: Array<_, Pod<Containment>> = take(ebpf, "CONTAINMENT")?;
        let state = containment.get(&0, 0)?.0;
        let mut tables = Self {
            containment,
            rules: take(ebpf, "RULES")?,
            hits: take(ebpf, "RULE_HITS")?,
            hosts: take(ebpf, "RULE_HOSTS")?,
            pairs: take(ebpf, "RULE_PAIRS")?,
            nets: take(ebpf, "RULE_NETS")?,
            clinical: take(ebpf, "CLINICAL")?,
            protected_hosts: take(ebpf, "PROTECTED_HOSTS")?,
            protected_nets: take(ebpf, "PROTECTED_NETS")?,
            state,
            entries: HashMap::new(),
            free: Vec::new(),
            protected: HashSet::new(),
            fill: Fill::default(),
        };
        tables.adopt()?;
        Ok(tables)
    }

    /// Reads what is there. Keys that lead nowhere and slots without a key are freed.
    fn adopt(&mut self) -> Result<(), KernelError> {
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

    /// True if no daemon before has put anything here.
    #[must_use]
    pub const fn is_fresh(&self) -> bool {
        self.state.heartbeat == 0
    }

    /// The ids of the rules that the kernel has.
    pub fn ids(&self) -> impl Iterator<Item = RuleId> {
        self.entries.keys().copied()
    }

    /// When the kernel ends a rule, nanoseconds of `CLOCK_MONOTONIC`.
    #[must_use]
    pub fn expires(&self, id: RuleId) -> Option<u64> {
        self.entries.get(&id).map(|entry| entry.rule.expires)
    }

    /// What of a rule in the kernel is not as ordered, in words; `None` if all is.
    #[must_use]
    pub fn difference(&self, order: &RuleOrder<'_>) -> Option<&'static str> {
        let Some(entry) = self.entries.get(&order.id) else {
            return Some("missing");
        };
        let wanted = rule_of(order);
        if entry.key != Some(TableKey::of(order.target)) {
            Some("of another target")
        } else if (entry.rule.state, entry.rule.sticky) != (wanted.state, wanted.sticky) {
            Some("in another state")
        } else if entry.rule.scope != wanted.scope || entry.clinical != clinical_of(order) {
            Some("of another scope")
        } else if entry.rule.expires != wanted.expires {
            Some("of another end")
        } else {
            None
        }
    }

    /// Puts a rule in force as ordered, new or changed. When this returns, the next packet meets it.
    ///
    /// # Errors
    /// When there are [`RULES_MAX`] rules, or the kernel refuses; the rule is then as it was, or gone.
    pub fn put(&mut self, order: &RuleOrder<'_>) -> Result<(), KernelError> {
        let key = TableKey::of(order.target);
        if self
            .entries
            .get(&order.id)
            .is_some_and(|entry| entry.key != Some(key))
        {
            self.remove(order.id)?;
        }
        let rule = rule_of(order);
        let clinical = clinical_of(order);
        if let Some(entry) = self.entries.get_mut(&order.id) {
            // Who is let through comes first and goes last.
            for new in clinical.difference(&entry.clinical) {
                self.clinical.insert(Pod(*new), 0, 0)?;
            }
            self.rules.set(entry.slot, Pod(rule), 0)?;
            entry.rule = rule;
            for old in entry.clinical.difference(&clinical) {
                forgive(self.clinical.remove(&Pod(*old)))?;
            }
            entry.clinical = clinical;
            return self.announce();
        }
        let slot = self.free.pop().ok_or(KernelError::RulesFull)?;
        self.fill.add(key.table());
        let entry = Entry {
            slot,
            rule,
            key: Some(key),
            clinical,
        };
        let done = self.insert(&entry);
        self.entries.insert(order.id, entry);
        if let Err(error) = done {
            self.remove(order.id)?;
            return Err(error);
        }
        self.announce()
    }

    fn insert(&mut self, entry: &Entry) -> Result<(), KernelError> {
        for key in &entry.clinical {
            self.clinical.insert(Pod(*key), 0, 0)?;
        }
        let cpus = aya::util::nr_cpus().map_err(|(_, source)| KernelError::System {
            call: "the number of CPUs",
            source,
        })?;
        let none = aya::maps::PerCpuValues::try_from(vec![Pod(Hits::default()); cpus]);
        let none = none.map_err(|source| KernelError::System {
            call: "the number of CPUs",
            source,
        })?;
        self.hits.set(entry.slot, none, 0)?;
        self.rules.set(entry.slot, Pod(entry.rule), 0)?;
        let found = Pod(RuleRef::new(entry.slot, entry.rule.id));
        match entry.key {
            Some(TableKey::Host(key)) => self.hosts.insert(Pod(key), found, 0)?,
            Some(TableKey::Pair(key)) => self.pairs.insert(Pod(key), found, 0)?,
            Some(TableKey::Net(prefix, key)) => {
                self.nets.insert(&Key::new(prefix, Pod(key)), found, 0)?;
            }
            None => {}
        }
        Ok(())
    }

    /// Takes a rule out. When this returns, the next packet passes it. Of a rule that is not there nothing
    /// is left to do.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn remove(&mut self, id: RuleId) -> Result<(), KernelError> {
        let Some(entry) = self.entries.remove(&id) else {
            return Ok(());
        };
        // Emptying the slot is what lifts it; the rest is tidying.
        self.rules.set(entry.slot, Pod(Rule::default()), 0)?;
        if let Some(key) = entry.key {
            self.fill.take(key.table());
            self.remove_key(&key)?;
        }
        for key in entry.clinical {
            forgive(self.clinical.remove(&Pod(key)))?;
        }
        self.free.push(entry.slot);
        self.announce()
    }

    /// Takes all rules out, at one stroke.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn remove_all(&mut self) -> Result<(), KernelError> {
        self.state.tables &= !tables::RULES;
        self.publish()?;
        for id in self.ids().collect::<Vec<_>>() {
            self.remove(id)?;
        }
        Ok(())
    }

    fn remove_key(&mut self, key: &TableKey) -> Result<(), KernelError> {
        forgive(match *key {
            TableKey::Host(key) => self.hosts.remove(&Pod(key)),
            TableKey::Pair(key) => self.pairs.remove(&Pod(key)),
            TableKey::Net(prefix, key) => self.nets.remove(&Key::new(prefix, Pod(key))),
        })
    }

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

    /// Says that the daemon lives at `now`, nanoseconds of `CLOCK_MONOTONIC`: without this for longer than
    /// `patience` nanoseconds only sticky rules drop.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn beat(&mut self, now: u64, patience: u64) -> Result<(), KernelError> {
        (self.state.heartbeat, self.state.patience) = (now, patience);
        self.publish()
    }

    /// What a rule has hit; of an unknown rule nothing.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn hits(&self, id: RuleId) -> Result<Hits, KernelError> {
        let Some(entry) = self.entries.get(&id) else {
            return Ok(Hits::default());
        };
        let values = self.hits.get(&entry.slot, 0)?;
        Ok(values
            .iter()
            .fold(Hits::default(), |sum, one| sum.merged(&one.0)))
    }

    /// Makes the programs look every flow up again.
    fn announce(&mut self) -> Result<(), KernelError> {
        self.state.tables = self.fill.tables();
        self.state.generation = self.state.generation.wrapping_add(1).max(1);
        self.publish()
    }

    fn publish(&mut self) -> Result<(), KernelError> {
        Ok(self.containment.set(0, Pod(self.state), 0)?)
    }
}

fn rule_of(order: &RuleOrder<'_>) -> Rule {
    let scope = match order.scope {
        Scope::All => RuleScope::All,
        Scope::KeepClinical => RuleScope::KeepClinical,
    };
    Rule {
        id: order.id,
        expires: order.expires,
        state: order.state as u32,
        scope: scope as u32,
        sticky: u32::from(order.sticky),
        pad: 0,
    }
}

fn clinical_of(order: &RuleOrder<'_>) -> HashSet<ClinicalKey> {
    if order.scope != Scope::KeepClinical {
        return HashSet::new();
    }
    let keys = order.clinical.iter();
    keys.map(|peer| super::rule_keys::clinical(order.id, peer))
        .collect()
}

/// What is gone already need not be removed.
fn forgive(result: Result<(), MapError>) -> Result<(), KernelError> {
    match result {
        Err(MapError::SyscallError(call)) if call.io_error.raw_os_error() == Some(libc::ENOENT) => {
            Ok(())
        }
        Err(MapError::KeyNotFound) => Ok(()),
        other => Ok(other?),
    }
}

/// The rules that are pinned below a root, with or without a daemon: what the kernel enforces.
pub struct PinnedRules(Array<MapData, Pod<Rule>>);

impl PinnedRules {
    /// Opens them.
    ///
    /// # Errors
    /// When there are none, or the kernel refuses.
    pub fn open(root: &Path) -> Result<Self, KernelError> {
        let path = root.join(format!("v{ABI_VERSION}")).join("RULES");
        let map = Map::Array(MapData::from_pin(path)?);
        Ok(Self(Array::try_from(map)?))
    }

    /// What is in a slot.
    ///
    /// # Errors
    /// When there is no such slot.
    pub fn slot(&self, slot: u32) -> Result<Option<Rule>, KernelError> {
        let rule = self.0.get(&slot, 0)?.0;
        Ok((rule.id != 0).then_some(rule))
    }

    /// All of them.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn all(&self) -> Result<Vec<Rule>, KernelError> {
        let rules = (0..self.0.len()).filter_map(|slot| self.slot(slot).transpose());
        rules.collect()
    }
}
