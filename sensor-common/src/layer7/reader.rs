//! What every layer-7 reader has to offer, and what it is made of.

use super::{
    stream::{CARRY, Stream},
    work::{Step, Work},
};
use crate::{
    bytes::Frame,
    counter::Counter,
    cpu::Cpu,
    registry::{Protocol, Tag},
    tape,
};

/// Reads one protocol. The states in which a method is called are those of the protocol in the
/// [registry](crate::registry), unless the method says otherwise.
pub(crate) trait Reader {
    /// One step: bounded work on the bytes from `cpu.work.position` on. A state that the reader does not know means
    /// that the place was lost: [`desync`].
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
