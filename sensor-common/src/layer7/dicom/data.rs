//! P-DATA-TF (PS3.8 section 9.3.5): fragments of command sets, and data sets, which are only counted.

use super::{
    command,
    pdu::{self, COMMAND, LAST_FRAGMENT},
};
use crate::{
    bytes::Frame,
    cpu::Cpu,
    layer7::{
        reader,
        reason::Reason,
        stream::{AT_START, LOST, PROVEN},
        work::Step,
    },
    registry::{Protocol, State, Tag},
    tape::{FIRST, LAST},
};

/// Bytes from a PDU's first to the first of its value's content.
const HEADERS: u32 = 12;

#[inline(always)]
pub(super) fn pdv<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
    let stream = &mut cpu.work.stream;
    if stream.held == 0 && stream.pdu_left < 6 {
        let rest = stream.pdu_left;
        if rest == 0 {
            stream.set(State::DicomPdu);
            return Step::More;
        }
        return pdu::leave(cpu, Reason::DicomValue, rest);
    }
    let Some([l0, l1, l2, l3, context, control]) = reader::header::<6, F>(frame, &mut cpu.work)
    else {
        return Step::Done;
    };
    let known = cpu.work.is_of(Protocol::Dicom);
    let stream = &mut cpu.work.stream;
    let length = u32::from_be_bytes([l0, l1, l2, l3]);
    // PS3.8 section 9.3.5.1: the length counts context id and control. The other bits of control are not tested (annex E.2),
    // and even ids are taken.
    let room = stream.pdu_left.saturating_sub(4);
    let command = control & COMMAND != 0;
    // Where the place was lost, image data can look like a header: then all must be as the standard has it. A command set
    // proves itself by its first element.
    let strict =
        length == room && context & 1 == 1 && control & !(COMMAND | LAST_FRAGMENT) == 0 && known;
    let sound = length >= 2 && length <= room && (command || strict || stream.is(PROVEN));
    if !sound {
        let rest = stream.pdu_left.saturating_sub(6);
        return pdu::leave(cpu, Reason::DicomValue, rest);
    }
    if command {
        // A data set that is open was given up.
        give_up_data(cpu);
        let stream = &mut cpu.work.stream;
        stream.pdu_left -= length + 4;
        stream.inner_left = length - 2;
        stream.control = control;
        stream.context = context;
        command::fragment(stream);
        return Step::More;
    }
    give_up_command(cpu);
    if cpu.work.stream.is(LOST) {
        reader::prove(cpu, Protocol::Dicom, HEADERS);
    }
    let stream = &mut cpu.work.stream;
    stream.pdu_left -= length + 4;
    stream.inner_left = length - 2;
    stream.control = control;
    stream.context = context;
    stream.data_bytes += u64::from(length - 2);
    let skip = stream.inner_left;
    stream.skip(skip, State::DicomDataEnd);
    if skip == 0 {
        end_data(cpu);
    }
    Step::More
}

/// After a fragment of a data set.
#[inline(always)]
pub(super) fn end_data(cpu: &mut Cpu) {
    let stream = &mut cpu.work.stream;
    stream.inner_left = 0;
    stream.set(State::DicomPdv);
    if stream.pdu_left == 0 {
        stream.set(State::DicomPdu);
    }
    if stream.control & LAST_FRAGMENT != 0 {
        tell_data(cpu, 1);
    }
}

#[inline(always)]
fn tell_data(cpu: &mut Cpu, complete: u8) {
    let stream = &mut cpu.work.stream;
    let (bytes, context) = (stream.data_bytes, stream.context);
    stream.data_bytes = 0;
    let [b0, b1, b2, b3, b4, b5, b6, b7] = bytes.to_le_bytes();
    cpu.record(
        Tag::DicomDataEnd,
        FIRST | LAST,
        [b0, b1, b2, b3, b4, b5, b6, b7, context, complete],
    );
}

/// Ends a data set whose last fragment did not come. What of its open fragment did not come is not counted.
#[inline(always)]
fn give_up_data(cpu: &mut Cpu) {
    if !cpu.work.is_of(Protocol::Dicom) || cpu.work.stream.open_data() == 0 {
        return;
    }
    let stream = &mut cpu.work.stream;
    stream.data_bytes = stream.open_data();
    tell_data(cpu, 0);
    reader::skipped(cpu, Reason::DicomDataSet, 0);
}

/// Ends a command set whose last fragment did not come.
#[inline(always)]
fn give_up_command(cpu: &mut Cpu) {
    if command::end(&mut cpu.work.stream) && cpu.work.is_of(Protocol::Dicom) {
        reader::skipped(cpu, Reason::DicomCommand, 0);
    }
}

/// Ends what is open; `tell` if nothing else says that it was cut.
#[inline(always)]
pub(super) fn give_up(cpu: &mut Cpu, tell: bool) {
    if tell {
        give_up_data(cpu);
        give_up_command(cpu);
        return;
    }
    if cpu.work.stream.open_data() > 0 {
        cpu.work.stream.data_bytes = cpu.work.stream.open_data();
        tell_data(cpu, 0);
    }
    command::end(&mut cpu.work.stream);
    cpu.work.stream.flags &= !AT_START;
}
