//! The rules in the kernel: the only writer of their maps.
//!
//! What the maps hold is kept here too, as it was written or as it was found, so that each change is the
//! least that is needed. Order matters: a rule's slot is written before a key leads to it, and the
//! generation, which makes the programs look every flow up again, after both.

mod fill;
mod found;
mod keys;
mod pinned;
mod protection;

use std::collections::{HashMap, HashSet};

use aya::{
    Ebpf,
    maps::{
        Array, HashMap as BpfHash, MapData, MapError, PerCpuArray,
        lpm_trie::{Key, LpmTrie},
    },
};
use sensor_common::{
    key::FlowKey,
    rule::{
        ClinicalKey, Containment, Hits, HostKey, NetKey, Rule, RuleRef, RuleScope, RuleState,
        tables,
    },
};
use sensor_facts::{
    rule::{RuleId, Scope},
    target::{ClinicalPeer, Target},
};

pub use pinned::PinnedRules;

use fill::Fill;
use keys::TableKey;

use super::{KernelError, maps::take, pod::Pod};

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
    keys.map(|peer| keys::clinical(order.id, peer)).collect()
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
