//! Characters of a block: bytes, or the two bytes of a unit of UTF-16.

use super::writing::{END_BLOCK, HALF, LITTLE, NARROW, WIDE};
use crate::{
    bytes::Frame,
    cpu::Cpu,
    layer7::{reader, stream::Stream, work::Work},
};

/// What the next byte gives.
pub(super) enum Character {
    /// There is none in this segment.
    None,
    /// Half a character.
    Half,
    /// A character, or a unit of UTF-16.
    Whole(u16),
}

/// Takes the next byte of the block into its length.
#[inline(always)]
pub(super) fn character<F: Frame>(frame: &F, work: &mut Work) -> Character {
    let Some(byte) = reader::next(frame, work) else {
        return Character::None;
    };
    take(&mut work.stream, byte)
}

/// What a byte gives that was read.
#[inline(always)]
pub(super) fn take(stream: &mut Stream, byte: u8) -> Character {
    stream.length = stream.length.wrapping_add(1);
    if !stream.has(WIDE) {
        return Character::Whole(u16::from(byte));
    }
    if stream.length & 1 == 1 {
        stream.carry[HALF] = byte;
        return Character::Half;
    }
    let half = stream.carry[HALF];
    Character::Whole(if stream.has(LITTLE) {
        u16::from_be_bytes([byte, half])
    } else {
        u16::from_be_bytes([half, byte])
    })
}

/// True if a unit ends the block: the end block character, or its byte and a carriage return where these are bytes in a text
/// of UTF-16. That pair is a letter of Lepcha or, where the block began with one byte and is little-endian, of Malayalam.
#[inline(always)]
pub(super) const fn is_end(stream: &Stream, unit: u16) -> bool {
    if unit == END_BLOCK as u16 {
        return true;
    }
    stream.has(WIDE) && (unit == 0x1c0d || (unit == 0x0d1c && stream.has(NARROW)))
}

/// A unit as a byte, for what is ASCII.
#[inline(always)]
pub(super) const fn narrow(unit: u16) -> u8 {
    if unit > 0xff { 0xff } else { unit as u8 }
}

/// Puts a character on the tape: a byte as it is, a unit of UTF-16 as UTF-8.
#[inline(always)]
pub(super) fn push(cpu: &mut Cpu, unit: u16) {
    if !cpu.work.stream.has(WIDE) || unit < 0x80 {
        cpu.push(unit as u8);
        return;
    }
    if unit < 0x800 {
        cpu.push(0xc0 | (unit >> 6) as u8);
    } else {
        cpu.push(0xe0 | (unit >> 12) as u8);
        cpu.push(0x80 | ((unit >> 6) as u8 & 0x3f));
    }
    cpu.push(0x80 | (unit as u8 & 0x3f));
}
