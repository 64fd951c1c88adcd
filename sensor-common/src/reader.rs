//! A packet's payload on its way through a layer-7 reader, step by step.
//!
//! Each step does a bounded amount of work from where the last one stopped, so that the kernel's
//! verifier checks one step and not their sequence.

use crate::{
    bytes::Frame,
    counter::Counter,
    cpu::Cpu,
    dicom, hl7,
    packet::Packet,
    stream::{CARRY, COPY, HOLE, Protocol, State, Stream},
    tape::{self, Tag},
    tls, transport,
};

/// Steps that one packet may take through a reader.
pub const STEPS: u32 = 384;

/// A packet's way through a reader.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Work {
    /// The direction's stream, taken out of the flow while the packet is read.
    pub stream: Stream,
    /// Where the reader stands in the frame.
    pub position: u32,
    /// End of the captured payload.
    pub end: u32,
    /// Bytes of the payload that the capture lacks.
    pub missing: u32,
    /// Bytes on the tape.
    pub tape_len: u32,
    /// [`Protocol`] of the connection; none until a reader has seen proof.
    pub protocol: u8,
    /// Always zero.
    pub pad: [u8; 7],
}

impl Work {
    /// Before the first packet.
    pub const EMPTY: Self = Self {
        stream: Stream::EMPTY,
        position: 0,
        end: 0,
        missing: 0,
        tape_len: 0,
        protocol: 0,
        pad: [0; 7],
    };
}

/// What a step asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Step {
    /// The packet is read.
    Done = 0,
    /// Another step.
    More = 1,
}

/// Makes `cpu.work` ready for `cpu.packet`, whose direction's stream is already in it.
#[inline(always)]
pub fn begin(cpu: &mut Cpu) {
    let delta = cpu.packet.stream_delta;
    cpu.work.tape_len = 0;
    // First of all: what was lost may cost the place in the protocol, but not this segment, whose start
    // is tried then.
    if delta > 0 {
        lose(cpu, delta.unsigned_abs());
    }
    let seen = seen_before(&cpu.packet);
    let captured = cpu.packet.payload_captured;
    let work = &mut cpu.work;
    work.end = cpu.packet.offset + captured;
    work.position = cpu.packet.offset + seen;
    let mut known = captured;
    if seen > captured {
        // What the capture lacks of a repetition is not lost.
        known = seen;
        work.position = work.end;
    }
    work.missing = cpu.packet.payload_length.saturating_sub(known);
}

/// Bytes at the start of the payload that came in an earlier segment.
#[inline(always)]
fn seen_before(packet: &Packet) -> u32 {
    if packet.stream_delta >= 0 {
        return 0;
    }
    // A SYN takes a number of the sequence space before the payload.
    let syn = transport::syn_length(packet);
    packet.stream_delta.unsigned_abs().saturating_sub(syn)
}

/// After the last step: what the budget did not allow, and what the capture lacks.
#[inline(always)]
pub fn finish(cpu: &mut Cpu) {
    if cpu.work.position < cpu.work.end {
        cpu.counters.count(Counter::L7Budget);
        desync(cpu);
    }
    let stream = &mut cpu.work.stream;
    stream.offset = stream
        .offset
        .wrapping_add(cpu.packet.payload_length)
        .wrapping_sub(cpu.work.missing)
        .wrapping_sub(seen_before(&cpu.packet));
    if cpu.work.missing > 0 {
        let missing = cpu.work.missing;
        lose(cpu, missing);
    }
}

/// Takes `bytes` that the sensor never saw out of the stream.
#[inline(always)]
pub fn lose(cpu: &mut Cpu, bytes: u32) {
    let stream = &mut cpu.work.stream;
    stream.offset = stream.offset.wrapping_add(bytes);
    match stream.state {
        s if s == State::Probe as u8 || s == State::Done as u8 => {}
        s if s == State::Run as u8 && stream.run_left > bytes => {
            stream.run_left -= bytes;
            stream.flags |= HOLE;
        }
        s if s == State::Hl7Body as u8 => stream.length = stream.length.wrapping_add(bytes),
        _ => {
            desync(cpu);
        }
    }
}

