//! Fields of the segments that may leave the kernel.

use super::{
    character::{self, Character, character},
    ending::block_end,
    writing::{
        ACK, END_BLOCK, LINE_FEED, LINES, MAY_ANSWER, SEGMENT_END, START_BLOCK, UNSURE, WIDE,
    },
};
use crate::{
    bytes::Frame,
    cpu::Cpu,
    layer7::{
        reader,
        reason::Reason,
        stream::BATCH,
        work::{Step, Work},
    },
    registry::{State, Tag},
    tape::{FIRST, LAST},
};

/// Bytes of one field that leave the kernel at most.
const FIELD_MAX: u32 = 768;
/// Bytes of fields that one step reads.
const FIELD_STEP: u32 = 32;

/// MSH-2 to 7 and 9 to 12, bit by field number.
pub(super) const MSH_FIELDS: u16 = 0b0001_1110_1111_1100;
/// FHS-2 to 7 and 11; FHS-9 and 10 are free text.
pub(super) const BATCH_FIELDS: u16 = 0b0000_1000_1111_1100;
/// MSA-1 and 2; MSA-3 is free text.
const MSA_FIELDS: u16 = 0b110;
/// The field after which the rest of MSH, FHS or BHS is skipped.
const HEADER_LAST_FIELD: u8 = 12;
/// The same for MSA.
const MSA_LAST_FIELD: u8 = 2;
/// MSH-9, the type of the message.
const TYPE: u8 = 9;

/// Begins the record of a segment, whose `context` is set.
#[inline(always)]
pub(super) fn begin(cpu: &mut Cpu, tag: Tag, segment: [u8; 3], separator: u8) {
    let stream = &mut cpu.work.stream;
    let [n0, n1, n2] = segment;
    stream.field_mask = match &segment {
        b"MSH" => MSH_FIELDS,
        b"MSA" => MSA_FIELDS,
        _ => BATCH_FIELDS,
    };
    stream.run_left = FIELD_MAX;
    stream.data_bytes = 0;
    stream.carry[UNSURE] = 0;
    stream.tag = tag as u8;
    stream.set(State::Hl7Fields);
    cpu.record(tag, FIRST, [n0, n1, n2, separator]);
}

/// True if other text follows an end block character, so that it is content: receivers wait for the carriage return.
#[inline(always)]
fn goes_on<F: Frame>(frame: &F, work: &Work) -> bool {
    if work.stream.has(WIDE) || work.position >= work.end {
        return false;
    }
    !matches!(
        frame.u8(work.position),
        None | Some(SEGMENT_END | LINE_FEED | START_BLOCK)
    )
}

/// True for an end block character that is the last byte of a TCP segment inside of a header segment: no message ends there, as
/// the standard has it, so it is content unless the next byte is a carriage return. Otherwise whoever cuts TCP segments there
/// could hide the type of a message from the sensor alone.
#[inline(always)]
fn waits(work: &Work) -> bool {
    work.position >= work.end && work.stream.tag == Tag::Hl7Header as u8 && !work.stream.has(WIDE)
}

#[inline(always)]
pub(super) fn fields<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
    let piece = cpu.work.tape_len;
    let tag = cpu.work.stream.tag;
    cpu.record_header(tag, 0, 0);
    let last_field = if tag == Tag::Hl7Acknowledgement as u8 {
        MSA_LAST_FIELD
    } else {
        HEADER_LAST_FIELD
    };
    let mut over = None;
    for _ in 0..FIELD_STEP {
        let unit = if cpu.work.stream.carry[UNSURE] != 0 {
            cpu.work.stream.carry[UNSURE] = 0;
            u16::from(END_BLOCK)
        } else {
            match character(frame, &mut cpu.work) {
                Character::None => break,
                Character::Half => continue,
                Character::Whole(unit) => unit,
            }
        };
        if character::is_end(&cpu.work.stream, unit) {
            if waits(&cpu.work) {
                cpu.work.stream.carry[UNSURE] = 1;
                break;
            }
            if !goes_on(frame, &cpu.work) {
                over = Some(State::Hl7End);
                break;
            }
        }
        let stream = &mut cpu.work.stream;
        let byte = character::narrow(unit);
        if byte == SEGMENT_END || byte == LINE_FEED {
            if byte == LINE_FEED {
                stream.mode |= LINES;
            }
            over = Some(State::Hl7Name);
            break;
        }
        if byte == stream.control {
            if stream.context >= last_field {
                over = Some(State::Hl7Segment);
                break;
            }
            stream.context += 1;
            stream.run_left = FIELD_MAX;
            cpu.push(byte);
            continue;
        }
        if stream.context == TYPE && stream.held < 3 {
            reader::hold(&mut cpu.work, byte);
        }
        let stream = &mut cpu.work.stream;
        if (stream.field_mask >> (stream.context & 15)) & 1 == 1 {
            if stream.run_left > 0 {
                stream.run_left -= 1;
                character::push(cpu, unit);
            } else {
                stream.data_bytes += 1;
            }
        }
    }
    let Some(state) = over else {
        cpu.finish_piece(piece, 0);
        return Step::More;
    };
    cpu.finish_piece(piece, LAST);
    let dropped = cpu.work.stream.data_bytes as u32;
    if dropped > 0 {
        cpu.work.stream.data_bytes = 0;
        reader::skipped(cpu, Reason::Hl7Long, dropped);
    }
    let stream = &mut cpu.work.stream;
    if tag == Tag::Hl7Header as u8
        && stream.held == 3
        && matches!(stream.carry, [b'A', b'C', b'K', ..])
    {
        stream.mode |= ACK;
    }
    stream.held = 0;
    stream.context = 0;
    match state {
        State::Hl7End => return block_end(cpu, u16::from(END_BLOCK)),
        // The rest of an MSA's message is of no interest.
        State::Hl7Segment if !stream.has(MAY_ANSWER | ACK) && !stream.is(BATCH) => {
            stream.set(State::Hl7Body);
        }
        state => stream.set(state),
    }
    Step::More
}
