//! What every layer-7 reader has to offer, and what it is made of.

use super::{
    reason::Reason,
    stream::{CARRY, EARLY, LOST, Stream},
    work::{Step, Work},
};
use crate::{
    bytes::Frame,
    counter::Counter,
    cpu::Cpu,
    registry::{Protocol, State, Tag},
    tape::{FIRST, LAST},
};

/// Reads one protocol. The states in which a method is called are those of the protocol in the
/// [registry](crate::registry), unless the method says otherwise.
pub(crate) trait Reader {
    /// One step: bounded work on the bytes from `cpu.work.position` on. A state that the reader does not know means
    /// that the place was lost: [`Cpu::desync`].
    fn step<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step;

    /// True if a step is due though no byte of the packet is left. Called in any state.
    #[inline(always)]
    fn is_due(_stream: &Stream) -> bool {
        false
    }

    /// Does what is due at the end of a run, in the state that follows it. Called in any state.
    #[inline(always)]
    fn run_ended(_cpu: &mut Cpu) {}

    /// Takes `bytes` that the sensor never saw out of the stream, and says true, if that does not cost the place in the
    /// protocol. Called in any state but those that all protocols share.
    #[inline(always)]
    fn survives_loss(_stream: &mut Stream, _bytes: u32) -> bool {
        false
    }

    /// Says what was left unfinished when the place is lost. Called in any state.
    #[inline(always)]
    fn place_lost(_cpu: &mut Cpu) {}

    /// The state in which a connection of this protocol is read on after the place was lost; [`State::Probe`] tries the starts
    /// of segments.
    const LOST: State = State::Probe;
}

/// Says that a unit of the protocol was given up here; the next record begins another.
#[inline(always)]
pub(crate) fn note_gap(cpu: &mut Cpu, reason: Reason) {
    cpu.counters.count(Counter::L7Desync);
    cpu.counters.count(reason.counter());
    cpu.record(Tag::Desync, FIRST | LAST, [reason as u8]);
}

/// Beside the reason in a [`Tag::Skipped`] record: the place, whose loss a record told before, was found again.
pub const FOUND: u8 = 128;

/// Says that `bytes` of a connection, whose protocol is known, were left out.
#[inline(always)]
pub(crate) fn skipped(cpu: &mut Cpu, reason: Reason, bytes: u32) {
    cpu.counters.count(reason.counter());
    note_skipped(cpu, reason as u8, bytes);
}

#[inline(always)]
fn note_skipped(cpu: &mut Cpu, reason: u8, bytes: u32) {
    cpu.counters.add(Counter::L7SkippedBytes, u64::from(bytes));
    let [b0, b1, b2, b3] = bytes.to_le_bytes();
    cpu.record(Tag::Skipped, FIRST | LAST, [reason, b0, b1, b2, b3]);
}

/// Takes the proof that the connection is of `protocol`: a unit of it began `consumed` bytes ago.
#[inline(always)]
pub(crate) fn prove(cpu: &mut Cpu, protocol: Protocol, consumed: u32) {
    cpu.work.protocol = protocol as u8;
    let at = offset(&cpu.work).wrapping_sub(consumed);
    let stream = &mut cpu.work.stream;
    if stream.is(EARLY) {
        stream.flags &= !EARLY;
        stream.stash = 0;
    }
    if let Some((reason, bytes)) = stream.unread(at) {
        stream.flags &= !LOST;
        stream.data_bytes = 0;
        if bytes > 0 {
            if reason == Reason::Before as u8 {
                cpu.counters.count(Counter::L7Before);
                note_skipped(cpu, reason, bytes);
            } else {
                // It was counted when the place was lost.
                note_skipped(cpu, reason | FOUND, bytes);
            }
        }
    }
}

/// The offset in the stream of the byte at which the reader stands.
#[inline(always)]
pub(crate) fn offset(work: &Work) -> u32 {
    work.stream
        .offset
        .wrapping_add(work.position.wrapping_sub(work.begin))
}

/// The next byte, if there is one in this segment.
#[inline(always)]
pub(crate) fn next<F: Frame>(frame: &F, work: &mut Work) -> Option<u8> {
    if work.position >= work.end {
        return None;
    }
    let byte = frame.u8(work.position)?;
    work.position += 1;
    Some(byte)
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
        hold(work, frame.u8(work.position)?);
        work.position += 1;
    }
    if (work.stream.held as usize) < N {
        return None;
    }
    work.stream.held = 0;
    work.stream.carry.first_chunk::<N>().copied()
}

/// Holds a byte over.
#[inline(always)]
pub(crate) fn hold(work: &mut Work, byte: u8) {
    if let Some(slot) = work.stream.carry.get_mut(work.stream.held as usize) {
        *slot = byte;
    }
    work.stream.held += 1;
}
