//! How many notices a CPU may let out.

use crate::{counter::Counter, cpu::Cpu, registry::Topic};

/// What has a limit of its own, so that a flood of one kind does not hide the others: many clients that ask for addresses
/// hide no false server, and many solicitations hide no false router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Lane {
    /// ARP.
    Arp = 0,
    /// What DHCP clients say, and multicast DNS.
    Names = 1,
    /// What DHCP servers say.
    Leases = 2,
    /// Neighbour solicitations and advertisements.
    Neighbours = 3,
    /// Router advertisements.
    Routers = 4,
}

/// How many lanes there are.
pub(super) const LANES: usize = PER_SECOND.len();

/// Notices that a CPU may let out in a second: of ARP; of DHCP clients and multicast DNS; of DHCP servers; of neighbours;
/// of routers.
pub const PER_SECOND: [u32; 5] = [512, 256, 128, 512, 64];

impl Lane {
    /// The lane of a topic, before its message is read.
    #[inline(always)]
    pub(super) const fn of(topic: u8) -> Self {
        if topic == Topic::Arp as u8 {
            Self::Arp
        } else if topic == Topic::Neighbour as u8 {
            Self::Neighbours
        } else {
            Self::Names
        }
    }

    /// Notices of a lane in a second.
    #[inline(always)]
    const fn per_second(lane: u8) -> u32 {
        match lane {
            0 => PER_SECOND[0],
            1 => PER_SECOND[1],
            2 => PER_SECOND[2],
            3 => PER_SECOND[3],
            _ => PER_SECOND[4],
        }
    }
}

/// True if one more notice may go out now; one that may not is counted.
#[inline(always)]
pub(super) fn may_go(cpu: &mut Cpu, now: u64) -> bool {
    let lane = cpu.notice.lane;
    let may = match cpu.notice.budgets.get_mut(usize::from(lane)) {
        Some(budget) => budget.take(now, Lane::per_second(lane)),
        None => false,
    };
    if !may {
        cpu.counters.count(Counter::NoticeWithheld);
    }
    may
}
