//! The devices of which a baseline is kept, and which of them make room.
//!
//! An address is known from an observation alone, which one packet with a made-up source makes. Until a flow of it was established,
//! a device is unproven: unproven ones share an eighth of the room, and leave first when all of it is taken. So no flood
//! of made-up addresses makes a device of the site forgotten.

use std::{net::IpAddr, num::NonZeroUsize};

use lru::LruCache;

/// The share of the room that unproven devices have.
const UNPROVEN: usize = 8;

/// See the module's description.
#[derive(Debug)]
pub(crate) struct Population<T> {
    devices: LruCache<IpAddr, T>,
    /// Of those the unproven ones.
    unproven: LruCache<IpAddr, ()>,
    evicted: u64,
}

fn room(of: usize) -> NonZeroUsize {
    NonZeroUsize::new(of).unwrap_or(NonZeroUsize::MIN)
}

impl<T> Population<T> {
    /// With room for so many devices.
    pub(crate) fn new(devices: usize) -> Self {
        Self {
            devices: LruCache::new(room(devices)),
            unproven: LruCache::new(room(devices / UNPROVEN)),
            evicted: 0,
        }
    }

    /// Most devices that are kept.
    pub(crate) fn room(&self) -> usize {
        self.devices.cap().get()
    }

    pub(crate) fn len(&self) -> usize {
        self.devices.len()
    }

    /// Devices of which a flow was established.
    pub(crate) fn proven(&self) -> usize {
        self.devices.len() - self.unproven.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.devices.is_empty()
    }

    /// Devices that made room for others.
    pub(crate) fn evicted(&self) -> u64 {
        self.evicted
    }

    pub(crate) fn peek(&self, address: &IpAddr) -> Option<&T> {
        self.devices.peek(address)
    }

    pub(crate) fn peek_mut(&mut self, address: &IpAddr) -> Option<&mut T> {
        self.devices.peek_mut(address)
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.devices.iter_mut().map(|(_, device)| device)
    }

    /// The one seen last first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (&IpAddr, &T)> {
        self.devices.iter()
    }

    /// The device of an address that was seen now, `made` where there is none; `proven` if a flow of it was established.
    pub(crate) fn meet(&mut self, address: IpAddr, proven: bool, made: impl Fn() -> T) -> &mut T {
        if !self.devices.contains(&address) {
            self.add(address, made(), proven);
        } else if proven {
            self.unproven.pop(&address);
        } else {
            self.unproven.promote(&address);
        }
        self.devices.get_or_insert_mut(address, made)
    }

    /// Takes a device in as the one seen last.
    pub(crate) fn add(&mut self, address: IpAddr, device: T, proven: bool) {
        self.remove(&address);
        if !proven && self.unproven.len() == self.unproven.cap().get() {
            self.evict();
        }
        if self.devices.len() == self.room() {
            self.evict();
        }
        if !proven {
            self.unproven.push(address, ());
        }
        self.devices.push(address, device);
    }

    /// Forgets the unproven device seen longest ago; where there is none, any that was.
    fn evict(&mut self) {
        let gone = match self.unproven.pop_lru() {
            Some((address, ())) => self.devices.pop(&address).is_some(),
            None => self.devices.pop_lru().is_some(),
        };
        self.evicted += u64::from(gone);
    }

    /// Forgets a device; it, and whether it was proven.
    pub(crate) fn remove(&mut self, address: &IpAddr) -> Option<(T, bool)> {
        let proven = self.unproven.pop(address).is_none();
        Some((self.devices.pop(address)?, proven))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(number: u32) -> IpAddr {
        IpAddr::from(number.to_be_bytes())
    }

    #[test]
    fn made_up_addresses_make_no_device_of_the_site_forgotten() {
        let mut all = Population::<()>::new(80);
        for number in 0..70 {
            all.meet(host(number), true, || ());
        }
        // One that is unproven, and is proven while the flood goes on.
        all.meet(host(70), false, || ());
        for number in 1_000..100_000 {
            all.meet(host(number), false, || ());
            if number == 1_005 {
                all.meet(host(70), true, || ());
            }
        }
        assert!((0..=70).all(|number| all.peek(&host(number)).is_some()));
        assert!(all.peek(&host(99_999)).is_some(), "the last of the flood");
        // 71 of the site, and 9 of the flood.
        assert_eq!((all.len(), all.evicted()), (80, 99_000 - 9));
    }

    #[test]
    fn unproven_devices_make_room_for_proven_ones_and_these_for_each_other() {
        let mut all = Population::<()>::new(16);
        for number in 0..2 {
            all.meet(host(number), false, || ());
        }
        for number in 2..16 {
            all.meet(host(number), true, || ());
        }
        // The first of them was seen since.
        all.meet(host(0), false, || ());
        all.meet(host(2), true, || ());
        all.meet(host(16), true, || ());
        assert!(all.peek(&host(1)).is_none() && all.peek(&host(0)).is_some());
        all.meet(host(17), true, || ());
        assert!(all.peek(&host(0)).is_none());
        all.meet(host(18), true, || ());
        assert!(all.peek(&host(3)).is_none() && all.peek(&host(2)).is_some());
        assert_eq!((all.len(), all.evicted()), (16, 3));
    }
}
