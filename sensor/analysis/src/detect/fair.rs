//! A bounded table by address whose room strangers have to share.
//!
//! Whoever can make source addresses up can fill any table. So a full table first forgets addresses that no completed
//! TCP handshake confirms, of these the ones of the subnets that take most of the room, and of those the ones seen
//! longest ago.

use std::{
    cmp::Reverse,
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
};

use foldhash::fast::RandomState;
use sensor_facts::{observation::Mac, time::Time};

use crate::room::{PART, least};

/// An address, and whether a completed handshake confirms it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Who {
    pub(crate) address: IpAddr,
    pub(crate) confirmed: bool,
}

/// An Ethernet address as the suspect of a window: an address that no host has.
pub(crate) fn key(mac: Mac) -> IpAddr {
    let [m0, m1, m2, m3, m4, m5] = mac.map(u16::from);
    Ipv6Addr::new(0xfe80, 0, m0, m1, m2, m3, m4, m5).into()
}

impl Who {
    /// An address that stands for something that no handshake can confirm, as an Ethernet address.
    pub(crate) fn unconfirmed(address: impl Into<IpAddr>) -> Self {
        Self {
            address: address.into(),
            confirmed: false,
        }
    }
}

struct Entry<V> {
    value: V,
    confirmed: bool,
    last: Time,
}

/// See the module's description.
pub(crate) struct FairTable<V> {
    entries: HashMap<IpAddr, Entry<V>, RandomState>,
    capacity: usize,
    evicted: u64,
}

/// The networks in which an address shares room: /16 and /24, of IPv6 /48 and /64.
fn networks(address: IpAddr) -> [(u8, u64); 2] {
    match address {
        IpAddr::V4(it) => {
            let bits = u64::from(u32::from(it));
            [(16, bits >> 16), (24, bits >> 8)]
        }
        IpAddr::V6(it) => {
            let bits = u128::from(it) >> 64;
            let bits = u64::try_from(bits).unwrap_or(u64::MAX);
            [(48, bits >> 16), (64, bits)]
        }
    }
}

impl<V> FairTable<V> {
    /// An empty table with room for so many addresses.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            entries: HashMap::default(),
            capacity: capacity.max(PART),
            evicted: 0,
        }
    }

    /// The value of an address that is seen at `now`, made where there is none.
    pub(crate) fn get_or_insert_with(
        &mut self,
        who: Who,
        now: Time,
        make: impl FnOnce() -> V,
    ) -> &mut V {
        if self.entries.len() >= self.capacity && !self.entries.contains_key(&who.address) {
            self.make_room();
        }
        let entry = self.entries.entry(who.address).or_insert_with(|| Entry {
            value: make(),
            confirmed: who.confirmed,
            last: now,
        });
        entry.confirmed |= who.confirmed;
        entry.last = entry.last.max(now);
        &mut entry.value
    }

    /// The value of an address, if it has one.
    pub(crate) fn get_mut(&mut self, address: IpAddr) -> Option<&mut V> {
        self.entries.get_mut(&address).map(|entry| &mut entry.value)
    }

    fn make_room(&mut self) {
        let mut room: HashMap<(u8, u64), u32, RandomState> = HashMap::default();
        for (address, _) in self.entries.iter().filter(|(_, entry)| !entry.confirmed) {
            for network in networks(*address) {
                *room.entry(network).or_default() += 1;
            }
        }
        let rank = |(address, entry): (&IpAddr, &Entry<V>)| {
            let share = networks(*address).map(|it| Reverse(room.get(&it).copied()));
            ((entry.confirmed, share, entry.last, *address), *address)
        };
        for address in least(self.entries.iter().map(rank).collect()) {
            self.entries.remove(&address);
            self.evicted += 1;
        }
    }

    /// Addresses that made room for others.
    pub(crate) const fn evicted(&self) -> u64 {
        self.evicted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(address: impl Into<IpAddr>, confirmed: bool) -> Who {
        Who {
            address: address.into(),
            confirmed,
        }
    }

    fn holds(table: &FairTable<u32>, address: [u8; 4]) -> bool {
        table.entries.contains_key(&IpAddr::from(address))
    }

    #[test]
    fn made_up_addresses_of_other_subnets_do_not_evict_a_suspect() {
        let mut table = FairTable::new(64);
        *table.get_or_insert_with(who([10, 1, 4, 66], false), Time(0), || 7) += 1;
        for number in 0..10_000_u32 {
            let address = IpAddr::from((0xac10_0000 + number).to_be_bytes());
            let now = Time(i64::from(number));
            table.get_or_insert_with(who(address, false), now, || 0);
        }
        assert!(table.entries.len() <= 64);
        assert!(holds(&table, [10, 1, 4, 66]));
        assert!(table.evicted() > 9_000);
    }

    #[test]
    fn confirmed_addresses_go_last() {
        let mut table = FairTable::new(64);
        for host in 0..16 {
            table.get_or_insert_with(who([10, 1, 4, host], true), Time(0), || 0);
        }
        for number in 0..10_000_u32 {
            // In the same subnet, and each seen later.
            let address = [10, 1, 4, 16 + u8::try_from(number % 200).unwrap()];
            let now = Time(i64::from(number));
            table.get_or_insert_with(who(address, false), now, || 0);
        }
        assert!((0..16).all(|host| holds(&table, [10, 1, 4, host])));
    }

    #[test]
    fn what_was_seen_longest_ago_goes_first_among_equals() {
        let mut table = FairTable::new(16);
        for host in 0..17 {
            let now = Time(i64::from(host));
            table.get_or_insert_with(who([10, 1, 4, host], false), now, || 0);
        }
        assert!(!holds(&table, [10, 1, 4, 0]) && !holds(&table, [10, 1, 4, 1]));
        assert!((2..17).all(|host| holds(&table, [10, 1, 4, host])));
    }
}
