//! What was seen before: peers, services, names.

use std::{net::IpAddr, num::NonZeroUsize};

use crate::detect::counted::CountedLru;

/// Facts that are remembered, by their hash.
const FACTS: NonZeroUsize = NonZeroUsize::new(262_144).expect("it is not zero");

/// Makes the hash of a fact, FNV-1a of 64 bits (<https://datatracker.ietf.org/doc/html/draft-eastlake-fnv>): the same in each
/// run, as facts are kept on the disk.
#[derive(Clone, Copy)]
pub(super) struct Key(u64);

impl Key {
    pub(super) fn of(kind: &str) -> Self {
        Self(0xcbf2_9ce4_8422_2325).text(kind)
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
        self
    }

    pub(super) fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes()).bytes(&[0])
    }

    pub(super) fn host(self, address: IpAddr) -> Self {
        match address {
            IpAddr::V4(it) => self.bytes(&it.octets()),
            IpAddr::V6(it) => self.bytes(&it.octets()),
        }
    }

    pub(super) fn number(self, number: u16) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    pub(super) fn hash(self) -> u64 {
        self.0 ^ self.0 >> 32
    }
}

/// See the module's description.
pub(super) struct News(CountedLru<u64, ()>);

impl Default for News {
    fn default() -> Self {
        Self(CountedLru::new(FACTS))
    }
}

impl News {
    /// True if the fact was not seen before; from now on it was, if it is to be `kept`: what a single packet makes up is not.
    pub(super) fn is_new(&mut self, key: Key, kept: bool) -> bool {
        let hash = key.hash();
        if self.0.get(&hash).is_some() {
            return false;
        }
        if kept {
            self.0.put(hash, ());
        }
        true
    }

    /// Facts that made room for others.
    pub(super) fn evicted(&self) -> u64 {
        self.0.evicted()
    }

    /// All of them, the latest first.
    pub(super) fn all(&self) -> Vec<u64> {
        self.0.iter().map(|(hash, ())| *hash).collect()
    }

    /// From a file.
    pub(super) fn of(all: &[u64]) -> Self {
        let mut this = Self::default();
        for hash in all.iter().rev() {
            this.0.put(*hash, ());
        }
        this
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_single_packet_makes_up_is_not_remembered() {
        let mut news = News::default();
        let key = |number: u16| Key::of("peer").number(number);
        assert!(news.is_new(key(1), true) && !news.is_new(key(1), true));
        for _ in 0..2 {
            assert!(news.is_new(key(2), false));
        }
        assert_eq!(news.all().len(), 1);
        let mut again = News::of(&news.all());
        assert!(!again.is_new(key(1), false) && again.is_new(key(2), false));
        assert_eq!(again.evicted(), 0);
    }

    #[test]
    fn parts_of_a_fact_do_not_run_into_each_other() {
        let two = |a: &str, b: &str| Key::of("title").text(a).text(b).hash();
        assert_ne!(two("AB", "C"), two("A", "BC"));
    }
}
