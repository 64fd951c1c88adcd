//! The DICOM upper layer as far as it may leave the kernel: PS3.8 section 9.3 (PDUs), PS3.7 annex D
//! (user information) and section 6.3 (command sets).
//!
//! What goes on the tape: PDU headers, the fixed part and the items of an association (credentials of a
//! user identity left out), reasons of rejects and aborts, and those elements of group 0000 that
//! `data::leaves_kernel` names. Data sets are counted in bytes and never copied.

mod association;
mod data;

use association::ASSOCIATE_FIXED;

use super::{
    reader::{self, Reader},
    stream::Stream,
    work::Step,
};
use crate::{
    bytes::Frame,
    cpu::Cpu,
    registry::{Protocol, State, Tag},
    tape::{FIRST, LAST},
};

/// PDU types (PS3.8 section 9.3).
pub mod pdu {
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
}

/// Longest association PDU that is read: 128 contexts with many transfer syntaxes are below 64 KiB.
pub const ASSOCIATE_MAX: u32 = 256 * 1024;
/// Longest P-DATA-TF that is believed; a peer that announces maximum length 0 may send long ones.
pub const DATA_MAX: u32 = 1 << 30;

/// The reader of DICOM.
pub(crate) struct Dicom;

impl Reader for Dicom {
    #[inline(always)]
    fn step<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
        match cpu.work.stream.state {
            s if s == State::DicomPdu as u8 => pdu_header(frame, cpu),
            s if s == State::DicomAssociate as u8 => association::associate(frame, cpu),
            s if s == State::DicomItem as u8 => association::item(frame, cpu),
            s if s == State::DicomSubItem as u8 => association::sub_item(frame, cpu),
            s if s == State::DicomSubItemRest as u8 => {
                let rest = cpu.work.stream.length;
                cpu.work.stream.skip(rest, State::DicomSubItem);
                Step::More
            }
            s if s == State::DicomPdv as u8 => data::pdv(frame, cpu),
            s if s == State::DicomElement as u8 => data::element(frame, cpu),
            _ => reader::desync(cpu),
        }
    }

    #[inline(always)]
    fn is_due(stream: &Stream) -> bool {
        data::is_command_over(stream)
    }

    #[inline(always)]
    fn run_ended(cpu: &mut Cpu) {
        if cpu.work.stream.state == State::DicomDataEnd as u8 {
            data::end_data(cpu);
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
    let stream = &mut cpu.work.stream;
    stream.pdu_left = length;
    match kind {
        pdu::ASSOCIATE_RQ | pdu::ASSOCIATE_AC
            if (ASSOCIATE_FIXED..=ASSOCIATE_MAX).contains(&length) =>
        {
            stream.control = kind;
            stream.set(State::DicomAssociate);
        }
        pdu::DATA if (6..=DATA_MAX).contains(&length) => stream.set(State::DicomPdv),
        pdu::ASSOCIATE_RJ | pdu::ABORT if known && length == 4 => {
            cpu.record(Tag::DicomPdu, FIRST | LAST, [kind, 0, l0, l1, l2, l3]);
            cpu.record(Tag::DicomReason, FIRST, []);
            cpu.work.stream.copy(Tag::DicomReason, 4, State::DicomPdu);
        }
        pdu::RELEASE_RQ | pdu::RELEASE_RP if known && length == 4 => {
            cpu.record(Tag::DicomPdu, FIRST | LAST, [kind, 0, l0, l1, l2, l3]);
            cpu.work.stream.skip(4, State::DicomPdu);
        }
        _ => return reader::desync(cpu),
    }
    Step::More
}
