//! A bounded flow table in memory of the process.

use std::hash::{BuildHasher, Hash};

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use sensor_common::flow::Flow;
use sensor_kernel::Why;

const NONE: u32 = u32::MAX;

/// What a full table does with a new flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WhenFull {
    /// Refuses it.
    Refuse,
    /// Evicts the least recently used.
    Evict,
}

/// Flows by key. Entries stay in place: a pointer to one is good until the next insertion.
pub(super) struct FlowTable<K> {
    index: HashTable<u32>,
    entries: Vec<Entry<K>>,
    free: Vec<u32>,
    hasher: RandomState,
    capacity: usize,
    when_full: WhenFull,
    // Ends of the list by use; only kept where the table evicts.
    newest: u32,
    oldest: u32,
    evicted: u64,
    cursor: usize,
    passes: Passes,
}

/// Times, in nanoseconds, at which the last pass of the sweep over a table began, and at which this one did.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Passes {
    pub(super) last: u64,
    pub(super) this: u64,
}

struct Entry<K> {
    flow: Flow,
    key: K,
    hash: u64,
    newer: u32,
    older: u32,
    live: bool,
}

impl<K: Copy + Eq + Hash> FlowTable<K> {
    pub(super) fn new(capacity: u32, when_full: WhenFull) -> Self {
        Self {
            index: HashTable::new(),
            entries: Vec::new(),
            free: Vec::new(),
            hasher: RandomState::default(),
            capacity: capacity as usize,
            when_full,
            newest: NONE,
            oldest: NONE,
            evicted: 0,
            cursor: 0,
            passes: Passes::default(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    pub(super) const fn evicted(&self) -> u64 {
        self.evicted
    }

    /// The entry of a key, which becomes the most recently used.
    #[inline]
    pub(super) fn find(&mut self, key: &K) -> Option<&mut Flow> {
        let hash = self.hasher.hash_one(key);
        let entries = &self.entries;
        let slot = *self
            .index
            .find(hash, |slot| entries[*slot as usize].key == *key)?;
        if self.when_full == WhenFull::Evict && self.newest != slot {
            self.unlink(slot);
            self.link(slot);
        }
        Some(&mut self.entries[slot as usize].flow)
    }

    /// Adds a flow; false if the key is there, or the table is full and refuses.
    pub(super) fn insert(&mut self, key: K, flow: &Flow) -> bool {
        let hash = self.hasher.hash_one(key);
        let entries = &self.entries;
        if self
            .index
            .find(hash, |slot| entries[*slot as usize].key == key)
            .is_some()
        {
            return false;
        }
        if self.index.len() >= self.capacity {
            if self.when_full == WhenFull::Refuse || self.oldest == NONE {
                return false;
            }
            let oldest = self.oldest;
            self.take(oldest);
            self.evicted += 1;
        }
        let entry = Entry {
            flow: *flow,
            key,
            hash,
            newer: NONE,
            older: NONE,
            live: true,
        };
        let slot = if let Some(slot) = self.free.pop() {
            self.entries[slot as usize] = entry;
            slot
        } else {
            self.entries.push(entry);
            u32::try_from(self.entries.len() - 1).unwrap_or(NONE)
        };
        let entries = &self.entries;
        self.index
            .insert_unique(hash, slot, |slot| entries[*slot as usize].hash);
        if self.when_full == WhenFull::Evict {
            self.link(slot);
        }
        true
    }

    /// Removes a key's entry.
    pub(super) fn remove(&mut self, key: &K) -> Option<Flow> {
        let hash = self.hasher.hash_one(key);
        let entries = &self.entries;
        let slot = *self
            .index
            .find(hash, |slot| entries[*slot as usize].key == *key)?;
        self.take(slot)
    }

    /// Looks at up to `count` places from where the last call stopped and hands out the flows that are
    /// `due`; all but the active ones are removed.
    pub(super) fn sweep(
        &mut self,
        count: usize,
        now: u64,
        mut due: impl FnMut(&K, &Flow, Passes) -> Option<Why>,
        mut on: impl FnMut(&K, &Flow, Why),
    ) {
        if self.cursor >= self.entries.len() {
            self.cursor = 0;
        }
        if self.cursor == 0 {
            self.passes = Passes {
                last: self.passes.this,
                this: now,
            };
        }
        for _ in 0..count {
            let Some(entry) = self.entries.get(self.cursor) else {
                break;
            };
            if entry.live
                && let Some(why) = due(&entry.key, &entry.flow, self.passes)
            {
                on(&entry.key, &entry.flow, why);
                if why != Why::Active {
                    self.take(u32::try_from(self.cursor).unwrap_or(NONE));
                }
            }
            self.cursor += 1;
        }
    }

    /// Removes all flows and hands them out.
    pub(super) fn drain(&mut self, mut on: impl FnMut(&K, &Flow)) {
        for slot in 0..self.entries.len() {
            if let Some(entry) = self.entries.get(slot).filter(|entry| entry.live) {
                on(&entry.key, &entry.flow);
                self.take(u32::try_from(slot).unwrap_or(NONE));
            }
        }
    }

    /// Places that a whole sweep visits.
    pub(super) fn places(&self) -> usize {
        self.entries.len()
    }

    fn take(&mut self, slot: u32) -> Option<Flow> {
        let hash = self
            .entries
            .get(slot as usize)
            .filter(|entry| entry.live)?
            .hash;
        if self.when_full == WhenFull::Evict {
            self.unlink(slot);
        }
        if let Ok(place) = self.index.find_entry(hash, |other| *other == slot) {
            place.remove();
        }
        let entry = &mut self.entries[slot as usize];
        entry.live = false;
        self.free.push(slot);
        Some(entry.flow)
    }

    fn link(&mut self, slot: u32) {
        let newest = self.newest;
        let entry = &mut self.entries[slot as usize];
        (entry.newer, entry.older) = (NONE, newest);
        if let Some(entry) = self.entries.get_mut(newest as usize) {
            entry.newer = slot;
        } else {
            self.oldest = slot;
        }
        self.newest = slot;
    }

    fn unlink(&mut self, slot: u32) {
        let (newer, older) = {
            let entry = &self.entries[slot as usize];
            (entry.newer, entry.older)
        };
        if let Some(entry) = self.entries.get_mut(newer as usize) {
            entry.older = older;
        } else {
            self.newest = older;
        }
        if let Some(entry) = self.entries.get_mut(older as usize) {
            entry.newer = newer;
        } else {
            self.oldest = newer;
        }
    }
}
