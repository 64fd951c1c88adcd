//! PDU types (PS3.8 section 9.3), and how the rest of a PDU is left out.

use crate::{
    cpu::Cpu,
    layer7::{reader, reason::Reason, stream::PROVEN, work::Step},
    registry::State,
};

/// A-ASSOCIATE-RQ.
pub const ASSOCIATE_RQ: u8 = 1;
/// A-ASSOCIATE-AC.
pub const ASSOCIATE_AC: u8 = 2;
/// A-ASSOCIATE-RJ.
pub const ASSOCIATE_RJ: u8 = 3;
/// P-DATA-TF.
pub const DATA: u8 = 4;
/// A-RELEASE-RQ.
pub const RELEASE_RQ: u8 = 5;
/// A-RELEASE-RP.
pub const RELEASE_RP: u8 = 6;
/// A-ABORT.
pub const ABORT: u8 = 7;

/// Control bit: the fragment belongs to a command set (PS3.8 annex E.2).
pub(super) const COMMAND: u8 = 1;
/// Control bit: the last fragment.
pub(super) const LAST_FRAGMENT: u8 = 2;

/// Leaves the rest of a PDU out, of which `rest` bytes are to come; where the place in the stream is not certain, that is
/// given up.
#[inline(always)]
pub(super) fn leave(cpu: &mut Cpu, reason: Reason, rest: u32) -> Step {
    if !cpu.work.stream.is(PROVEN) {
        return cpu.desync(reason);
    }
    reader::skipped(cpu, reason, rest);
    let stream = &mut cpu.work.stream;
    stream.pdu_left = 0;
    stream.inner_left = 0;
    stream.held = 0;
    stream.skip(rest, State::DicomPdu);
    Step::More
}
