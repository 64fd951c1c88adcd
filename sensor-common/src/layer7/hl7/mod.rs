//! HL7 version 2 over MLLP as far as it may leave the kernel (HL7 v2.5.1 chapter 2, MLLP release 1).
//!
//! What goes on the tape: fields 1 to 7 and 9 to 12 of MSH (and 1 to 7 and 11 of FHS and BHS), fields 1
//! and 2 of MSA, and the length of each message. MSH-8 (security), the text of MSA-3 and every other
//! segment stay in the kernel.

use super::{
    reader::{self, Reader},
    stream::{AT_START, BATCH, Stream},
    work::Step,
};
use crate::{
    bytes::{Frame, View},
    cpu::Cpu,
    registry::{Protocol, State, Tag},
    tape::{FIRST, LAST},
};

/// MLLP start block character.
pub const START_BLOCK: u8 = 0x0b;
/// MLLP end block character; a carriage return follows it.
pub const END_BLOCK: u8 = 0x1c;
/// Segment terminator.
const SEGMENT_END: u8 = b'\r';
/// What some senders end segments with instead, or besides. It is never part of a field, so it ends what is
/// copied.
const LINE_FEED: u8 = b'\n';

/// Bytes of one header segment that leave the kernel at most, separators not counted.
const HEADER_MAX: u32 = 768;
/// Bytes of fields that one step reads.
const FIELD_STEP: u32 = 32;
/// Words of a body that one step scans.
const SCAN_STEP: u32 = 128;

/// MSH-2 to 7 and 9 to 12, bit by field number.
const MSH_FIELDS: u16 = 0b0001_1110_1111_1100;
/// FHS-2 to 7 and 11; FHS-9 and 10 are free text.
const BATCH_FIELDS: u16 = 0b0000_1000_1111_1100;
/// MSA-1 and 2; MSA-3 is free text.
const MSA_FIELDS: u16 = 0b110;
/// The field after which the rest of MSH, FHS or BHS is skipped.
const HEADER_LAST_FIELD: u8 = 12;
/// The same for MSA.
const MSA_LAST_FIELD: u8 = 2;

/// The reader of HL7.
pub(crate) struct Hl7;

impl Reader for Hl7 {
    #[inline(always)]
    fn step<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
        match cpu.work.stream.state {
            s if s == State::Hl7Start as u8 => start(frame, cpu),
            s if s == State::Hl7Name as u8 => name(frame, cpu),
            s if s == State::Hl7Fields as u8 => fields(frame, cpu),
            s if s == State::Hl7Segment as u8 => scan(frame, cpu, true),
            s if s == State::Hl7Body as u8 => body(frame, cpu),
            s if s == State::Hl7End as u8 => end(frame, cpu),
            _ => reader::desync(cpu),
        }
    }

    #[inline(always)]
    fn survives_loss(stream: &mut Stream, bytes: u32) -> bool {
        let survives = stream.state == State::Hl7Body as u8;
        if survives {
            stream.length = stream.length.wrapping_add(bytes);
        }
        survives
    }
}

#[inline(always)]
fn next<F: Frame>(frame: &F, cpu: &mut Cpu) -> Option<u8> {
    if cpu.work.position >= cpu.work.end {
        return None;
    }
    let byte = frame.u8(cpu.work.position)?;
    cpu.work.position += 1;
    Some(byte)
}

#[inline(always)]
fn start<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
    match next(frame, cpu) {
        Some(START_BLOCK) => {
            let stream = &mut cpu.work.stream;
            stream.flags = (stream.flags | AT_START) & !BATCH;
            stream.length = 0;
            stream.held = 0;
            stream.set(State::Hl7Name);
            Step::More
        }
        // What senders put between blocks.
        Some(b'\r' | b'\n' | 0) => Step::More,
        Some(_) => reader::desync(cpu),
        None => Step::Done,
    }
}

#[inline(always)]
fn name<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
    let Some(byte) = next(frame, cpu) else {
        return Step::Done;
    };
    let stream = &mut cpu.work.stream;
    if byte == END_BLOCK && !stream.is(AT_START) {
        stream.held = 0;
        stream.set(State::Hl7End);
        return Step::More;
    }
    stream.length = stream.length.wrapping_add(1);
    if (byte == SEGMENT_END || byte == LINE_FEED) && !stream.is(AT_START) {
        stream.held = 0;
        return Step::More;
    }
    if stream.held < 3 {
        if let Some(slot) = stream.carry.get_mut(stream.held as usize) {
            *slot = byte;
        }
        stream.held += 1;
        return Step::More;
    }
    stream.held = 0;
    let [n0, n1, n2, ..] = stream.carry;
    let segment = [n0, n1, n2];
    let header = match &segment {
        b"MSH" => Some(MSH_FIELDS),
        b"FHS" | b"BHS" => Some(BATCH_FIELDS),
        _ => None,
    };
    let may_separate = byte.is_ascii_graphic() && !byte.is_ascii_alphanumeric();
    if let Some(mask) = header
        && may_separate
    {
        stream.flags &= !AT_START;
        if &segment != b"MSH" {
            stream.flags |= BATCH;
        }
        stream.control = byte;
        stream.context = 2;
        stream.field_mask = mask;
        stream.run_left = HEADER_MAX;
        stream.tag = Tag::Hl7Header as u8;
        stream.set(State::Hl7Fields);
        cpu.work.protocol = Protocol::Hl7 as u8;
        cpu.record(Tag::Hl7Header, FIRST, [n0, n1, n2, byte]);
        return Step::More;
    }
    if stream.is(AT_START) {
        return reader::desync(cpu);
    }
    if &segment == b"MSA" && byte == stream.control {
        stream.context = 1;
        stream.field_mask = MSA_FIELDS;
        stream.run_left = HEADER_MAX;
        stream.tag = Tag::Hl7Acknowledgement as u8;
        stream.set(State::Hl7Fields);
        cpu.record(Tag::Hl7Acknowledgement, FIRST, [n0, n1, n2, byte]);
    } else if stream.is(BATCH) || matches!(&segment, b"SFT" | b"UAC" | b"ARV") {
        // In an acknowledgement MSA follows MSH, with only these between (HL7 v2.8 section 2.14).
        stream.set(State::Hl7Segment);
    } else {
        stream.set(State::Hl7Body);
    }
    Step::More
}

