//! Association requests and acceptances (PS3.8 section 9.3.2 and 9.3.3), and their items.

use crate::{
    bytes::Frame,
    cpu::Cpu,
    layer7::{
        reader,
        stream::{PROVEN, Stream},
        work::Step,
    },
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

/// Bytes that are left of what items are nested in.
trait Container {
    /// The state after its last item.
    const AFTER: State;

    /// Bytes left of it after what was read.
    fn left(stream: &mut Stream) -> &mut u32;
}

/// The association PDU, which holds items.
struct Pdu;

impl Container for Pdu {
    const AFTER: State = State::DicomPdu;

    #[inline(always)]
    fn left(stream: &mut Stream) -> &mut u32 {
        &mut stream.pdu_left
    }
}

/// The user information item, which holds sub-items.
struct UserInformation;

impl Container for UserInformation {
    const AFTER: State = State::DicomItem;

    #[inline(always)]
    fn left(stream: &mut Stream) -> &mut u32 {
        &mut stream.inner_left
    }
}

/// The 4-byte header of the next item in a container, and the length of the item's value, which is taken off what is
/// left. `Err` where there is no such item: what the step asks for then.
#[inline(always)]
fn item_header<C: Container, F: Frame>(frame: &F, cpu: &mut Cpu) -> Result<([u8; 4], u32), Step> {
    let stream = &mut cpu.work.stream;
    if stream.held == 0 && *C::left(stream) < 4 {
        let rest = *C::left(stream);
        *C::left(stream) = 0;
        stream.skip(rest, C::AFTER);
        return Err(Step::More);
    }
    let Some(header) = reader::header::<4, F>(frame, &mut cpu.work) else {
        return Err(Step::Done);
    };
    let [.., high, low] = header;
    let length = u32::from(u16::from_be_bytes([high, low]));
    let left = C::left(&mut cpu.work.stream);
    if length + 4 > *left {
        return Err(reader::desync(cpu));
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
