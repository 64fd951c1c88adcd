//! TLS as far as it is read: the hello message of each side (RFC 8446 section 4.1, RFC 5246 section
//! 7.4.1), by which a connection is known as encrypted and its version and server name are seen.
//!
//! A hello message need not be the first: a server may warn before it (RFC 6066 section 3), and one record can hold several
//! handshake messages, or a part of one.

use super::{
    reader::{self, Reader},
    reason::Reason,
    stream::{MORE, Stream},
    work::Step,
};
use crate::{
    bytes::Frame,
    cpu::Cpu,
    registry::{Protocol, State, Tag},
    tape::FIRST,
};

/// Content type of handshake records.
pub const HANDSHAKE: u8 = 22;
const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const APPLICATION_DATA: u8 = 23;
const HELLO_REQUEST: u8 = 0;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;

/// Bytes of a hello message that are copied; with post-quantum key shares `ClientHello` has about 1,800, `ServerHello` about
/// 1,200.
pub const HELLO_MAX: u32 = 2_048;
/// Least length of a hello message: version, random, and the shortest lists.
const HELLO_MIN: u32 = 38;
/// Longest hello message that is believed.
const HELLO_LIMIT: u32 = 1 << 17;
/// Longest record (RFC 5246 section 6.2.3).
const RECORD_MAX: u32 = 0x4000 + 2_048;

/// Mode: the message that is read is a hello message.
const HELLO: u8 = 1;

/// The reader of TLS.
pub(crate) struct Tls;

impl Reader for Tls {
    #[inline(always)]
    fn step<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
        match cpu.work.stream.state {
            s if s == State::TlsRecord as u8 => record(frame, cpu),
            s if s == State::TlsMessage as u8 => message(frame, cpu),
            _ => body(cpu),
        }
    }

    #[inline(always)]
    fn is_due(stream: &Stream) -> bool {
        stream.state == State::TlsBody as u8 && is_copied(stream)
    }
}

/// True if all of a hello message was copied that may be.
#[inline(always)]
const fn is_copied(stream: &Stream) -> bool {
    stream.has(HELLO) && stream.length == 0
}

/// A record's header; `control` keeps the minor version, `pdu_left` the length.
#[inline(always)]
fn record<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
    let Some([content, major, minor, high, low]) = reader::header::<5, F>(frame, &mut cpu.work)
    else {
        return Step::Done;
    };
    let length = u32::from(u16::from_be_bytes([high, low]));
    let known = cpu.work.is_of(Protocol::Tls);
    let stream = &mut cpu.work.stream;
    let sound = major == 3 && minor <= 4 && length <= RECORD_MAX;
    match content {
        HANDSHAKE if sound => {
            stream.pdu_left = length;
            stream.control = minor;
            stream.set(if stream.inner_left > 0 {
                State::TlsBody
            } else {
                State::TlsMessage
            });
        }
        ALERT if sound && (known || length == 2) => stream.skip(length, State::TlsRecord),
        CHANGE_CIPHER_SPEC if sound && known => stream.skip(length, State::TlsRecord),
        // The hello message was before what was seen.
        APPLICATION_DATA if sound && known => stream.set(State::Done),
        _ => {
            stream.inner_left = 0;
            return cpu.desync(Reason::TlsRecord);
        }
    }
    Step::More
}

#[inline(always)]
fn message<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
    let stream = &mut cpu.work.stream;
    if stream.held == 0 && stream.pdu_left == 0 {
        stream.set(State::TlsRecord);
        return Step::More;
    }
    if stream.pdu_left < 4 {
        return cpu.desync(Reason::TlsRecord);
    }
    let Some([kind, l0, l1, l2]) = reader::header::<4, F>(frame, &mut cpu.work) else {
        return Step::Done;
    };
    let length = u32::from_be_bytes([0, l0, l1, l2]);
    let known = cpu.work.is_of(Protocol::Tls);
    let stream = &mut cpu.work.stream;
    let [high, low] = (stream.pdu_left as u16).to_be_bytes();
    let minor = stream.control;
    stream.pdu_left -= 4;
    match kind {
        CLIENT_HELLO | SERVER_HELLO if (HELLO_MIN..=HELLO_LIMIT).contains(&length) => {
            reader::prove(cpu, Protocol::Tls, 9);
            let head = [HANDSHAKE, 3, minor, high, low, kind, l0, l1, l2];
            cpu.record(Tag::TlsHello, FIRST, head);
            let stream = &mut cpu.work.stream;
            stream.inner_left = length;
            stream.length = if length < HELLO_MAX {
                length
            } else {
                HELLO_MAX
            };
            stream.mode |= HELLO;
        }
        HELLO_REQUEST if length == 0 => {}
        _ if known && length <= HELLO_LIMIT => {
            stream.inner_left = length;
            stream.length = 0;
        }
        _ => return cpu.desync(Reason::TlsRecord),
    }
    cpu.work.stream.set(State::TlsBody);
    Step::More
}

/// Copies or skips what this record has of the message.
#[inline(always)]
fn body(cpu: &mut Cpu) -> Step {
    let stream = &mut cpu.work.stream;
    if is_copied(stream) {
        // The hello message is all that is read of a side.
        let rest = stream.inner_left;
        stream.inner_left = 0;
        stream.set(State::Done);
        if rest > 0 {
            reader::skipped(cpu, Reason::TlsLong, rest);
        }
        return Step::More;
    }
    if stream.inner_left == 0 || stream.pdu_left == 0 {
        stream.set(if stream.pdu_left == 0 {
            State::TlsRecord
        } else {
            State::TlsMessage
        });
        return Step::More;
    }
    let mut there = if stream.inner_left < stream.pdu_left {
        stream.inner_left
    } else {
        stream.pdu_left
    };
    if stream.length == 0 {
        stream.inner_left -= there;
        stream.pdu_left -= there;
        stream.skip(there, State::TlsBody);
        return Step::More;
    }
    if stream.length < there {
        there = stream.length;
    }
    stream.inner_left -= there;
    stream.pdu_left -= there;
    stream.length -= there;
    stream.copy(Tag::TlsHello, there, State::TlsBody);
    if stream.length > 0 {
        stream.mode |= MORE;
    }
    Step::More
}
