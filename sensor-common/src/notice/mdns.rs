//! Multicast DNS (RFC 6762) as far as it may leave the kernel: [`crate::notice`] lists it.

use super::state::{NAME_MAX, STEPS, Stage, TAPE_MAX};
use crate::{
    bytes::{Frame, View},
    cpu::Cpu,
    layer7::Step,
    registry::Tag,
    tape::{FIRST, LAST},
};

/// Bytes of the header of a DNS message.
const DNS_HEAD: u32 = 12;
/// The two high bits of a label's length: the rest of the name is elsewhere (RFC 1035 section 4.1.4).
const POINTER: u8 = 0xc0;
/// Class Internet; the high bit says that older records are void (RFC 6762 section 10.2).
const INTERNET: u16 = 1;

/// One step: the head, one label of a name, or what follows a name.
#[inline(always)]
pub(crate) fn step<F: Frame>(frame: &F, cpu: &mut Cpu) -> Option<Step> {
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
        cpu.notice.set(Stage::Part);
        return Some(Step::More);
    }
    if cpu.notice.records == 0 || cpu.work.tape_len > TAPE_MAX {
        return Some(Step::Done);
    }
    if at >= end {
        return None;
    }
    if cpu.notice.stage == Stage::Part as u8 {
        let length = frame.u8(at)?;
        if length & POINTER == POINTER {
            cpu.work.position = at + 2;
            cpu.notice.set(Stage::Record);
        } else if length & POINTER != 0 {
            return None;
        } else {
            cpu.work.position = at + 1 + u32::from(length);
            if length == 0 {
                cpu.notice.set(Stage::Record);
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
    cpu.notice.set(Stage::Part);
    Some(Step::More)
}