#[inline(always)]
fn fields<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
    let piece = cpu.work.tape_len;
    let tag = cpu.work.stream.tag;
    cpu.record_header(tag, 0, 0);
    let last_field = if tag == Tag::Hl7Acknowledgement as u8 {
        MSA_LAST_FIELD
    } else {
        HEADER_LAST_FIELD
    };
    let mut flags = 0;
    for _ in 0..FIELD_STEP {
        let Some(byte) = next(frame, cpu) else { break };
        let stream = &mut cpu.work.stream;
        if byte == END_BLOCK {
            stream.set(State::Hl7End);
            flags = LAST;
            break;
        }
        stream.length = stream.length.wrapping_add(1);
        if byte == SEGMENT_END || byte == LINE_FEED {
            stream.set(State::Hl7Name);
            flags = LAST;
            break;
        }
        if byte == stream.control {
            if stream.context >= last_field {
                stream.set(State::Hl7Segment);
                flags = LAST;
                break;
            }
            stream.context += 1;
            cpu.push(byte);
        } else if (stream.field_mask >> (stream.context & 15)) & 1 == 1 && stream.run_left > 0 {
            stream.run_left -= 1;
            cpu.push(byte);
        }
    }
    cpu.finish_piece(piece, flags);
    Step::More
}

#[inline(always)]
fn body<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
    // A new block at the start of a segment, though the last one was not ended: its end was lost, or
    // its sender gave it up.
    if cpu.work.position == cpu.packet.offset
        && cpu.packet.first_byte == START_BLOCK
        && frame.array::<4>(cpu.work.position) == Some([START_BLOCK, b'M', b'S', b'H'])
    {
        reader::desync(cpu);
        cpu.work.position = cpu.packet.offset;
        cpu.work.stream.set(State::Hl7Start);
        return Step::More;
    }
    scan(frame, cpu, false)
}

/// Looks for the end of the block and, with `segments`, for the end of the segment; eight bytes at a
/// time (the zero-byte test of "Hacker's Delight", second edition, section 6-1).
#[inline(always)]
fn scan<F: Frame>(frame: &F, cpu: &mut Cpu, segments: bool) -> Step {
    let begin = cpu.work.position;
    let end = cpu.work.end;
    let mut position = begin;
    for _ in 0..SCAN_STEP {
        if end - position < 8 {
            break;
        }
        let Some(bytes) = frame.view::<8>(position) else {
            break;
        };
        let word = bytes.ne64::<0>();
        let mut hit = zero_byte(word ^ repeat(END_BLOCK));
        if segments {
            hit |= zero_byte(word ^ repeat(SEGMENT_END));
        }
        if hit != 0 {
            break;
        }
        position += 8;
    }
    let mut found = None;
    for _ in 0..8 {
        if position >= end {
            break;
        }
        let Some(byte) = frame.u8(position) else {
            break;
        };
        position += 1;
        if byte == END_BLOCK {
            found = Some(State::Hl7End);
            break;
        }
        if segments && byte == SEGMENT_END {
            found = Some(State::Hl7Name);
            break;
        }
    }
    cpu.work.position = position;
    let stream = &mut cpu.work.stream;
    stream.length = stream.length.wrapping_add(position - begin);
    if let Some(state) = found {
        if state == State::Hl7End {
            stream.length = stream.length.wrapping_sub(1);
        }
        stream.held = 0;
        stream.set(state);
    }
    Step::More
}

#[inline(always)]
const fn repeat(byte: u8) -> u64 {
    byte as u64 * 0x0101_0101_0101_0101
}

#[inline(always)]
const fn zero_byte(word: u64) -> u64 {
    word.wrapping_sub(0x0101_0101_0101_0101) & !word & 0x8080_8080_8080_8080
}

#[inline(always)]
fn end<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
    let Some(byte) = next(frame, cpu) else {
        return Step::Done;
    };
    let stream = &mut cpu.work.stream;
    if byte == b'\r' || byte == START_BLOCK {
        let length = stream.length.to_le_bytes();
        stream.set(State::Hl7Start);
        if byte == START_BLOCK {
            // The carriage return is missing, and the next block begins here.
            cpu.work.position -= 1;
        }
        cpu.record(Tag::Hl7End, FIRST | LAST, length);
    } else {
        // Content after all: an encoding that uses 0x1c.
        stream.length = stream.length.wrapping_add(2);
        stream.set(State::Hl7Body);
    }
    Step::More
}
