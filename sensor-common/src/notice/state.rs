//! A notice while it is made, and how many may be made.

use super::{arp::Arp, limit::LANES};
use crate::registry::Topic;

/// Steps that one notice may take: enough for every option of a message that fills an Ethernet frame of 1,500 bytes, eight
/// bytes each.
pub const STEPS: u32 = 192;

/// What is left of a second's notices. Zero bytes are a valid start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Budget {
    /// The second, counted from 1.
    second: u64,
    /// What is left in it.
    left: u32,
    pad: u32,
}

impl Budget {
    /// At rest.
    pub const EMPTY: Self = Self {
        second: 0,
        left: 0,
        pad: 0,
    };

    /// Takes one; false if there is none left.
    #[inline(always)]
    pub(crate) fn take(&mut self, now: u64, per_second: u32) -> bool {
        let second = now / 1_000_000_000 + 1;
        if self.second != second {
            self.second = second;
            self.left = per_second;
        }
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        true
    }
}

/// A notice while it is made.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Notice {
    /// What is left of this second, by [`Lane`].
    pub budgets: [Budget; LANES],
    /// The ARP message.
    pub arp: Arp,
    /// Multicast DNS: where the name of the current record begins. Neighbour discovery: the sum of the words so far.
    pub(crate) name: u32,
    /// Multicast DNS: records that are left. Neighbour discovery: units of eight bytes that are left of an option.
    pub(crate) records: u16,
    /// [`Topic`].
    pub(crate) topic: u8,
    /// [`Stage`].
    pub(crate) stage: u8,
    /// [`Lane`].
    pub(crate) lane: u8,
    pad: [u8; 7],
}

impl Notice {
    /// At rest.
    pub const EMPTY: Self = Self {
        budgets: [Budget::EMPTY; LANES],
        arp: Arp::EMPTY,
        name: 0,
        records: 0,
        topic: 0,
        stage: 0,
        lane: 0,
        pad: [0; 7],
    };

    /// Goes on with another stage.
    #[inline(always)]
    pub(crate) fn set(&mut self, stage: Stage) {
        self.stage = stage as u8;
    }

    /// True once an ARP message was read whole.
    #[inline(always)]
    pub(crate) fn has_arp(&self) -> bool {
        self.topic == Topic::Arp as u8 && self.stage == Stage::Part as u8
    }
}

/// How far a message was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Stage {
    /// The message's head.
    Head = 0,
    /// DHCP, neighbour discovery: an option. Multicast DNS: a label of a name.
    Part = 1,
    /// Multicast DNS: what follows a name.
    Record = 2,
    /// Neighbour discovery: all of it was read, and its checksum is right.
    Whole = 3,
}

/// Bytes of a name that leave the kernel.
pub const NAME_MAX: u32 = 64;
/// Bytes of tape after which a message is read no further.
pub(crate) const TAPE_MAX: u32 = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_has_so_many_and_the_next_has_them_again() {
        let mut budget = Budget::EMPTY;
        let taken = (0..10).filter(|_| budget.take(5, 3)).count();
        assert_eq!(taken, 3, "also in the clock's first second");
        assert!(budget.take(1_000_000_000, 3));
        // A clock that is set back does not stop it.
        assert!(budget.take(5, 3));
    }
}
