//! The DICOM upper layer as far as it may leave the kernel: PS3.8 section 9.3 (PDUs), PS3.7 annex D
//! (user information) and section 6.3 (command sets).
//!
//! What goes on the tape: PDU headers, the fixed part and the items of an association (credentials of a
//! user identity left out), reasons of rejects and aborts, and those elements of group 0000 that
//! [`leaves_kernel`] names. Data sets are counted in bytes and never copied.

use crate::{
    bytes::Frame,
    counter::Counter,
    cpu::Cpu,
    reader::{self, Step},
    stream::{AT_START, PROVEN, Protocol, State, Stream},
    tape::{FIRST, LAST, Tag},
};

/// PDU types (PS3.8 section 9.3).
pub mod pdu {
    /// A-ASSOCIATE-RQ.
    pub const ASSOCIATE_RQ: u8 = 1;
    /// A-ASSOCIATE-AC.
    pub const ASSOCIATE_AC: u8 = 2;
    /// A-ASSOCIATE-RJ.
    pub const ASSOCIATE_RJ: u8 = 3;
    /// P-DATA-TF.
    pub const DATA: u8 = 4;
    /// A-RELEASE-RQ.
    pub const RELEASE_RQ: u8 = 5;
    /// A-RELEASE-RP.
    pub const RELEASE_RP: u8 = 6;
    /// A-ABORT.
    pub const ABORT: u8 = 7;
}

/// Longest association PDU that is read: 128 contexts with many transfer syntaxes are below 64 KiB.
pub const ASSOCIATE_MAX: u32 = 256 * 1024;
/// Longest P-DATA-TF that is believed; a peer that announces maximum length 0 may send long ones.
pub const DATA_MAX: u32 = 1 << 30;

/// Bytes of an association PDU from the protocol version to the first item.
const ASSOCIATE_FIXED: u32 = 68;
/// Of these, what is checked before any leaves the kernel: version, two reserved bytes, half a title.
const ASSOCIATE_CHECKED: u32 = 12;

/// Control bit: the fragment belongs to a command set (PS3.8 annex E.2).
const COMMAND: u8 = 1;
/// Control bit: the last fragment.
const LAST_FRAGMENT: u8 = 2;

/// True if `first` can be the first byte of a PDU.
#[inline(always)]
#[must_use]
pub const fn may_begin(first: u8) -> bool {
    first >= pdu::ASSOCIATE_RQ && first <= pdu::ABORT
}

/// True for the command elements that leave the kernel, by element number of group 0000 (PS3.7 annex E).
///
/// Left out: instance UIDs (1000, 1001), and the comments (0902) in which a peer can write anything.
#[inline(always)]
#[must_use]
pub const fn leaves_kernel(element: u16) -> bool {
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

/// Longest value of a command element that leaves the kernel: a UID has 64 bytes.
const VALUE_MAX: u32 = 64;

#[inline(always)]
pub(crate) fn step<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
    match cpu.work.stream.state {
        s if s == State::DicomPdu as u8 => pdu_header(frame, cpu),
        s if s == State::DicomAssociate as u8 => associate(frame, cpu),
        s if s == State::DicomItem as u8 => item(frame, cpu),
        s if s == State::DicomSubItem as u8 => sub_item(frame, cpu),
        s if s == State::DicomSubItemRest as u8 => {
            let rest = cpu.work.stream.length;
            cpu.work.stream.skip(rest, State::DicomSubItem);
            Step::More
        }
        s if s == State::DicomPdv as u8 => pdv(frame, cpu),
        s if s == State::DicomElement as u8 => element(frame, cpu),
        _ => reader::desync(cpu),
    }
}

/// Gives up without a word where nothing was proved, else says so on the tape.
#[inline(always)]
fn confirmed(cpu: &Cpu) -> bool {
    cpu.work.protocol == Protocol::Dicom as u8
}

#[inline(always)]
fn pdu_header<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
    let Some([kind, _, l0, l1, l2, l3]) = reader::header::<6, F>(frame, &mut cpu.work) else {
        return Step::Done;
    };
    let length = u32::from_be_bytes([l0, l1, l2, l3]);
    let known = confirmed(cpu);
    let stream = &mut cpu.work.stream;
    stream.pdu_left = length;
    match kind {
        pdu::ASSOCIATE_RQ | pdu::ASSOCIATE_AC
            if (ASSOCIATE_FIXED..=ASSOCIATE_MAX).contains(&length) =>
        {
            stream.control = kind;
            stream.set(State::DicomAssociate);
        }
        pdu::DATA if (6..=DATA_MAX).contains(&length) => stream.set(State::DicomPdv),
        pdu::ASSOCIATE_RJ | pdu::ABORT if known && length == 4 => {
            cpu.record(Tag::DicomPdu, FIRST | LAST, [kind, 0, l0, l1, l2, l3]);
            cpu.record(Tag::DicomReason, FIRST, []);
            cpu.work.stream.copy(Tag::DicomReason, 4, State::DicomPdu);
        }
        pdu::RELEASE_RQ | pdu::RELEASE_RP if known && length == 4 => {
            cpu.record(Tag::DicomPdu, FIRST | LAST, [kind, 0, l0, l1, l2, l3]);
            cpu.work.stream.skip(4, State::DicomPdu);
        }
        _ => return reader::desync(cpu),
    }
    Step::More
}

#[inline(always)]
fn associate<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
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
fn item<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
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
fn sub_item<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
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

#[inline(always)]
fn pdv<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
    let stream = &mut cpu.work.stream;
    if stream.held == 0 && stream.pdu_left == 0 {
        stream.set(State::DicomPdu);
        return Step::More;
    }
    let Some([l0, l1, l2, l3, context, control]) = reader::header::<6, F>(frame, &mut cpu.work)
    else {
        return Step::Done;
    };
    let known = confirmed(cpu);
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
pub(crate) fn end_data(cpu: &mut Cpu) {
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
pub(crate) fn is_command_over(stream: &Stream) -> bool {
    stream.state == State::DicomElement as u8 && stream.held == 0 && stream.inner_left == 0
}

#[inline(always)]
fn element<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
    let stream = &mut cpu.work.stream;
    if stream.held == 0 && stream.inner_left < 8 {
        // The end of the fragment, or what is too short for an element.
        let (rest, control) = (stream.inner_left, stream.control);
        stream.inner_left = 0;
        stream.skip(rest, State::DicomPdv);
        if stream.pdu_left == 0 {
            stream.skip(rest, State::DicomPdu);
        }
        if control & LAST_FRAGMENT != 0 && confirmed(cpu) {
            cpu.record(Tag::DicomCommandEnd, FIRST | LAST, []);
        }
        return if confirmed(cpu) {
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
