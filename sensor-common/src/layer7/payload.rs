//! A packet's payload on its way through a layer-7 reader, step by step.
//!
//! Each step does a bounded amount of work from where the last one stopped, so that the kernel's
//! verifier checks one step and not their sequence.

use super::{
    prelude,
    reader::{self, Reader},
    reason::Reason,
    stream::{COPY, HOLE, LOST, MORE},
    work::Step,
};
use crate::{
    bytes::Frame,
    counter::Counter,
    cpu::Cpu,
    packet::Packet,
    registry::{Protocol, State, with_layer7},
    tape,
};

/// Steps that one packet may take through a reader.
pub const STEPS: u32 = 384;

/// True if a method of any protocol's [`Reader`] says so.
macro_rules! any {
    ($method:ident $arguments:tt $(($protocol:ident $module:ident))+) => {
        $(super::$module::$protocol::$method $arguments)||+
    };
}

/// Calls a method of each protocol's [`Reader`].
macro_rules! each {
    ($method:ident $arguments:tt $(($protocol:ident $module:ident))+) => {
        $(super::$module::$protocol::$method $arguments;)+
    };
}

/// One step of the reader that `state` belongs to.
macro_rules! step_by {
    ($state:ident, $frame:ident, $cpu:ident; ($protocol:ident $module:ident)) => {
        super::$module::$protocol::step($frame, $cpu)
    };
    ($state:ident, $frame:ident, $cpu:ident; ($protocol:ident $module:ident) $($rest:tt)+) => {
        if $state <= const { Protocol::$protocol.last_state() } {
            super::$module::$protocol::step($frame, $cpu)
        } else {
            step_by!($state, $frame, $cpu; $($rest)+)
        }
    };
}

/// The first state of the protocol that can begin with the byte `first`, unless another is `known`; else
/// [`State::Begin`].
macro_rules! begin_by {
    ($first:ident, $known:ident; $(($protocol:ident $module:ident))+) => {
        $(if Protocol::$protocol.may_begin($first)
            && ($known == Protocol::None as u8 || $known == Protocol::$protocol as u8)
        {
            const { Protocol::$protocol.first_state() }
        } else)+ {
            State::Begin as u8
        }
    };
}

/// The first state of the protocol that can begin with the byte `first`, unless another is `known`; [`State::Begin`] if
/// there is none.
#[inline(always)]
pub(super) fn first_state(first: u8, known: u8) -> u8 {
    with_layer7!(begin_by!(first, known;))
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
    work.begin = work.position;
    let mut known = captured;
    if seen > captured {
        // What the capture lacks of a repetition is not lost.
        known = seen;
        work.position = work.end;
    }
    work.missing = cpu.packet.payload_length.saturating_sub(known);
    prelude::segment(work);
}

/// Bytes at the start of the payload that came in an earlier segment.
#[inline(always)]
fn seen_before(packet: &Packet) -> u32 {
    if packet.stream_delta >= 0 {
        return 0;
    }
    // A SYN takes a number of the sequence space before the payload.
    let syn = packet.syn_length();
    packet.stream_delta.unsigned_abs().saturating_sub(syn)
}

/// After the last step: what the budget did not allow, and what the capture lacks.
#[inline(always)]
pub fn finish(cpu: &mut Cpu) {
    if cpu.work.position < cpu.work.end {
        if cpu.work.protocol == Protocol::None as u8 || cpu.work.stream.is(LOST) {
            cpu.counters.count(Counter::L7Budget);
        }
        let at = reader::offset(&cpu.work);
        cpu.lose_place(Reason::Budget, at);
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
    let at = stream.offset;
    stream.offset = at.wrapping_add(bytes);
    match stream.state {
        s if s == State::Probe as u8 || s == State::Done as u8 => {}
        s if s == State::Run as u8 && stream.run_left > bytes => {
            stream.run_left -= bytes;
            stream.flags |= HOLE;
        }
        _ => {
            if !with_layer7!(any!(survives_loss(stream, bytes))) {
                cpu.lose_place(Reason::Loss, at);
            }
        }
    }
}

/// One step of the reader: bounded work on the bytes from `cpu.work.position` on.
#[inline(always)]
pub fn step<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
    let state = cpu.work.stream.state;
    if cpu.work.position >= cpu.work.end && !with_layer7!(any!(is_due(&cpu.work.stream))) {
        return Step::Done;
    }
    if state == State::Run as u8 {
        run(frame, cpu)
    } else if state == State::Probe as u8 {
        probe(cpu)
    } else if state == State::Begin as u8
        || state == State::Line as u8
        || state == State::Head as u8
        || state == State::Proxy as u8
    {
        prelude::step(frame, cpu)
    } else if state == State::Done as u8 {
        cpu.work.position = cpu.work.end;
        Step::Done
    } else {
        with_layer7!(step_by!(state, frame, cpu;))
    }
}

/// Chooses a reader by the first byte of a segment. The reader gives up by itself if it finds no proof.
#[inline(always)]
fn probe(cpu: &mut Cpu) -> Step {
    let first = cpu.packet.first_byte;
    let known = cpu.work.protocol;
    let stream = &mut cpu.work.stream;
    stream.held = 0;
    // Only a segment's first byte is tried, never one in its middle.
    if cpu.work.position != cpu.packet.offset {
        cpu.work.position = cpu.work.end;
        return Step::Done;
    }
    let state = first_state(first, known);
    if state == State::Begin as u8 {
        cpu.work.position = cpu.work.end;
        return Step::Done;
    }
    stream.state = state;
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
        if take == work.stream.run_left && !work.stream.has(MORE) {
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
        with_layer7!(each!(run_ended(cpu)));
    }
    Step::More
}
