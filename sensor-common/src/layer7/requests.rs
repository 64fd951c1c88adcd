//! Which side of a connection makes the requests, by what is on the tape: who sent what only a client sends.

use super::work::Asked;
use crate::{
    cpu::Cpu,
    layer7::dicom::pdu,
    registry::{Protocol, State, Tag},
    tape::RECORD_HEADER,
};

/// Handshake type of a `ClientHello` (RFC 8446 section 4).
const CLIENT_HELLO: u8 = 1;
/// Where the handshake type is in a TLS record.
const HELLO_TYPE: usize = RECORD_HEADER + 5;

/// Who makes the requests, by the first record on the tape; [`Asked::Open`] if it does not tell.
///
/// DICOM: who asks for an association (PS3.8 section 9.3.2). HL7: who sends a message that acknowledges none (HL7 v2.5.1
/// section 2.9). TLS: who sends `ClientHello`.
#[inline(always)]
pub(crate) fn who_asked(cpu: &Cpu) -> Asked {
    let tape = &cpu.chunk.tape;
    let [tag, ..] = *tape;
    let stream = &cpu.work.stream;
    if cpu.work.is_of(Protocol::Dicom) {
        if tag != Tag::DicomPdu as u8 {
            return Asked::Open;
        }
        match tape[RECORD_HEADER] {
            pdu::ASSOCIATE_RQ => Asked::Sender,
            pdu::ASSOCIATE_AC | pdu::ASSOCIATE_RJ => Asked::Receiver,
            _ => Asked::Open,
        }
    } else if cpu.work.is_of(Protocol::Tls) {
        if tag != Tag::TlsHello as u8 {
            Asked::Open
        } else if tape[HELLO_TYPE] == CLIENT_HELLO {
            Asked::Sender
        } else {
            Asked::Receiver
        }
    } else if cpu.work.is_of(Protocol::Hl7) {
        if stream.tag == Tag::Hl7Acknowledgement as u8 {
            Asked::Receiver
        } else if stream.tag == Tag::Hl7Header as u8
            && (stream.state == State::Hl7Body as u8
                || stream.state == State::Hl7End as u8
                || stream.state == State::Hl7Start as u8)
        {
            Asked::Sender
        } else {
            Asked::Open
        }
    } else {
        Asked::Open
    }
}
