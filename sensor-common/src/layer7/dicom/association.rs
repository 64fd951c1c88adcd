//! Association requests and acceptances (PS3.8 section 9.3.2 and 9.3.3), and their items.

use super::pdu;
use crate::{
    bytes::Frame,
    cpu::Cpu,
    event::MIDSTREAM,
    layer7::{
        reader,
        reason::Reason,
        stream::{EARLY, LOST, PROVEN, Stream},
        work::Step,
    },
    registry::{Protocol, State, Tag},
    tape::{FIRST, LAST},
};

/// Bytes of an association PDU from the protocol version to the first item.
pub(super) const ASSOCIATE_FIXED: u32 = 68;
/// Of these, what is checked before any leaves the kernel: version, two reserved bytes, half a title.
const ASSOCIATE_CHECKED: u32 = 12;
/// Of these, what leaves the kernel: up to the end of the titles.
const ASSOCIATE_SHOWN: u32 = 36;
/// Bytes of a PDU's header.
const PDU_HEADER: u32 = 6;

/// True if half a title may be one. It is text, also with bytes over 0x7f, which receivers take, and which some pad with NUL;
/// behind a NUL some leave what was in memory. An accept's titles are not tested (PS3.8 section 9.3.3).
#[inline(always)]
fn is_title(half: &[u8; 8]) -> bool {
    let [first, ..] = half;
    let (mut text, mut ended) = (*first != 0, false);
    for byte in half {
        ended |= *byte == 0;
        if *byte < 0x20 && !ended {
            text = false;
        }
    }
    text
}

/// True if half a title keeps to the standard: ISO 646 without control characters (PS3.8 table 9-11, PS3.5 section 6.2).
#[inline(always)]
fn is_plain(half: &[u8; 8]) -> bool {
    let mut plain = true;
    for byte in half {
        if !(0x20..0x7f).contains(byte) {
            plain = false;
        }
    }
    plain
}

/// True if the items begin as they should; `unseen` if that can't be seen in this segment.
#[inline(always)]
fn has_items<F: Frame>(frame: &F, cpu: &Cpu, unseen: bool) -> bool {
    let first = cpu.work.position + ASSOCIATE_FIXED - ASSOCIATE_CHECKED;
    if first + 4 > cpu.work.end {
        return unseen;
    }
    let Some([kind, _, high, low]) = frame.array::<4>(first) else {
        return unseen;
    };
    let length = u32::from(u16::from_be_bytes([high, low]));
    matches!(kind, 0x10 | 0x20 | 0x21 | 0x50)
        && length + 4 + ASSOCIATE_FIXED <= cpu.work.stream.pdu_left
}

#[inline(always)]
pub(super) fn associate<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
    let Some(checked) = reader::header::<12, F>(frame, &mut cpu.work) else {
        return Step::Done;
    };
    // PS3.8 table 9-11: protocol version, bit 0 tested alone; two reserved bytes, never tested; then the called title.
    // A request of another version is answered by a reject, so it is one too if all else is as it should be.
    let [high, low, _, _, title @ ..] = checked;
    let version = low & 1 == 1;
    let stream = &cpu.work.stream;
    let known = cpu.work.is_of(Protocol::Dicom);
    let early = stream.is(EARLY);
    let placed = if known {
        early || !stream.is(LOST)
    } else {
        early && cpu.chunk.header.flags & MIDSTREAM == 0
    };
    let sound = if placed {
        known
            || (is_title(&title) && (version || has_items(frame, cpu, true)))
            || (version && high == 0 && has_items(frame, cpu, true))
    } else {
        // Where the place is not known, a data set can look like a header: only what keeps to the standard is taken, so that
        // no text of a patient leaves the kernel as a title.
        version && high == 0 && is_plain(&title) && has_items(frame, cpu, early)
    };
    if !sound {
        let rest = cpu.work.stream.pdu_left - ASSOCIATE_CHECKED;
        return pdu::leave(cpu, Reason::DicomAssociate, rest);
    }
    reader::prove(cpu, Protocol::Dicom, PDU_HEADER + ASSOCIATE_CHECKED);
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
        ASSOCIATE_SHOWN - ASSOCIATE_CHECKED,
        State::DicomReserved,
    );
    Step::More
}

/// The bytes after the titles mean nothing, so they stay.
#[inline(always)]
pub(super) fn reserved(cpu: &mut Cpu) -> Step {
    cpu.work
        .stream
        .skip(ASSOCIATE_FIXED - ASSOCIATE_SHOWN, State::DicomItem);
    Step::More
}

