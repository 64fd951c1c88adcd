//! Association requests and acceptances (PS3.8 section 9.3.2 and 9.3.3), and their items.

use crate::{
    bytes::Frame,
    cpu::Cpu,
    layer7::{reader, stream::PROVEN, work::Step},
    registry::{Protocol, State, Tag},
    tape::{FIRST, LAST},
};

/// Bytes of an association PDU from the protocol version to the first item.
pub(super) const ASSOCIATE_FIXED: u32 = 68;
/// Of these, what is checked before any leaves the kernel: version, two reserved bytes, half a title.
const ASSOCIATE_CHECKED: u32 = 12;

#[inline(always)]
pub(super) fn associate<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
    let Some(checked) = reader::header::<12, F>(frame, &mut cpu.work) else {
        return Step::Done;
    };
    // PS3.8 table 9-11: protocol version, bit 0 tested alone; two reserved bytes, never tested; then the
    // called title, ISO 646 without control characters.
    let [_, version, _, _, title @ ..] = checked;
    let mut sound = version & 1 == 1;
    for byte in title {
        if !(0x20..0x7f).contains(&byte) {
            sound = false;
        }
    }
    if !sound {
        return reader::desync(cpu);
    }
    cpu.work.protocol = Protocol::Dicom as u8;
    cpu.work.stream.flags |= PROVEN;
    let length = cpu.work.stream.pdu_left;
    let kind = cpu.work.stream.control;
    let [l0, l1, l2, l3] = length.to_be_bytes();
    cpu.record(Tag::DicomPdu, FIRST | LAST, [kind, 0, l0, l1, l2, l3]);
    cpu.record(Tag::DicomAssociate, FIRST, checked);
    let stream = &mut cpu.work.stream;
    stream.pdu_left = length - ASSOCIATE_FIXED;
    stream.copy(
        Tag::DicomAssociate,
        ASSOCIATE_FIXED - ASSOCIATE_CHECKED,
        State::DicomItem,
    );
    Step::More
}

#[inline(always)]
pub(super) fn item<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
    let stream = &mut cpu.work.stream;
    if stream.held == 0 && stream.pdu_left < 4 {
        let rest = stream.pdu_left;
        stream.pdu_left = 0;
        stream.skip(rest, State::DicomPdu);
        return Step::More;
    }
    let Some(head) = reader::header::<4, F>(frame, &mut cpu.work) else {
        return Step::Done;
    };
    let [kind, _, high, low] = head;
    let length = u32::from(u16::from_be_bytes([high, low]));
    let stream = &mut cpu.work.stream;
    if length + 4 > stream.pdu_left {
        return reader::desync(cpu);
    }
    stream.pdu_left -= length + 4;
    match kind {
        0x10 | 0x20 | 0x21 => {
            begin_item(cpu, head, length);
            cpu.work
                .stream
                .copy(Tag::DicomItem, length, State::DicomItem);
        }
        0x50 => {
            stream.inner_left = length;
            stream.set(State::DicomSubItem);
        }
        _ => stream.skip(length, State::DicomItem),
    }
    Step::More
}

#[inline(always)]
pub(super) fn sub_item<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
    let stream = &mut cpu.work.stream;
    if stream.held == 0 && stream.inner_left < 4 {
        let rest = stream.inner_left;
        stream.inner_left = 0;
        stream.skip(rest, State::DicomItem);
        return Step::More;
    }
    let Some(head) = reader::header::<4, F>(frame, &mut cpu.work) else {
        return Step::Done;
    };
    let [kind, _, high, low] = head;
    let length = u32::from(u16::from_be_bytes([high, low]));
    let stream = &mut cpu.work.stream;
    if length + 4 > stream.inner_left {
        return reader::desync(cpu);
    }
    stream.inner_left -= length + 4;
    match kind {
        // Maximum length, implementation class UID, asynchronous operations, roles, version name.
        0x51..=0x55 => {
            begin_item(cpu, head, length);
            cpu.work
                .stream
                .copy(Tag::DicomItem, length, State::DicomSubItem);
        }
        // Extended negotiation and user identity: of the latter the two bytes are its type and whether
        // an answer is wanted; a password may follow.
        0x56..=0x59 => {
            let shown = if length < 2 { length } else { 2 };
            begin_item(cpu, head, shown);
            cpu.work.stream.length = length - shown;
            cpu.work
                .stream
                .copy(Tag::DicomItem, shown, State::DicomSubItemRest);
        }
        _ => stream.skip(length, State::DicomSubItem),
    }
    Step::More
}

#[inline(always)]
fn begin_item(cpu: &mut Cpu, head: [u8; 4], to_come: u32) {
    cpu.record(
        Tag::DicomItem,
        if to_come == 0 { FIRST | LAST } else { FIRST },
        head,
    );
}
