//! What a layer-7 reader works with while it reads a packet.

use super::stream::Stream;
use crate::registry::Protocol;

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
    /// Where the bytes begin that the stream had not seen; the stream's offset is theirs.
    pub begin: u32,
    /// Bytes of the payload that the capture lacks.
    pub missing: u32,
    /// Bytes on the tape.
    pub tape_len: u32,
    /// [`Protocol`] of the connection; none until a reader has seen proof.
    pub protocol: u8,
    /// [`Asked`].
    pub asked: u8,
    /// Always zero.
    pub pad: [u8; 2],
    /// The place of the segment that is read, plus one ([`crate::engine::Held`]); 0: the frame is read.
    pub held: u32,
    /// Of a packet that could not be kept, while what came before it is read: offset, sequence number, payload bytes, of
    /// these captured, first byte, direction.
    pub aside: [u32; 6],
    /// Always zero.
    pub pad2: [u8; 4],
}

impl Work {
    /// Before the first packet.
    pub const EMPTY: Self = Self {
        stream: Stream::EMPTY,
        position: 0,
        begin: 0,
        end: 0,
        missing: 0,
        tape_len: 0,
        protocol: 0,
        asked: 0,
        pad: [0; 2],
        held: 0,
        aside: [0; 6],
        pad2: [0; 4],
    };

    /// True if the connection was recognised as one of `protocol`.
    #[inline(always)]
    pub(crate) const fn is_of(&self, protocol: Protocol) -> bool {
        self.protocol == protocol as u8
    }
}

/// Which side makes the requests, by what a reader saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Asked {
    /// It is known already, from a handshake or earlier content.
    Decided = 0,
    /// It is not known.
    Open = 1,
    /// The sender of the packet.
    Sender = 2,
    /// Its receiver.
    Receiver = 3,
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
