//! TLS as far as it is read: the hello message of each side (RFC 8446 section 4.1, RFC 5246 section
//! 7.4.1), by which a connection is known as encrypted and its version and server name are seen.

use super::{
    reader::{self, Reader},
    work::Step,
};
use crate::{
    bytes::Frame,
    cpu::Cpu,
    registry::{Protocol, State, Tag},
    tape::{FIRST, LAST},
};

/// Content type of handshake records.
pub const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;

/// Bytes of a `ClientHello` record that are copied; with post-quantum key shares they have about 1,800.
pub const HELLO_MAX: u32 = 2_048;
/// Bytes of a `ServerHello` record that are copied: enough for its version.
pub const SERVER_HELLO_MAX: u32 = 256;

/// The reader of TLS.
pub(crate) struct Tls;

impl Reader for Tls {
    #[inline(always)]
    fn step<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
        let Some(head) = reader::header::<6, F>(frame, &mut cpu.work) else {
            return Step::Done;
        };
        let [content, major, minor, high, low, kind] = head;
        let length = u32::from(u16::from_be_bytes([high, low]));
        let sound = content == HANDSHAKE
            && major == 3
            && minor <= 4
            && (38..=0x4000).contains(&length)
            && (kind == CLIENT_HELLO || kind == SERVER_HELLO);
        if !sound {
            return reader::desync(cpu);
        }
        cpu.work.protocol = Protocol::Tls as u8;
        let limit = if kind == CLIENT_HELLO {
            HELLO_MAX
        } else {
            SERVER_HELLO_MAX
        };
        let rest = if length - 1 < limit {
            length - 1
        } else {
            limit
        };
        cpu.record(
            Tag::TlsHello,
            if rest == 0 { FIRST | LAST } else { FIRST },
            head,
        );
        cpu.work.stream.copy(Tag::TlsHello, rest, State::Done);
        Step::More
    }
}
