//! Command sets (PS3.7 section 6.3): elements of group 0000, in fragments.
//!
//! The standard has them in implicit VR little-endian. Some receivers take explicit VR (pydicom does), and some old senders
//! wrote big-endian, so these are read too. An element may be cut by the end of a fragment.

use super::pdu::LAST_FRAGMENT;
use crate::{
    bytes::Frame,
    counter::Counter,
    cpu::Cpu,
    layer7::{
        reader,
        reason::Reason,
        stream::{AT_START, MORE, PROVEN, Stream},
        work::Step,
    },
    registry::{Protocol, State, Tag},
    tape::{FIRST, LAST},
};

/// Encoding of a command set: its numbers are big-endian.
pub const BIG_ENDIAN: u8 = 1;
/// Encoding of a command set: its elements have a VR.
pub const EXPLICIT_VR: u8 = 2;
const ENCODING: u8 = BIG_ENDIAN | EXPLICIT_VR;
/// Mode: the command set's last fragment is still to come.
const OPEN: u8 = 4;
/// Mode: the value that was cut by the end of a fragment is copied.
const COPIED: u8 = 8;

/// Longest value of a command element that leaves the kernel: a UID has 64 bytes.
const VALUE_MAX: u32 = 64;
/// Bytes of an element before its value.
const HEADER: u32 = 8;
/// Bytes from a PDU's first to the last of the header of its first command element.
const PROOF: u32 = 20;

/// True for the command elements that leave the kernel, by element number of group 0000 (PS3.7 annex E).
///
/// Left out: instance UIDs (1000, 1001), and the comments (0902) in which a peer can write anything.
#[inline(always)]
#[must_use]
const fn leaves_kernel(element: u16) -> bool {
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

/// A fragment of a command set begins, the first or another; `inner_left` has its bytes.
#[inline(always)]
pub(super) fn fragment(stream: &mut Stream) {
    if stream.has(OPEN) {
        // What the last fragment had of an element's header goes before this one's bytes.
        stream.held = stream.stash;
        stream.inner_left += u32::from(stream.stash);
        let [_, _, _, _, _, _, c0, c1, c2, c3, c4, c5, c6] = stream.carry;
        stream.carry = [c0, c1, c2, c3, c4, c5, c6, 0, 0, 0, 0, 0, 0];
    } else {
        stream.mode = OPEN;
        stream.flags |= AT_START;
        stream.length = 0;
    }
    stream.stash = 0;
    stream.set(State::DicomElement);
}

/// Ends the command set; true if it was open.
#[inline(always)]
pub(super) fn end(stream: &mut Stream) -> bool {
    let open = stream.has(OPEN);
    stream.mode &= !OPEN;
    stream.length = 0;
    stream.stash = 0;
    open
}

/// True if a command fragment ends just here, which is worth a step though no byte is left.
#[inline(always)]
pub(super) fn is_over(stream: &Stream) -> bool {
    stream.state == State::DicomElement as u8 && stream.inner_left == 0
}

/// An element's header, and how it is written.
struct Head {
    group: u16,
    number: u16,
    length: u32,
    /// Its VR has a length of four bytes, which come after these; no element of a command set has one.
    long: bool,
}

impl Head {
    #[inline(always)]
    fn of(bytes: [u8; 8], encoding: u8) -> Self {
        let [g0, g1, e0, e1, l0, l1, l2, l3] = bytes;
        let explicit = encoding & EXPLICIT_VR != 0;
        if encoding & BIG_ENDIAN != 0 {
            return Self {
                group: u16::from_be_bytes([g0, g1]),
                number: u16::from_be_bytes([e0, e1]),
                length: if explicit {
                    u32::from(u16::from_be_bytes([l2, l3]))
                } else {
                    u32::from_be_bytes([l0, l1, l2, l3])
                },
                long: explicit && is_long(l0, l1),
            };
        }
        Self {
            group: u16::from_le_bytes([g0, g1]),
            number: u16::from_le_bytes([e0, e1]),
            length: if explicit {
                u32::from(u16::from_le_bytes([l2, l3]))
            } else {
                u32::from_le_bytes([l0, l1, l2, l3])
            },
            long: explicit && is_long(l0, l1),
        }
    }
}

/// True for the VRs whose length has four bytes (PS3.5 table 7.1-1).
#[inline(always)]
const fn is_long(first: u8, second: u8) -> bool {
    matches!(
        (first, second),
        (b'O', _) | (b'S', b'Q' | b'V') | (b'U', b'C' | b'N' | b'R' | b'T' | b'V')
    )
}

/// The encoding of a command set, by its first element: most often the group length, else any.
#[inline(always)]
const fn encoding_of(head: [u8; 8]) -> u8 {
    let [_, _, e0, e1, l0, l1, l2, l3] = head;
    let explicit = l0.is_ascii_uppercase() && l1.is_ascii_uppercase();
    let (low, high) = if explicit { (l2, l3) } else { (l0, l3) };
    // The length shows it, unless it is zero: then the number of the element does, as 0002 and 0003 come early.
    let big = if low == 0 && high == 0 {
        e0 == 0 && (e1 == 2 || e1 == 3)
    } else {
        low == 0
    };
    (if explicit { EXPLICIT_VR } else { 0 }) | (if big { BIG_ENDIAN } else { 0 })
}

#[inline(always)]
pub(super) fn element<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
    let stream = &mut cpu.work.stream;
    if stream.length > 0 && stream.inner_left > 0 {
        value(stream);
        return Step::More;
    }
    if stream.inner_left < HEADER {
        return fragment_end(frame, cpu);
    }
    let Some(bytes) = reader::header::<8, F>(frame, &mut cpu.work) else {
        return Step::Done;
    };
    if cpu.work.stream.is(AT_START) {
        let encoding = encoding_of(bytes);
        let head = Head::of(bytes, encoding);
        // A command set begins with its group length (PS3.7 section 6.3.1): the proof that this is DICOM
        // where the association was not seen or the place was lost.
        if !cpu.work.stream.is(PROVEN) && (head.group != 0 || head.number != 0 || head.length != 4)
        {
            return cpu.desync(Reason::DicomPdu);
        }
        reader::prove(cpu, Protocol::Dicom, PROOF);
        let stream = &mut cpu.work.stream;
        stream.flags = stream.flags & !AT_START | PROVEN;
        stream.mode = stream.mode & !ENCODING | encoding;
        let [p0, p1, p2, p3] = (stream.inner_left + 2).to_be_bytes();
        let value = [p0, p1, p2, p3, stream.context, stream.control, encoding];
        cpu.record(Tag::DicomPdv, FIRST | LAST, value);
    }
    let stream = &mut cpu.work.stream;
    let head = Head::of(bytes, stream.mode & ENCODING);
    stream.inner_left -= HEADER;
    let fits = head.length <= stream.inner_left;
    if head.long || (!fits && stream.control & LAST_FRAGMENT != 0) {
        let rest = stream.inner_left;
        stream.inner_left = 0;
        stream.skip(rest, State::DicomElement);
        reader::skipped(cpu, Reason::DicomElement, rest);
        return Step::More;
    }
    stream.length = head.length;
    stream.mode &= !COPIED;
    if head.group != 0 {
        // Receivers look past it.
        cpu.counters.count(Counter::DicomForeignGroup);
    } else if leaves_kernel(head.number) {
        if head.length <= VALUE_MAX {
            stream.mode |= COPIED;
            let flags = if head.length == 0 {
                FIRST | LAST
            } else {
                FIRST
            };
            cpu.record(Tag::DicomElement, flags, bytes);
        } else {
            reader::skipped(cpu, Reason::DicomLong, head.length);
        }
    }
    value(&mut cpu.work.stream);
    Step::More
}

