//! IPv6 neighbour discovery (RFC 4861) as far as it may leave the kernel: [`crate::notice`] lists it.
//!
//! A message that its receivers discard (sections 6.1.2, 7.1.1 and 7.1.2) says nothing: its hop limit, its checksum, its code
//! and the lengths of its options are checked. A message is read in units of eight bytes, of which options are made.

use super::{
    limit::Lane,
    state::{Stage, TAPE_MAX},
};
use crate::{
    bytes::{Frame, View},
    cpu::Cpu,
    layer7::Step,
    packet::{Packet, protocol},
    registry::Tag,
    tape::{FIRST, LAST},
};

/// Types of messages (RFC 4861 sections 4.2 to 4.4).
const ROUTER_ADVERTISEMENT: u8 = 134;
/// A neighbour solicitation.
pub const SOLICITATION: u8 = 135;
/// A neighbour advertisement.
pub const ADVERTISEMENT: u8 = 136;

/// Flag of a neighbour advertisement: it answers a solicitation.
pub const SOLICITED: u8 = 0x40;
/// Flag of a neighbour advertisement: it replaces what is known.
pub const OVERRIDE: u8 = 0x20;

/// The hop limit of a message that no router passed on.
const HOPS: u8 = 255;

/// Types of options (RFC 4861 section 4.6, RFC 8106 section 5.1).
const SOURCE_LINK: u8 = 1;
const TARGET_LINK: u8 = 2;
const PREFIX: u8 = 3;
const DNS: u8 = 25;
/// Bytes of a DNS option that go out: what precedes the addresses, and three of these.
const DNS_MAX: u32 = 54;

/// The two 16-bit words of a number, in the machine's order: a checksum's sum does not depend on it (RFC 1071 section 2).
#[inline(always)]
const fn words(number: u32) -> u32 {
    (number & 0xffff) + (number >> 16)
}

/// The sum of an address's words.
#[inline(always)]
const fn address(bytes: &[u8; 16]) -> u32 {
    let [
        a0,
        a1,
        a2,
        a3,
        b0,
        b1,
        b2,
        b3,
        c0,
        c1,
        c2,
        c3,
        d0,
        d1,
        d2,
        d3,
    ] = *bytes;
    words(u32::from_ne_bytes([a0, a1, a2, a3]))
        + words(u32::from_ne_bytes([b0, b1, b2, b3]))
        + words(u32::from_ne_bytes([c0, c1, c2, c3]))
        + words(u32::from_ne_bytes([d0, d1, d2, d3]))
}

/// The sum of the pseudo-header's words (RFC 8200 section 8.1).
#[inline(always)]
fn pseudo_header(packet: &Packet) -> u32 {
    let length = packet.payload_length.wrapping_add(8) as u16;
    address(&packet.key6.addr_a)
        + address(&packet.key6.addr_b)
        + u32::from(length.to_be())
        + u32::from(u16::from(protocol::ICMP6).to_be())
}

/// True if a sum is that of a message with the right checksum.
#[inline(always)]
const fn is_right(sum: u32) -> bool {
    // Less than 2^32 leaves at most 17 bits, and these at most 16.
    let sum = words(sum);
    words(sum) == 0xffff
}

/// One step: the message before its options, or a unit of these.
#[inline(always)]
pub(crate) fn step<F: Frame>(frame: &F, cpu: &mut Cpu) -> Option<Step> {
    if cpu.notice.stage == Stage::Head as u8 {
        return head(frame, cpu);
    }
    let (at, end) = (cpu.work.position, cpu.work.end);
    if at == end && cpu.notice.records == 0 {
        if !is_right(cpu.notice.name) {
            return None;
        }
        cpu.notice.set(Stage::Whole);
        return Some(Step::Done);
    }
    let unit = frame.view::<8>(at)?;
    if at + 8 > end {
        return None;
    }
    cpu.notice.name += words(unit.ne32::<0>()) + words(unit.ne32::<4>());
    if cpu.notice.records == 0 {
        let (kind, units) = (unit.u8::<0>(), unit.u8::<1>());
        if units == 0 {
            return None;
        }
        cpu.notice.records = u16::from(units);
        option(frame, cpu, kind, units);
    }
    cpu.notice.records -= 1;
    cpu.work.position = at + 8;
    Some(Step::More)
}

