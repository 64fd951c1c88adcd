//! A table that forgets what was used longest ago, and counts what it forgot for want of room.

use std::{
    hash::Hash,
    num::NonZeroUsize,
    ops::{Deref, DerefMut},
};

use lru::LruCache;

/// See the module's description. What takes room is counted; all else is the table's own.
pub(crate) struct CountedLru<K, V> {
    entries: LruCache<K, V>,
    evicted: u64,
}

impl<K: Hash + Eq, V> CountedLru<K, V> {
    /// An empty table with room for so many entries.
    pub(crate) fn new(capacity: NonZeroUsize) -> Self {
        Self {
            entries: LruCache::new(capacity),
            evicted: 0,
        }
    }

    fn count(&mut self, key: &K) {
        let full = self.entries.len() >= self.entries.cap().get();
        self.evicted += u64::from(full && !self.entries.contains(key));
    }

    /// Puts an entry in; the one that it had before.
    pub(crate) fn put(&mut self, key: K, value: V) -> Option<V> {
        self.count(&key);
        self.entries.put(key, value)
    }

    /// The entry, made where there is none.
    pub(crate) fn get_or_insert_mut(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        self.count(&key);
        self.entries.get_or_insert_mut(key, make)
    }

    /// Entries that made room for others.
    pub(crate) const fn evicted(&self) -> u64 {
        self.evicted
    }
}

impl<K: Hash + Eq, V> Deref for CountedLru<K, V> {
    type Target = LruCache<K, V>;

    fn deref(&self) -> &Self::Target {
        &self.entries
    }
}

impl<K: Hash + Eq, V> DerefMut for CountedLru<K, V> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_full_table_forgets_is_counted() {
        let mut table = CountedLru::new(NonZeroUsize::new(2).unwrap());
        table.put(1, ());
        table.put(2, ());
        table.put(2, ());
        assert_eq!(table.evicted(), 0);
        table.put(3, ());
        table.get_or_insert_mut(4, || ());
        table.get_or_insert_mut(4, || ());
        assert_eq!(table.evicted(), 2);
        assert!(table.contains(&3) && table.contains(&4));
    }
}