/// Gives up the place in the protocol: later segments are tried from their start.
#[inline(always)]
pub(crate) fn desync(cpu: &mut Cpu) -> Step {
    if cpu.work.protocol != Protocol::None as u8 {
        cpu.counters.count(Counter::L7Desync);
        cpu.record(Tag::Desync, tape::FIRST | tape::LAST, []);
    }
    cpu.work.stream.forget();
    cpu.work.position = cpu.work.end;
    Step::Done
}

/// One step of the reader: bounded work on the bytes from `cpu.work.position` on.
#[inline(always)]
pub fn step<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
    let state = cpu.work.stream.state;
    if cpu.work.position >= cpu.work.end && !dicom::is_command_over(&cpu.work.stream) {
        return Step::Done;
    }
    if state == State::Run as u8 {
        run(frame, cpu)
    } else if state == State::Probe as u8 {
        probe(cpu)
    } else if state == State::Done as u8 {
        cpu.work.position = cpu.work.end;
        Step::Done
    } else if state < State::Hl7Start as u8 {
        dicom::step(frame, cpu)
    } else if state < State::TlsRecord as u8 {
        hl7::step(frame, cpu)
    } else {
        tls::step(frame, cpu)
    }
}

/// Chooses a reader by the first byte of a segment. The reader gives up by itself if it finds no proof.
#[inline(always)]
fn probe(cpu: &mut Cpu) -> Step {
    let first = cpu.packet.first_byte;
    let known = cpu.work.protocol;
    let stream = &mut cpu.work.stream;
    stream.held = 0;
    let free = known == Protocol::None as u8;
    // Only a segment's first byte is tried, never one in its middle.
    if cpu.work.position != cpu.packet.offset {
        cpu.work.position = cpu.work.end;
        return Step::Done;
    }
    if first == hl7::START_BLOCK && (free || known == Protocol::Hl7 as u8) {
        stream.set(State::Hl7Start);
    } else if first == tls::HANDSHAKE && (free || known == Protocol::Tls as u8) {
        stream.set(State::TlsRecord);
    } else if dicom::may_begin(first) && (free || known == Protocol::Dicom as u8) {
        stream.set(State::DicomPdu);
    } else {
        cpu.work.position = cpu.work.end;
        return Step::Done;
    }
    Step::More
}

/// Copies or skips what there is of the run.
#[inline(always)]
fn run<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
    let work = &mut cpu.work;
    let there = work.end - work.position;
    let mut take = if work.stream.run_left < there {
        work.stream.run_left
    } else {
        there
    };
    if work.stream.is(COPY) {
        if take > tape::COPY_MAX {
            take = tape::COPY_MAX;
        }
        let mut flags = 0;
        if take == work.stream.run_left {
            flags |= tape::LAST;
        }
        if work.stream.is(HOLE) {
            flags |= tape::HOLE;
        }
        let (tag, position) = (work.stream.tag, work.position);
        cpu.copy_piece(frame, tag, flags, position, take);
    }
    let work = &mut cpu.work;
    work.stream.flags &= !HOLE;
    work.position += take;
    work.stream.run_left -= take;
    if work.stream.run_left == 0 {
        work.stream.state = work.stream.after;
        if work.stream.state == State::DicomDataEnd as u8 {
            dicom::end_data(cpu);
        }
    }
    Step::More
}

/// Reads a header of `N` bytes, which may have begun in an earlier segment; `None` if it goes on in the
/// next one.
#[inline(always)]
pub(crate) fn header<const N: usize, F: Frame>(frame: &F, work: &mut Work) -> Option<[u8; N]> {
    if work.stream.held == 0 && work.end - work.position >= N as u32 {
        let bytes = frame.array::<N>(work.position)?;
        work.position += N as u32;
        return Some(bytes);
    }
    for _ in 0..CARRY {
        if work.stream.held as usize >= N || work.position >= work.end {
            break;
        }
        let byte = frame.u8(work.position)?;
        work.position += 1;
        if let Some(slot) = work.stream.carry.get_mut(work.stream.held as usize) {
            *slot = byte;
        }
        work.stream.held += 1;
    }
    if (work.stream.held as usize) < N {
        return None;
    }
    work.stream.held = 0;
    work.stream.carry.first_chunk::<N>().copied()
}
