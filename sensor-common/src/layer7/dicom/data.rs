//! P-DATA-TF (PS3.8 section 9.3.5): command sets, and data sets, which are only counted.

use crate::{
    bytes::Frame,
    counter::Counter,
    cpu::Cpu,
    layer7::{
        reader,
        stream::{AT_START, PROVEN, Stream},
        work::Step,
    },
    registry::{Protocol, State, Tag},
    tape::{FIRST, LAST},
};

/// Control bit: the fragment belongs to a command set (PS3.8 annex E.2).
const COMMAND: u8 = 1;
/// Control bit: the last fragment.
const LAST_FRAGMENT: u8 = 2;
/// Longest value of a command element that leaves the kernel: a UID has 64 bytes.
const VALUE_MAX: u32 = 64;

/// True for the command elements that leave the kernel, by element number of group 0000 (PS3.7 annex E).
///
/// Left out: instance UIDs (1000, 1001), and the comments (0902) in which a peer can write anything.
#[inline(always)]
#[must_use]
pub(super) const fn leaves_kernel(element: u16) -> bool {
    matches!(
        element,
        0x0000 // group length
            | 0x0002 | 0x0003 // affected, requested SOP class
            | 0x0100 // command field
            | 0x0110 | 0x0120 // message id, message id being responded to
            | 0x0600 // move destination
            | 0x0700 // priority
            | 0x0800 // data set type
            | 0x0900 // status
            | 0x1002 | 0x1008 // event type, action type
            | 0x1020 | 0x1021 | 0x1022 | 0x1023 // sub-operations: remaining, completed, failed, warning
            | 0x1030 | 0x1031 // move originator title and message id
    )
}

#[inline(always)]
pub(super) fn pdv<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
    let stream = &mut cpu.work.stream;
    if stream.held == 0 && stream.pdu_left == 0 {
        stream.set(State::DicomPdu);
        return Step::More;
    }
    let Some([l0, l1, l2, l3, context, control]) = reader::header::<6, F>(frame, &mut cpu.work)
    else {
        return Step::Done;
    };
    let known = cpu.work.is_of(Protocol::Dicom);
    let stream = &mut cpu.work.stream;
    let length = u32::from_be_bytes([l0, l1, l2, l3]);
    // PS3.8 section 9.3.5.1: the length counts context id and control; ids are odd.
    let room = stream.pdu_left.saturating_sub(4);
    let sound = length >= 2
        && length <= room
        // Where the place was lost, image data can look like a header: the value must fill the PDU.
        && (length == room || stream.is(PROVEN))
        && context & 1 == 1
        && control & !(COMMAND | LAST_FRAGMENT) == 0;
    if !sound || (!known && control & COMMAND == 0) {
        return reader::desync(cpu);
    }
    stream.pdu_left -= length + 4;
    stream.inner_left = length - 2;
    stream.control = control;
    stream.context = context;
    if control & COMMAND != 0 {
        stream.flags |= AT_START;
        stream.set(State::DicomElement);
    } else {
        stream.data_bytes += u64::from(length - 2);
        let skip = stream.inner_left;
        stream.skip(skip, State::DicomDataEnd);
        if skip == 0 {
            end_data(cpu);
        }
    }
    Step::More
}

/// After a fragment of a data set.
#[inline(always)]
pub(super) fn end_data(cpu: &mut Cpu) {
    let stream = &mut cpu.work.stream;
    stream.set(State::DicomPdv);
    if stream.pdu_left == 0 {
        stream.set(State::DicomPdu);
    }
    if stream.control & LAST_FRAGMENT != 0 {
        let (bytes, context) = (stream.data_bytes, stream.context);
        stream.data_bytes = 0;
        let [b0, b1, b2, b3, b4, b5, b6, b7] = bytes.to_le_bytes();
        cpu.record(
            Tag::DicomDataEnd,
            FIRST | LAST,
            [b0, b1, b2, b3, b4, b5, b6, b7, context],
        );
    }
}

/// True if a command fragment ends just here, which is worth a step though no byte is left.
#[inline(always)]
pub(super) fn is_command_over(stream: &Stream) -> bool {
    stream.state == State::DicomElement as u8 && stream.held == 0 && stream.inner_left == 0
}

#[inline(always)]
pub(super) fn element<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
    let stream = &mut cpu.work.stream;
    if stream.held == 0 && stream.inner_left < 8 {
        // The end of the fragment, or what is too short for an element.
        let (rest, control) = (stream.inner_left, stream.control);
        stream.inner_left = 0;
        stream.skip(rest, State::DicomPdv);
        if stream.pdu_left == 0 {
            stream.skip(rest, State::DicomPdu);
        }
        if control & LAST_FRAGMENT != 0 && cpu.work.is_of(Protocol::Dicom) {
            cpu.record(Tag::DicomCommandEnd, FIRST | LAST, []);
        }
        return if cpu.work.is_of(Protocol::Dicom) {
            Step::More
        } else {
            reader::desync(cpu)
        };
    }
    let Some(head) = reader::header::<8, F>(frame, &mut cpu.work) else {
        return Step::Done;
    };
    let [g0, g1, e0, e1, l0, l1, l2, l3] = head;
    let (group, number) = (u16::from_le_bytes([g0, g1]), u16::from_le_bytes([e0, e1]));
    let length = u32::from_le_bytes([l0, l1, l2, l3]);
    if cpu.work.stream.is(AT_START) {
        cpu.work.stream.flags &= !AT_START;
        // A command set begins with its group length (PS3.7 section 6.3.1): the proof that this is DICOM
        // where the association was not seen or the place was lost.
        if !cpu.work.stream.is(PROVEN) && (group != 0 || number != 0 || length != 4) {
            return reader::desync(cpu);
        }
        cpu.work.protocol = Protocol::Dicom as u8;
        let stream = &mut cpu.work.stream;
        stream.flags |= PROVEN;
        let [p0, p1, p2, p3] = (stream.inner_left + 2).to_be_bytes();
        let value = [p0, p1, p2, p3, stream.context, stream.control];
        cpu.record(Tag::DicomPdv, FIRST | LAST, value);
    }
    let stream = &mut cpu.work.stream;
    stream.inner_left -= 8;
    if group != 0 {
        cpu.counters.count(Counter::DicomForeignGroup);
        let rest = stream.inner_left;
        stream.inner_left = 0;
        stream.skip(rest, State::DicomElement);
        return Step::More;
    }
    if length > stream.inner_left {
        return reader::desync(cpu);
    }
    stream.inner_left -= length;
    if leaves_kernel(number) && length <= VALUE_MAX {
        cpu.record(
            Tag::DicomElement,
            if length == 0 { FIRST | LAST } else { FIRST },
            head,
        );
        cpu.work
            .stream
            .copy(Tag::DicomElement, length, State::DicomElement);
    } else {
        stream.skip(length, State::DicomElement);
    }
    Step::More
}