/// Puts an option on the tape if it is to go out.
#[inline(always)]
fn option<F: Frame>(frame: &F, cpu: &mut Cpu, kind: u8, units: u8) {
    // The same option again and again would fill the tape.
    if cpu.work.tape_len >= TAPE_MAX {
        return;
    }
    let at = cpu.work.position + 2;
    if (kind == SOURCE_LINK || kind == TARGET_LINK) && units == 1 {
        let tag = Tag::NeighbourLink as u8;
        cpu.copy_piece(frame, tag, FIRST | LAST, cpu.work.position, 8);
    } else if kind == PREFIX && units == 4 {
        cpu.copy_piece(frame, Tag::RouterPrefix as u8, FIRST | LAST, at, 30);
    } else if kind == DNS && units >= 3 && units & 1 == 1 {
        // Numbers that the verifier knows on each way: of a computed one it loses the bound.
        let length = if units == 3 {
            22
        } else if units == 5 {
            38
        } else {
            DNS_MAX
        };
        cpu.copy_piece(frame, Tag::RouterDns as u8, FIRST | LAST, at, length);
    }
}

/// The message before its options: eight bytes, and the target or what a router says of times.
#[inline(always)]
fn head<F: Frame>(frame: &F, cpu: &mut Cpu) -> Option<Step> {
    let at = cpu.work.position;
    let head = frame.view::<8>(at.wrapping_sub(8))?;
    let (kind, flags) = (head.u8::<0>(), head.u8::<4>());
    let packet = &cpu.packet;
    if packet.ttl != HOPS || head.u8::<1>() != 0 || packet.payload_captured != packet.payload_length
    {
        return None;
    }
    let (from, to) = if packet.direction & 1 == 1 {
        (&packet.key6.addr_b, &packet.key6.addr_a)
    } else {
        (&packet.key6.addr_a, &packet.key6.addr_b)
    };
    let sum = pseudo_header(packet) + words(head.ne32::<0>()) + words(head.ne32::<4>());
    if kind == ROUTER_ADVERTISEMENT {
        // Only a link-local address is a router's (section 6.1.2).
        if from[0] != 0xfe || from[1] & 0xc0 != 0x80 {
            return None;
        }
        let times = frame.view::<8>(at)?;
        if at + 8 > cpu.work.end {
            return None;
        }
        cpu.notice.name = sum + words(times.ne32::<0>()) + words(times.ne32::<4>());
        cpu.notice.lane = Lane::Routers as u8;
        cpu.work.position = at + 8;
        cpu.copy_with_sender(frame, Tag::RouterAdvertisement, at.wrapping_sub(8), 8);
    } else {
        let target = frame.view::<16>(at)?;
        let multicast = target.u8::<0>() == 0xff;
        let answers_all = kind == ADVERTISEMENT && to[0] == 0xff && flags & SOLICITED != 0;
        if at + 16 > cpu.work.end || multicast || answers_all {
            return None;
        }
        cpu.notice.name = sum
            + words(target.ne32::<0>())
            + words(target.ne32::<4>())
            + words(target.ne32::<8>())
            + words(target.ne32::<12>());
        cpu.work.position = at + 16;
        cpu.copy_with_sender(frame, Tag::Neighbour, at.wrapping_sub(8), 24);
    }
    cpu.notice.set(Stage::Part);
    Some(Step::More)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_folds_to_all_ones_only_with_the_right_checksum() {
        // RFC 1071 section 3: the words 0001 f203 f4f5 f6f7 have the sum ddf2, so the checksum 220d.
        let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        let number = |at: usize| {
            u32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        let sum = words(number(0)) + words(number(4));
        let checksum = u32::from(u16::from_ne_bytes([0x22, 0x0d]));
        assert!(is_right(sum + checksum));
        assert!(!is_right(sum + checksum + 1) && !is_right(sum));
    }
}