/// Copies or skips what this fragment has of the value.
#[inline(always)]
fn value(stream: &mut Stream) {
    let there = if stream.length < stream.inner_left {
        stream.length
    } else {
        stream.inner_left
    };
    stream.inner_left -= there;
    stream.length -= there;
    if stream.has(COPIED) {
        stream.copy(Tag::DicomElement, there, State::DicomElement);
        if stream.length > 0 {
            stream.mode |= MORE;
        }
    } else {
        stream.skip(there, State::DicomElement);
    }
}

/// The end of a fragment: what it has of an element's header is kept for the next one. After the last, the command set is
/// whole.
#[inline(always)]
fn fragment_end<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
    let work = &mut cpu.work;
    for _ in 0..HEADER {
        if u32::from(work.stream.held) >= work.stream.inner_left {
            break;
        }
        let Some(byte) = reader::next(frame, work) else {
            return Step::Done;
        };
        reader::hold(work, byte);
    }
    let known = work.is_of(Protocol::Dicom);
    let stream = &mut work.stream;
    let rest = stream.inner_left;
    stream.inner_left = 0;
    stream.held = 0;
    stream.set(State::DicomPdv);
    if stream.pdu_left == 0 {
        stream.set(State::DicomPdu);
    }
    if stream.control & LAST_FRAGMENT == 0 {
        stream.stash = rest as u8;
        let [c0, c1, c2, c3, c4, c5, c6, ..] = stream.carry;
        stream.carry = [0, 0, 0, 0, 0, 0, c0, c1, c2, c3, c4, c5, c6];
        return Step::More;
    }
    let cut = rest > 0 || stream.length > 0;
    end(stream);
    if !known {
        return cpu.desync(Reason::DicomPdu);
    }
    if cut {
        reader::skipped(cpu, Reason::DicomElement, rest);
    }
    cpu.record(Tag::DicomCommandEnd, FIRST | LAST, []);
    Step::More
}
