//! How a block ends.

use super::writing::{
    END_BLOCK, LINE_FEED, SEGMENT_END, START_BLOCK, UNKNOWN, UNSURE, WIDE, WRITING,
};
use crate::{
    bytes::Frame,
    cpu::Cpu,
    layer7::{reader, reason::Reason, work::Step},
    registry::{State, Tag},
    tape::{FIRST, LAST},
};

/// An end block character was read. Where a character has one byte, what follows shows whether it is one.
#[inline(always)]
pub(super) fn block_end(cpu: &mut Cpu, unit: u16) -> Step {
    let stream = &mut cpu.work.stream;
    stream.held = 0;
    if stream.has(WIDE) {
        stream.length = stream.length.wrapping_sub(2);
        finish(cpu);
        return Step::More;
    }
    debug_assert!(unit == u16::from(END_BLOCK), "one byte");
    stream.length = stream.length.wrapping_sub(1);
    stream.set(State::Hl7End);
    Step::More
}

/// After an end block character: a carriage return is due. A segment's end there is the block's end too, since some senders
/// write no carriage return, and what is known now must not wait for the next segment. Should other text follow there, the
/// session is marked, since receivers that wait for the carriage return take it for more of the message.
#[inline(always)]
pub(super) fn end<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
    match reader::next(frame, &mut cpu.work) {
        None => {
            finish(cpu);
            cpu.work.stream.carry[UNSURE] = 1;
        }
        Some(SEGMENT_END | LINE_FEED) => finish(cpu),
        Some(START_BLOCK) => {
            // The carriage return is missing, and the next block begins here.
            cpu.work.position -= 1;
            finish(cpu);
        }
        Some(_) => {
            // Content after all: an encoding that uses 0x1c.
            let stream = &mut cpu.work.stream;
            stream.length = stream.length.wrapping_add(2);
            stream.set(State::Hl7Body);
        }
    }
    Step::More
}

/// The block is whole.
#[inline(always)]
fn finish(cpu: &mut Cpu) {
    let stream = &mut cpu.work.stream;
    let (length, unknown) = (stream.length, stream.has(UNKNOWN));
    stream.length = 0;
    stream.stash = stream.mode & WRITING;
    stream.carry[UNSURE] = 0;
    stream.set(State::Hl7Start);
    if unknown {
        reader::skipped(cpu, Reason::Hl7Block, length);
    } else {
        cpu.record(Tag::Hl7End, FIRST | LAST, length.to_le_bytes());
    }
}
