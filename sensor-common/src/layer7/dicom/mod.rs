//! The DICOM upper layer as far as it may leave the kernel: PS3.8 section 9.3 (PDUs), PS3.7 annex D
//! (user information) and section 6.3 (command sets).
//!
//! What goes on the tape: PDU headers, titles and items of an association (credentials of a
//! user identity left out), reasons of rejects and aborts, and those elements of group 0000 that
//! `data::leaves_kernel` names. Data sets are counted in bytes and never copied.
//!
//! What receivers do not test is not tested here either. A PDU that breaks the standard costs only itself: its length leads to
//! the next one.

mod association;
mod command;
mod data;
pub mod pdu;

pub use command::{BIG_ENDIAN, EXPLICIT_VR};

use association::ASSOCIATE_FIXED;

use super::{
    reader::{self, Reader},
    reason::Reason,
    stream::{EARLY, PROVEN, Stream},
    work::Step,
};
use crate::{
    bytes::Frame,
    cpu::Cpu,
    registry::{Protocol, State, Tag},
    tape::{FIRST, LAST},
};

/// Longest association PDU that is read: 128 contexts with many transfer syntaxes are below 64 KiB.
pub const ASSOCIATE_MAX: u32 = 256 * 1024;
/// Longest P-DATA-TF that is believed; a peer that announces maximum length 0 may send long ones.
pub const DATA_MAX: u32 = 1 << 30;
/// Longest other PDU whose length is believed, so that it can be skipped.
const OTHER_MAX: u32 = 1 << 20;

/// The reader of DICOM.
pub(crate) struct Dicom;

impl Reader for Dicom {
    #[inline(always)]
    fn step<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
        match cpu.work.stream.state {
            s if s == State::DicomPdu as u8 => pdu_header(frame, cpu),
            s if s == State::DicomAssociate as u8 => association::associate(frame, cpu),
            s if s == State::DicomReserved as u8 => association::reserved(cpu),
            s if s == State::DicomItem as u8 => association::item(frame, cpu),
            s if s == State::DicomSubItem as u8 => association::sub_item(frame, cpu),
            s if s == State::DicomSubItemRest as u8 => {
                let rest = cpu.work.stream.length;
                cpu.work.stream.skip(rest, State::DicomSubItem);
                Step::More
            }
            s if s == State::DicomReason as u8 => reason(frame, cpu),
            s if s == State::DicomPdv as u8 => data::pdv(frame, cpu),
            s if s == State::DicomElement as u8 => command::element(frame, cpu),
            _ => cpu.desync(Reason::DicomPdu),
        }
    }

    #[inline(always)]
    fn is_due(stream: &Stream) -> bool {
        stream.held == 0 && (command::is_over(stream) || association::is_over(stream))
    }

    #[inline(always)]
    fn run_ended(cpu: &mut Cpu) {
        if cpu.work.stream.state == State::DicomDataEnd as u8 {
            data::end_data(cpu);
        }
    }

    #[inline(always)]
    fn place_lost(cpu: &mut Cpu) {
        if cpu.work.is_of(Protocol::Dicom) {
            data::give_up(cpu, false);
        }
    }
}

#[inline(always)]
fn pdu_header<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
    let Some([kind, _, l0, l1, l2, l3]) = reader::header::<6, F>(frame, &mut cpu.work) else {
        return Step::Done;
    };
    let length = u32::from_be_bytes([l0, l1, l2, l3]);
    let known = cpu.work.is_of(Protocol::Dicom);
    let proven = cpu.work.stream.is(PROVEN);
    // Receivers take any length of the short ones; where the place may be wrong, the right one is asked for.
    let certain = cpu.work.stream.is(PROVEN | EARLY);
    let short = known && (length == 4 || (certain && length <= OTHER_MAX));
    if kind != pdu::DATA && proven {
        data::give_up(cpu, true);
    }
    let stream = &mut cpu.work.stream;
    stream.pdu_left = length;
    match kind {
        pdu::ASSOCIATE_RQ | pdu::ASSOCIATE_AC
            if (ASSOCIATE_FIXED..=ASSOCIATE_MAX).contains(&length) =>
        {
            stream.control = kind;
            stream.set(State::DicomAssociate);
        }
        // An empty one is of no consequence where DICOM is spoken, and no sign of it elsewhere.
        pdu::DATA if length <= DATA_MAX && (proven || length >= 6) => stream.set(State::DicomPdv),
        pdu::ASSOCIATE_RJ | pdu::ABORT if short => {
            cpu.record(Tag::DicomPdu, FIRST | LAST, [kind, 0, l0, l1, l2, l3]);
            if length < 4 {
                cpu.record(Tag::DicomReason, FIRST | LAST, [0; 4]);
                cpu.work.stream.skip(length, State::DicomPdu);
            } else {
                cpu.work.stream.set(State::DicomReason);
            }
        }
        pdu::RELEASE_RQ | pdu::RELEASE_RP if short => {
            cpu.record(Tag::DicomPdu, FIRST | LAST, [kind, 0, l0, l1, l2, l3]);
            cpu.work.stream.skip(length, State::DicomPdu);
        }
        pdu::ASSOCIATE_RQ | pdu::ASSOCIATE_AC if length <= OTHER_MAX => {
            return pdu::leave(cpu, Reason::DicomAssociate, length);
        }
        _ if length <= OTHER_MAX => return pdu::leave(cpu, Reason::DicomPdu, length),
        _ => return cpu.desync(Reason::DicomPdu),
    }
    Step::More
}

/// The reason of a reject or an abort; its first byte is reserved, and what a peer adds behind it stays.
#[inline(always)]
fn reason<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
    let Some([_, a, b, c]) = reader::header::<4, F>(frame, &mut cpu.work) else {
        return Step::Done;
    };
    cpu.record(Tag::DicomReason, FIRST | LAST, [0, a, b, c]);
    let stream = &mut cpu.work.stream;
    let rest = stream.pdu_left.saturating_sub(4);
    stream.skip(rest, State::DicomPdu);
    Step::More
}
