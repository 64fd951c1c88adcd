//! How a block begins: with a message, a batch, a commit, a byte order mark, or with what is none of these.

use super::{
    character::{self, Character, character},
    ending::block_end,
    fields,
    writing::{
        ACK, BEFORE, COMMIT, END_BLOCK, HALF, LINE_FEED, LITTLE, MAY_ANSWER, NARROW, REFUSAL,
        SEGMENT_END, START_BLOCK, UNKNOWN, WIDE, WRITING,
    },
};
use crate::{
    bytes::Frame,
    cpu::Cpu,
    layer7::{
        reader,
        reason::Reason,
        stream::{AT_START, BATCH, EARLY, LOST, Stream},
        work::Step,
    },
    registry::{Protocol, State, Tag},
    tape::{FIRST, LAST},
};

/// Byte order mark of UTF-16.
const MARK: u16 = 0xfeff;

/// True for a byte that can separate fields.
#[inline(always)]
pub(super) const fn may_separate(byte: u8) -> bool {
    !byte.is_ascii_alphanumeric()
        && !matches!(byte, 0 | SEGMENT_END | LINE_FEED | START_BLOCK | END_BLOCK)
}

/// Begins the record of MSH, FHS or BHS.
#[inline(always)]
pub(super) fn header(cpu: &mut Cpu, segment: [u8; 3], separator: u8) {
    let stream = &mut cpu.work.stream;
    stream.flags &= !AT_START;
    if &segment != b"MSH" {
        stream.flags |= BATCH;
    }
    stream.held = 0;
    stream.control = separator;
    stream.context = 2;
    stream.mode = stream.mode & !ACK | MAY_ANSWER;
    fields::begin(cpu, Tag::Hl7Header, segment, separator);
}

/// The first characters of a block, one byte a step.
#[inline(always)]
pub(super) fn opening<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
    let unit = match character(frame, &mut cpu.work) {
        Character::None => return Step::Done,
        Character::Half => return Step::More,
        Character::Whole(unit) => unit,
    };
    let stream = &mut cpu.work.stream;
    let written = if stream.is(EARLY | LOST) {
        0
    } else {
        stream.stash
    };
    if stream.held < 2 && is_mark(stream, unit, written) {
        return Step::More;
    }
    if stream.held == 0 && character::is_end(stream, unit) {
        return empty(cpu);
    }
    let byte = character::narrow(unit);
    if stream.held == 0 {
        match byte {
            // White space before a message, as Python's: line ends, a start block character that was repeated, others.
            0x09..=0x0d | 0x1d..=0x20 => return Step::More,
            COMMIT | REFUSAL => {
                stream.control = byte;
                stream.set(State::Hl7Commit);
                return Step::More;
            }
            _ => {}
        }
    }
    let [n0, n1, n2, ..] = stream.carry;
    let fits = match (stream.held, byte) {
        (0, b'M' | b'F' | b'B') => true,
        (1, b'S') | (2, b'H') => n0 == b'M',
        (1, b'H') | (2, b'S') => n0 != b'M',
        (3, _) => may_separate(byte),
        _ => false,
    };
    if !fits {
        return unknown(cpu, unit);
    }
    if stream.held < 3 {
        reader::hold(&mut cpu.work, byte);
        return Step::More;
    }
    let consumed = consumed(stream);
    reader::prove(cpu, Protocol::Hl7, consumed);
    header(cpu, [n0, n1, n2], byte);
    Step::More
}

/// True for what only says how the block is written, `written` being how the one before was: a byte order mark, and zero bytes
/// beside the letters.
#[inline(always)]
fn is_mark(stream: &mut Stream, unit: u16, written: u8) -> bool {
    if stream.has(WIDE) {
        return stream.held == 0 && unit == MARK;
    }
    match (stream.held, unit) {
        // UTF-8.
        (0, 0xef | 0xbb | 0xbf) => return true,
        // The start block character was half of a unit, and the byte before it the other half, or this one is.
        (0, 0) => {
            let big = if written & WIDE == 0 {
                stream.carry[BEFORE] == 1
            } else {
                written & LITTLE == 0
            };
            if big && stream.length == 1 {
                stream.mode |= WIDE;
                stream.carry[HALF] = 0;
            } else {
                stream.mode |= WIDE | LITTLE;
                stream.length = 0;
            }
        }
        // Half of a byte order mark, in a block that begins with one byte.
        (0, 0xfe) => {
            stream.mode |= WIDE | NARROW;
            stream.carry[HALF] = 0xfe;
            stream.length = 1;
        }
        (0, 0xff) => {
            stream.mode |= WIDE | LITTLE | NARROW;
            stream.carry[HALF] = 0xff;
            stream.length = 1;
        }
        // Half of a letter, little-endian.
        (1, 0) => {
            stream.mode |= WIDE | LITTLE | NARROW;
            stream.length = 2;
        }
        _ => return false,
    }
    true
}

/// Bytes of the block so far, with its start block character.
#[inline(always)]
const fn consumed(stream: &Stream) -> u32 {
    let wide = stream.has(WIDE) && !stream.has(NARROW);
    stream.length.wrapping_add(if wide { 2 } else { 1 })
}

/// An empty block.
#[inline(always)]
fn empty(cpu: &mut Cpu) -> Step {
    if !cpu.work.is_of(Protocol::Hl7) {
        return cpu.desync(Reason::Hl7Empty);
    }
    if !cpu.work.stream.is(LOST) {
        reader::skipped(cpu, Reason::Hl7Empty, 0);
    }
    over(cpu);
    Step::More
}

#[inline(always)]
fn over(cpu: &mut Cpu) {
    let stream = &mut cpu.work.stream;
    stream.length = 0;
    stream.held = 0;
    stream.stash = stream.mode & WRITING;
    stream.set(State::Hl7Start);
}

/// The end of a commit block (MLLP release 2, section 2.4).
#[inline(always)]
pub(super) fn commit<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
    let unit = match character(frame, &mut cpu.work) {
        Character::None => return Step::Done,
        Character::Half => return Step::More,
        Character::Whole(unit) => unit,
    };
    // Three bytes are proof only where a connection begins.
    let may = cpu.work.is_of(Protocol::Hl7) || cpu.work.stream.is(EARLY);
    if !may || !character::is_end(&cpu.work.stream, unit) {
        return unknown(cpu, unit);
    }
    let consumed = consumed(&cpu.work.stream);
    reader::prove(cpu, Protocol::Hl7, consumed);
    let byte = cpu.work.stream.control;
    cpu.record(Tag::Hl7Commit, FIRST | LAST, [byte]);
    over(cpu);
    Step::More
}

/// The block is no message. It is left out as a whole; where the place was lost it is none, and the next is looked for.
#[inline(always)]
fn unknown(cpu: &mut Cpu, unit: u16) -> Step {
    if !cpu.work.is_of(Protocol::Hl7) || cpu.work.stream.is(LOST) {
        if unit == u16::from(START_BLOCK) {
            cpu.work.position -= 1;
        }
        return cpu.desync(Reason::Hl7Block);
    }
    let stream = &mut cpu.work.stream;
    stream.mode |= UNKNOWN;
    stream.held = 0;
    if character::is_end(stream, unit) {
        return block_end(cpu, unit);
    }
    stream.set(State::Hl7Body);
    Step::More
}
