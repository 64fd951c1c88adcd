//! Notices: what hosts say of themselves outside of any session, that is who they are in ARP, DHCP
//! (RFC 2131) and multicast DNS (RFC 6762).
//!
//! What leaves the kernel is listed here and nothing else does: of ARP the addresses ([`Arp::record`]); of DHCP the
//! operation, the client's hardware address, `ciaddr` and `yiaddr`, and the options host name (12), requested
//! address (50), message type (53) and vendor class (60); of multicast DNS the first label of the name of an address
//! record in an answer, and the address.
//!
//! Like the layer-7 readers, the readers here go step by step. A CPU lets out so many notices a second
//! ([`Budget`]); what is beyond is counted.

use crate::{
    ABI_VERSION,
    arp::{self, Arp, Claim},
    bytes::Frame,
    counter::Counter,
    cpu::Cpu,
    dhcp,
    engine::Home,
    event::{EventHeader, EventKind},
    key::FlowKey,
    mdns,
    reader::Step,
    tape::{self, FIRST, LAST, Tag},
};

/// Steps that one notice may take.
pub const STEPS: u32 = 96;

/// What a packet says of hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Topic {
    /// Nothing.
    None = 0,
    /// ARP.
    Arp = 1,
    /// DHCP.
    Dhcp = 2,
    /// Multicast DNS.
    Names = 3,
}

/// Ports of DHCP: server, client (RFC 2131 section 4.1).
const DHCP_PORTS: (u16, u16) = (67, 68);
/// Port of multicast DNS (RFC 6762 section 3).
const NAMES_PORT: u16 = 5_353;

impl Topic {
    /// What a UDP datagram to these ports says.
    #[inline(always)]
    #[must_use]
    pub const fn of_udp(source: u16, destination: u16) -> Self {
        if destination == DHCP_PORTS.0 || destination == DHCP_PORTS.1 {
            Self::Dhcp
        } else if destination == NAMES_PORT && source == NAMES_PORT {
            Self::Names
        } else {
            Self::None
        }
    }
}

/// Notices that a CPU may let out in a second: of ARP, and of the others.
pub const PER_SECOND: [u32; 2] = [512, 256];

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
    fn take(&mut self, now: u64, per_second: u32) -> bool {
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
    /// What is left of this second: of ARP, and of the others.
    pub budgets: [Budget; 2],
    /// The ARP message.
    pub arp: Arp,
    /// Multicast DNS: where the name of the current record begins.
    pub(crate) name: u32,
    /// Multicast DNS: records that are left.
    pub(crate) records: u16,
    /// [`Topic`].
    topic: u8,
    /// [`Stage`].
    pub(crate) stage: u8,
}

