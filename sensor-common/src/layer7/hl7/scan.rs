//! Looking for the end of what is skipped, eight bytes at a time (the zero-byte test of "Hacker's Delight", second edition,
//! section 6-1).

use super::{
    character::{self, Character},
    ending::block_end,
    writing::{END_BLOCK, HALF, LINE_FEED, LINES, SEGMENT_END, START_BLOCK, WIDE},
};
use crate::{
    bytes::{Frame, View},
    cpu::Cpu,
    layer7::{
        reader,
        reason::Reason,
        stream::HOLE,
        work::{Step, Work},
    },
    registry::State,
};

/// Words that one step looks at.
const SCAN_STEP: u32 = 128;

/// The rest of a message.
#[inline(always)]
pub(super) fn body<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
    // A new block at the start of a segment, though the last one was not ended: its end was lost, or
    // its sender gave it up.
    if cpu.work.position == cpu.packet.offset
        && cpu.packet.first_byte == START_BLOCK
        && frame.array::<4>(cpu.work.position) == Some([START_BLOCK, b'M', b'S', b'H'])
    {
        return cut(cpu);
    }
    scan(frame, cpu, false)
}

/// The message is over, though its end was not seen: another begins here.
#[inline(always)]
fn cut(cpu: &mut Cpu) -> Step {
    reader::note_gap(cpu, Reason::Hl7Cut);
    let stream = &mut cpu.work.stream;
    stream.length = 0;
    stream.held = 0;
    stream.set(State::Hl7Start);
    Step::More
}

/// Goes to the next `byte`, or as far as one step may go.
#[inline(always)]
pub(super) fn seek<F: Frame>(frame: &F, work: &mut Work, byte: u8) {
    let wanted = repeat(byte);
    work.position = words(frame, work, |bytes| zero_byte(bytes ^ wanted));
    for _ in 0..8 {
        if work.position >= work.end || frame.u8(work.position) == Some(byte) {
            break;
        }
        work.position += 1;
    }
}

/// The position of the first word with a hit, of the last bytes of the segment, or as far as one step may go.
#[inline(always)]
fn words<F: Frame>(frame: &F, work: &Work, hit: impl Fn(u64) -> u64) -> u32 {
    let mut position = work.position;
    for _ in 0..SCAN_STEP {
        if work.end - position < 8 {
            break;
        }
        let Some(bytes) = frame.view::<8>(position) else {
            break;
        };
        if hit(bytes.ne64::<0>()) != 0 {
            break;
        }
        position += 8;
    }
    position
}

/// Looks for the end of the block and, with `segments`, for the end of the segment. After a loss, in which the end of the
/// block may have been, also for the next message.
#[inline(always)]
pub(super) fn scan<F: Frame>(frame: &F, cpu: &mut Cpu, segments: bool) -> Step {
    let stream = &cpu.work.stream;
    let end_block = repeat(END_BLOCK);
    let other = match (segments, stream.is(HOLE)) {
        (true, _) => SEGMENT_END,
        (false, true) => START_BLOCK,
        (false, false) => END_BLOCK,
    };
    // Where a line feed stood in MSH, segments end with either: python-hl7 takes line feeds for content.
    let line = if segments && stream.has(LINES) {
        LINE_FEED
    } else {
        other
    };
    let (second, third) = (repeat(other), repeat(line));
    let begin = cpu.work.position;
    let position = words(frame, &cpu.work, |word| {
        let hit = zero_byte(word ^ end_block) | zero_byte(word ^ second);
        if segments {
            hit | zero_byte(word ^ third)
        } else {
            hit
        }
    });
    // The last byte of the words may be half a character.
    if position != begin && cpu.work.stream.has(WIDE) {
        cpu.work.stream.carry[HALF] = frame.u8(position - 1).unwrap_or(0);
    }
    let stream = &mut cpu.work.stream;
    stream.length = stream.length.wrapping_add(position - begin);
    cpu.work.position = position;
    for _ in 0..8 {
        let Some(byte) = reader::next(frame, &mut cpu.work) else {
            break;
        };
        let Character::Whole(unit) = character::take(&mut cpu.work.stream, byte) else {
            continue;
        };
        if character::is_end(&cpu.work.stream, unit) {
            return block_end(cpu, unit);
        }
        if unit != u16::from(other) && unit != u16::from(line) {
            continue;
        }
        if segments {
            cpu.work.stream.held = 0;
            cpu.work.stream.set(State::Hl7Name);
            break;
        }
        // After a loss: a message, if it begins here.
        let at = cpu.work.position - 1;
        if frame.array::<4>(at) == Some([START_BLOCK, b'M', b'S', b'H']) {
            cpu.work.position = at;
            return cut(cpu);
        }
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
