//! What may come before a protocol's first byte: a PROXY header (`HAProxy`'s PROXY protocol, versions 1 and 2), the head of an
//! HTTP CONNECT or of its answer (RFC 9110 section 9.3.6), or text before an HL7 message.
//!
//! A direction's first segments are tried for these, later ones only at their start for a protocol. Nothing of a prelude
//! leaves the kernel.

use super::{
    payload, reader,
    reason::Reason,
    stream::EARLY,
    work::{Step, Work},
};
use crate::{
    bytes::Frame,
    counter::Counter,
    cpu::Cpu,
    registry::{Protocol, State},
};

/// Segments of a direction in which a protocol is looked for at any byte, and the offset at which the last of them begins.
const SEGMENTS: u8 = 16;
const OFFSET: u32 = 4_096;
/// Longest line of a PROXY header, version 1.
const LINE_MAX: u32 = 107;
/// Longest head of an HTTP request or answer.
const HEAD_MAX: u32 = 8_192;
/// Bytes that one step reads.
const STEP: u32 = 32;

/// Looks at the state as a new segment begins.
#[inline(always)]
pub(super) fn segment(work: &mut Work) {
    let stream = &mut work.stream;
    if !stream.is(EARLY) || stream.state != State::Hl7Start as u8 {
        return;
    }
    // Looked for at any byte so far; any protocol may begin with this segment.
    if work.protocol == Protocol::Hl7 as u8 {
        stream.flags &= !EARLY;
    } else if stream.stash >= SEGMENTS || stream.offset > OFFSET {
        stream.flags &= !EARLY;
        stream.state = State::Probe as u8;
    } else {
        stream.stash += 1;
        stream.held = 0;
        stream.state = State::Begin as u8;
    }
}

/// What a prelude begins with.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Pattern {
    /// The first eight bytes, little-endian.
    head: u64,
    /// The others.
    tail: u32,
    length: u8,
    after: State,
    /// Bytes that follow at most, in the state after the pattern.
    max: u32,
}

/// The prelude that begins with `first`.
#[inline(always)]
const fn pattern(first: u8) -> Option<Pattern> {
    let (head, tail, length, after, max) = match first {
        b'P' => (*b"PROXY \0\0", [0; 4], 6, State::Line, LINE_MAX),
        0x0d => (*b"\r\n\r\n\0\r\nQ", *b"UIT\n", 12, State::Proxy, 0),
        b'C' => (*b"CONNECT ", [0; 4], 8, State::Head, HEAD_MAX),
        b'H' => (*b"HTTP/1.\0", [0; 4], 7, State::Head, HEAD_MAX),
        _ => return None,
    };
    Some(Pattern {
        head: u64::from_le_bytes(head),
        tail: u32::from_le_bytes(tail),
        length,
        after,
        max,
    })
}

/// One step in the states that come before any protocol.
#[inline(always)]
pub(super) fn step<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
    match cpu.work.stream.state {
        s if s == State::Begin as u8 => begin(frame, cpu),
        s if s == State::Line as u8 => line(frame, cpu),
        s if s == State::Head as u8 => head(frame, cpu),
        _ => proxy(frame, cpu),
    }
}

/// Matches the bytes at which a protocol or a prelude begins, one a step.
#[inline(always)]
fn begin<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
    let Some(byte) = frame.u8(cpu.work.position) else {
        cpu.work.position = cpu.work.end;
        return Step::Done;
    };
    let known = cpu.work.protocol;
    let stream = &mut cpu.work.stream;
    if stream.held == 0 {
        stream.flags |= EARLY;
        let state = payload::first_state(byte, known);
        if state != State::Begin as u8 {
            stream.state = state;
            return Step::More;
        }
        stream.control = byte;
    }
    let Some(pattern) = pattern(stream.control) else {
        return seek(cpu);
    };
    let shift = (u32::from(stream.held) & 7) * 8;
    let expected = if stream.held < 8 {
        (pattern.head >> shift) as u8
    } else {
        (pattern.tail >> shift) as u8
    };
    if byte != expected {
        return seek(cpu);
    }
    cpu.work.position += 1;
    let at = reader::offset(&cpu.work);
    let stream = &mut cpu.work.stream;
    stream.held += 1;
    if stream.held >= pattern.length {
        stream.lose_place(Reason::Before, at.wrapping_sub(u32::from(pattern.length)));
        stream.run_left = pattern.max;
        stream.set(pattern.after);
    }
    Step::More
}

/// No prelude: looks for a message further on in the segment, unless another protocol is known.
#[inline(always)]
fn seek(cpu: &mut Cpu) -> Step {
    let (known, at) = (cpu.work.protocol, reader::offset(&cpu.work));
    let stream = &mut cpu.work.stream;
    let at = at.wrapping_sub(u32::from(stream.held));
    stream.lose_place(Reason::Before, at);
    stream.control = 0;
    if known == Protocol::None as u8 || known == Protocol::Hl7 as u8 {
        stream.length = 0;
        stream.set(State::Hl7Start);
        return Step::More;
    }
    stream.flags &= !EARLY;
    cpu.work.position = cpu.work.end;
    Step::Done
}

/// A prelude is over: the protocol begins with the next byte.
#[inline(always)]
fn over(cpu: &mut Cpu) {
    cpu.counters.count(Counter::L7Prelude);
    cpu.work.stream.set(State::Begin);
}

#[inline(always)]
fn line<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
    for _ in 0..STEP {
        let Some(byte) = reader::next(frame, &mut cpu.work) else {
            return Step::Done;
        };
        let stream = &mut cpu.work.stream;
        if byte == b'\n' {
            over(cpu);
            return Step::More;
        }
        if stream.run_left == 0 {
            return seek(cpu);
        }
        stream.run_left -= 1;
    }
    Step::More
}

#[inline(always)]
fn head<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
    for _ in 0..STEP {
        let Some(byte) = reader::next(frame, &mut cpu.work) else {
            return Step::Done;
        };
        let stream = &mut cpu.work.stream;
        // An empty line ends the head; `held` is how far CR LF CR LF was seen.
        stream.held = match (stream.held, byte) {
            (0 | 2, b'\r') | (1 | 3, b'\n') => stream.held + 1,
            (_, b'\r') => 1,
            _ => 0,
        };
        if stream.held == 4 {
            stream.held = 0;
            over(cpu);
            return Step::More;
        }
        if stream.run_left == 0 {
            stream.held = 0;
            return seek(cpu);
        }
        stream.run_left -= 1;
    }
    Step::More
}

/// Version and command, family, and the length of the addresses (PROXY protocol section 2.2).
#[inline(always)]
fn proxy<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
    let Some([version, _, high, low]) = reader::header::<4, F>(frame, &mut cpu.work) else {
        return Step::Done;
    };
    if version >> 4 != 2 {
        return seek(cpu);
    }
    over(cpu);
    let length = u32::from(u16::from_be_bytes([high, low]));
    cpu.work.stream.skip(length, State::Begin);
    Step::More
}
