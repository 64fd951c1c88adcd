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
    arp::{self, Arp, Claim},
    bytes::{Frame, View},
    counter::Counter,
    cpu::Cpu,
    reader::Step,
    tape::{FIRST, LAST, Tag},
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
    name: u32,
    /// Multicast DNS: records that are left.
    records: u16,
    /// [`Topic`].
    topic: u8,
    /// [`Stage`].
    stage: u8,
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
enum Stage {
    /// The message's head.
    Head = 0,
    /// DHCP: an option. Multicast DNS: a label of a name.
    Part = 1,
    /// Multicast DNS: what follows a name.
    Record = 2,
}

/// Bytes of a name that leave the kernel.
pub const NAME_MAX: u32 = 64;
/// Bytes of a DHCP message before its options, the magic cookie included.
const DHCP_HEAD: u32 = 240;
const DHCP_COOKIE: u32 = 0x6382_5363;
const DHCP_PAD: u8 = 0;
const DHCP_END: u8 = 255;
/// Bytes of the header of a DNS message.
const DNS_HEAD: u32 = 12;
/// Bytes of tape after which a DNS message is read no further.
const DNS_TAPE_MAX: u32 = 512;

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
        dhcp(frame, cpu)
    } else {
        names(frame, cpu)
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
fn set(cpu: &mut Cpu, stage: Stage) {
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

#[inline(always)]
fn dhcp<F: Frame>(frame: &F, cpu: &mut Cpu) -> Option<Step> {
    let (at, end) = (cpu.work.position, cpu.work.end);
    if cpu.notice.stage == Stage::Head as u8 {
        let head = frame.view::<{ DHCP_HEAD as usize }>(at)?;
        if at + DHCP_HEAD > end || head.be32::<236>() != DHCP_COOKIE || head.be16::<1>() != 0x0106 {
            return None;
        }
        let [c0, c1, c2, c3] = head.ne32::<12>().to_ne_bytes();
        let [y0, y1, y2, y3] = head.ne32::<16>().to_ne_bytes();
        let [m0, m1, m2, m3] = head.ne32::<28>().to_ne_bytes();
        let [m4, m5] = head.ne16::<32>().to_ne_bytes();
        let record = [
            head.u8::<0>(),
            m0,
            m1,
            m2,
            m3,
            m4,
            m5,
            c0,
            c1,
            c2,
            c3,
            y0,
            y1,
            y2,
            y3,
        ];
        cpu.record(Tag::DhcpHead, FIRST | LAST, record);
        cpu.work.position = at + DHCP_HEAD;
        set(cpu, Stage::Part);
        return Some(Step::More);
    }
    if at >= end {
        return Some(Step::Done);
    }
    let code = frame.u8(at)?;
    if code == DHCP_END {
        return Some(Step::Done);
    }
    if code == DHCP_PAD {
        cpu.work.position = at + 1;
        return Some(Step::More);
    }
    let length = u32::from(frame.u8(at + 1)?);
    if at + 2 + length > end {
        return None;
    }
    let (tag, wanted) = match code {
        12 => (Tag::DhcpName, length > 0),
        50 => (Tag::DhcpRequested, length == 4),
        53 => (Tag::DhcpType, length == 1),
        60 => (Tag::DhcpVendor, length > 0),
        _ => (Tag::DhcpHead, false),
    };
    // The same option again and again would fill the tape.
    if wanted && cpu.work.tape_len < DNS_TAPE_MAX {
        let length = if length > NAME_MAX { NAME_MAX } else { length };
        cpu.copy_piece(frame, tag as u8, FIRST | LAST, at + 2, length);
    }
    cpu.work.position = at + 2 + length;
    Some(Step::More)
}

/// The two high bits of a label's length: the rest of the name is elsewhere (RFC 1035 section 4.1.4).
const POINTER: u8 = 0xc0;
/// Class Internet; the high bit says that older records are void (RFC 6762 section 10.2).
const INTERNET: u16 = 1;

#[inline(always)]
fn names<F: Frame>(frame: &F, cpu: &mut Cpu) -> Option<Step> {
    let (at, end, start) = (cpu.work.position, cpu.work.end, cpu.packet.offset);
    if cpu.notice.stage == Stage::Head as u8 {
        let head = frame.view::<{ DNS_HEAD as usize }>(at)?;
        // Questions are of no interest, and an answer has none (RFC 6762 section 6).
        if head.u8::<2>() & 0x80 == 0 || head.be16::<4>() != 0 {
            return Some(Step::Done);
        }
        let records = u32::from(head.be16::<6>())
            + u32::from(head.be16::<8>())
            + u32::from(head.be16::<10>());
        cpu.notice.records = if records > STEPS {
            STEPS as u16
        } else {
            records as u16
        };
        cpu.notice.name = at + DNS_HEAD;
        cpu.work.position = at + DNS_HEAD;
        set(cpu, Stage::Part);
        return Some(Step::More);
    }
    if cpu.notice.records == 0 || cpu.work.tape_len > DNS_TAPE_MAX {
        return Some(Step::Done);
    }
    if at >= end {
        return None;
    }
    if cpu.notice.stage == Stage::Part as u8 {
        let length = frame.u8(at)?;
        if length & POINTER == POINTER {
            cpu.work.position = at + 2;
            set(cpu, Stage::Record);
        } else if length & POINTER != 0 {
            return None;
        } else {
            cpu.work.position = at + 1 + u32::from(length);
            if length == 0 {
                set(cpu, Stage::Record);
            }
        }
        return Some(Step::More);
    }
    let record = frame.view::<10>(at)?;
    let (kind, class, length) = (record.be16::<0>(), record.be16::<2>(), record.be16::<8>());
    let (data, length) = (at + 10, u32::from(length));
    if data + length > end {
        return None;
    }
    let counts = class & 0x7fff == INTERNET && record.be32::<4>() != 0;
    let v4 = counts && kind == 1 && length == 4;
    let v6 = counts && kind == 28 && length == 16;
    if v4 || v6 {
        let mut name = cpu.notice.name;
        let mut label = frame.u8(name)?;
        if label & POINTER == POINTER {
            name = start + u32::from(frame.be16(name)? & 0x3fff);
            label = frame.u8(name)?;
        }
        let label = u32::from(label);
        if label == 0 || label >= NAME_MAX || name + 1 + label > end {
            return None;
        }
        cpu.copy_piece(frame, Tag::HostName as u8, FIRST | LAST, name + 1, label);
        // Lengths that the verifier knows.
        if v4 {
            cpu.record(Tag::HostAddress, FIRST | LAST, frame.array::<4>(data)?);
        } else {
            cpu.record(Tag::HostAddress, FIRST | LAST, frame.array::<16>(data)?);
        }
    }
    cpu.notice.records -= 1;
    cpu.notice.name = data + length;
    cpu.work.position = data + length;
    set(cpu, Stage::Part);
    Some(Step::More)
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