impl Notice {
    /// At rest.
    pub const EMPTY: Self = Self {
        budgets: [Budget::EMPTY; 2],
        arp: Arp::EMPTY,
        name: 0,
        records: 0,
        topic: 0,
        stage: 0,
    };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Stage {
    /// The message's head.
    Head = 0,
    /// DHCP: an option. Multicast DNS: a label of a name.
    Part = 1,
    /// Multicast DNS: what follows a name.
    Record = 2,
}

/// Bytes of a name that leave the kernel.
pub const NAME_MAX: u32 = 64;
/// Bytes of tape after which a message is read no further.
pub(crate) const TAPE_MAX: u32 = 512;

/// Makes ready for the packet in `cpu.packet`.
#[inline(always)]
pub(crate) fn begin(cpu: &mut Cpu) {
    cpu.work.tape_len = 0;
    cpu.work.position = cpu.packet.offset;
    cpu.work.end = cpu.packet.offset.wrapping_add(cpu.packet.payload_captured);
    cpu.notice.topic = cpu.packet.topic();
    cpu.notice.stage = Stage::Head as u8;
    cpu.notice.records = 0;
}

/// True if one more notice may go out now; one that may not is counted.
#[inline(always)]
pub(crate) fn may_go(cpu: &mut Cpu, now: u64) -> bool {
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

/// Counts a claim that is known, and puts it on the tape if it is told again.
#[inline(always)]
pub(crate) fn again(cpu: &mut Cpu, claim: &mut Claim, now: u64) {
    claim.count = claim.count.wrapping_add(1);
    if now.saturating_sub(claim.told) < arp::AGAIN || !may_go(cpu, now) {
        return;
    }
    let record = cpu.notice.arp.record(claim.count);
    claim.told = now;
    claim.count = 0;
    cpu.record(Tag::Arp, FIRST | LAST, record);
}

/// Puts a new claim on the tape; as it is to be kept then.
#[inline(always)]
pub(crate) fn first(cpu: &mut Cpu, now: u64) -> Option<Claim> {
    if !may_go(cpu, now) {
        return None;
    }
    let record = cpu.notice.arp.record(1);
    cpu.record(Tag::Arp, FIRST | LAST, record);
    Some(Claim {
        told: now,
        count: 0,
        pad: 0,
    })
}

/// One step: bounded work on the bytes from `cpu.work.position` on.
#[inline(always)]
pub fn step<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
    let topic = cpu.notice.topic;
    let done = if topic == Topic::Arp as u8 {
        read_arp(frame, cpu)
    } else if topic == Topic::Dhcp as u8 {
        dhcp::step(frame, cpu)
    } else {
        mdns::step(frame, cpu)
    };
    if let Some(step) = done {
        step
    } else {
        cpu.counters.count(Counter::NoticeMalformed);
        cpu.work.tape_len = 0;
        Step::Done
    }
}

#[inline(always)]
pub(crate) fn set(cpu: &mut Cpu, stage: Stage) {
    cpu.notice.stage = stage as u8;
}

#[inline(always)]
fn read_arp<F: Frame>(frame: &F, cpu: &mut Cpu) -> Option<Step> {
    let arp = Arp::parse(frame, cpu.packet.offset, &cpu.packet.macs)?;
    cpu.notice.arp = arp;
    // What the table of claims decides.
    set(cpu, Stage::Part);
    Some(Step::Done)
}

/// True once an ARP message was read whole.
#[inline(always)]
pub(crate) fn has_arp(cpu: &Cpu) -> bool {
    cpu.notice.topic == Topic::Arp as u8 && cpu.notice.stage == Stage::Part as u8
}

/// Reads what the packet says of hosts, and sends it if it is new or due and there are not too many.
#[inline(always)]
pub fn tell<H: Home>(home: &mut H, now: u64) {
    begin(home.cpu());
    for _ in 0..STEPS {
        if home.notice_step() == Step::Done as u32 {
            break;
        }
    }
    if has_arp(home.cpu()) {
        if let Some(claim) = home.claim() {
            // SAFETY: `claim` has just given it. Another CPU may count meanwhile, and a count may be lost.
            again(home.cpu(), unsafe { &mut *claim }, now);
        } else if let Some(claim) = first(home.cpu(), now) {
            home.keep_claim(&claim);
        }
    } else if home.cpu().work.tape_len > 0 && !may_go(home.cpu(), now) {
        return;
    }
    let cpu = home.cpu();
    let length = cpu.work.tape_len & (tape::CAPACITY - 1);
    if length == 0 {
        return;
    }
    let chunk = &mut cpu.chunk.header;
    chunk.header = EventHeader {
        version: ABI_VERSION,
        kind: EventKind::Notice as u8,
        detail: 0,
        protocol: 0,
        interface: cpu.packet.interface,
        time: now,
    };
    chunk.key = FlowKey::EMPTY;
    if !has_arp(cpu) {
        let chunk = &mut cpu.chunk.header;
        chunk.header.detail = cpu.packet.direction & 1;
        chunk.key = cpu.packet.flow_key();
    }
    let chunk = &mut cpu.chunk.header;
    chunk.flow_start = 0;
    chunk.number = 0;
    chunk.stream_offset = 0;
    chunk.flags = 0;
    chunk.tape_len = length as u16;
    cpu.counters.count(Counter::ChunkEvents);
    if !home.emit_chunk(length) {
        home.cpu().counters.count(Counter::ChunkEventsLost);
    }
}

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