/// True if the items, or those in the user information, end just here, which is worth a step though no byte is left.
#[inline(always)]
pub(super) fn is_over(stream: &Stream) -> bool {
    (stream.state == State::DicomItem as u8 && stream.pdu_left == 0)
        || (stream.state == State::DicomSubItem as u8 && stream.inner_left == 0)
}

/// Bytes that are left of what items are nested in.
trait Container {
    /// Bytes left of it after what was read.
    fn left(stream: &mut Stream) -> &mut u32;

    /// The bytes that are left of the PDU.
    fn rest(stream: &Stream) -> u32;

    /// After its last item.
    fn end(cpu: &mut Cpu);
}

/// The association PDU, which holds items.
struct Pdu;

impl Container for Pdu {
    #[inline(always)]
    fn left(stream: &mut Stream) -> &mut u32 {
        &mut stream.pdu_left
    }

    #[inline(always)]
    fn rest(stream: &Stream) -> u32 {
        stream.pdu_left
    }

    #[inline(always)]
    fn end(cpu: &mut Cpu) {
        cpu.record(Tag::DicomAssociateEnd, FIRST | LAST, []);
        cpu.work.stream.set(State::DicomPdu);
    }
}

/// The user information item, which holds sub-items.
struct UserInformation;

impl Container for UserInformation {
    #[inline(always)]
    fn left(stream: &mut Stream) -> &mut u32 {
        &mut stream.inner_left
    }

    #[inline(always)]
    fn rest(stream: &Stream) -> u32 {
        stream.inner_left.wrapping_add(stream.pdu_left)
    }

    #[inline(always)]
    fn end(cpu: &mut Cpu) {
        cpu.work.stream.set(State::DicomItem);
    }
}

/// The 4-byte header of the next item in a container, and the length of the item's value, which is taken off what is
/// left. `Err` where there is no such item: what the step asks for then.
#[inline(always)]
fn item_header<C: Container, F: Frame>(frame: &F, cpu: &mut Cpu) -> Result<([u8; 4], u32), Step> {
    let stream = &mut cpu.work.stream;
    let left = *C::left(stream);
    if stream.held == 0 && left < 4 {
        if left == 0 {
            C::end(cpu);
            return Err(Step::More);
        }
        // Too short for an item.
        let rest = C::rest(stream);
        return Err(pdu::leave(cpu, Reason::DicomItem, rest));
    }
    let Some(header) = reader::header::<4, F>(frame, &mut cpu.work) else {
        return Err(Step::Done);
    };
    let [.., high, low] = header;
    let length = u32::from(u16::from_be_bytes([high, low]));
    let stream = &mut cpu.work.stream;
    let left = C::left(stream);
    if length + 4 > *left {
        let rest = C::rest(stream).wrapping_sub(4);
        return Err(pdu::leave(cpu, Reason::DicomItem, rest));
    }
    *left -= length + 4;
    Ok((header, length))
}

/// Puts the header of an item and the first `shown` bytes of its value on the tape, then goes on in `after`.
#[inline(always)]
fn copy_item(cpu: &mut Cpu, header: [u8; 4], shown: u32, after: State) {
    cpu.record(
        Tag::DicomItem,
        if shown == 0 { FIRST | LAST } else { FIRST },
        header,
    );
    cpu.work.stream.copy(Tag::DicomItem, shown, after);
}

#[inline(always)]
pub(super) fn item<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
    let (header, length) = match item_header::<Pdu, F>(frame, cpu) {
        Ok(item) => item,
        Err(step) => return step,
    };
    let stream = &mut cpu.work.stream;
    match header[0] {
        // Application context, presentation contexts.
        0x10 | 0x20 | 0x21 => copy_item(cpu, header, length, State::DicomItem),
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
    let (header, length) = match item_header::<UserInformation, F>(frame, cpu) {
        Ok(item) => item,
        Err(step) => return step,
    };
    match header[0] {
        // Maximum length, implementation class UID, asynchronous operations, roles, version name.
        0x51..=0x55 => copy_item(cpu, header, length, State::DicomSubItem),
        // Extended negotiation and user identity: of the latter the two bytes are its type and whether
        // an answer is wanted; a password may follow.
        0x56..=0x59 => {
            let shown = if length < 2 { length } else { 2 };
            cpu.work.stream.length = length - shown;
            copy_item(cpu, header, shown, State::DicomSubItemRest);
        }
        _ => cpu.work.stream.skip(length, State::DicomSubItem),
    }
    Step::More
}
