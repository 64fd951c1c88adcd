//! How many notices a CPU may let out.

use crate::{counter::Counter, cpu::Cpu, registry::Topic};

/// Notices that a CPU may let out in a second: of ARP, and of the others.
pub const PER_SECOND: [u32; 2] = [512, 256];

/// True if one more notice may go out now; one that may not is counted.
#[inline(always)]
pub(super) fn may_go(cpu: &mut Cpu, now: u64) -> bool {
    let [arp, others] = &mut cpu.notice.budgets;
    let may = if cpu.notice.topic == Topic::Arp as u8 {
        arp.take(now, PER_SECOND[0])
    } else {
        others.take(now, PER_SECOND[1])
    };
    if !may {
        cpu.counters.count(Counter::NoticeWithheld);
    }
    may
}
