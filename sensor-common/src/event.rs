//! Events: what travels through the ring buffer from the kernel to the daemon.

use crate::{
    flow::{self, Flow},
    key::FlowKey,
    tape,
};

/// Kind of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum EventKind {
    /// A [`FlowEvent`].
    Flow = 1,
    /// A [`ChunkHeader`] with its tape.
    Chunk = 2,
    /// The same with the tape of a [notice](crate::notice), which belongs to no connection.
    Notice = 3,
}

impl TryFrom<u8> for EventKind {
    type Error = u8;

    fn try_from(value: u8) -> Result<Self, u8> {
        match value {
            1 => Ok(Self::Flow),
            2 => Ok(Self::Chunk),
            3 => Ok(Self::Notice),
            other => Err(other),
        }
    }
}

/// Why a flow event was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum FlowReason {
    /// The flow reached a power of two of packets, [`crate::flow::SNAPSHOT_FROM`] or more.
    Snapshot = 1,
    /// A TCP connection was closed: a reset, or FIN from both ends. The entry lives on for a moment.
    Closed = 2,
    /// The flow is over: a new one took its key. This is its final record.
    Ended = 3,
}

impl TryFrom<u8> for FlowReason {
    type Error = u8;

    fn try_from(value: u8) -> Result<Self, u8> {
        match value {
            1 => Ok(Self::Snapshot),
            2 => Ok(Self::Closed),
            3 => Ok(Self::Ended),
            other => Err(other),
        }
    }
}

/// The first 16 bytes of each event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct EventHeader {
    /// [`crate::ABI_VERSION`].
    pub version: u8,
    /// [`EventKind`].
    pub kind: u8,
    /// For a flow [`FlowReason`], for a chunk the [`crate::key::Direction`] as index.
    pub detail: u8,
    /// For a chunk the [`crate::layer7::Protocol`]; else zero.
    pub protocol: u8,
    /// Interface index at which the packet came in.
    pub interface: u32,
    /// Time of the packet, nanoseconds of the engine's clock.
    pub time: u64,
}

/// A flow as it stands.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct FlowEvent {
    /// Kind [`EventKind::Flow`].
    pub header: EventHeader,
    /// The flow's key.
    pub key: FlowKey,
    /// The flow's state.
    pub flow: Flow,
}

/// Head of a piece of tape; `tape_len` bytes of tape follow it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct ChunkHeader {
    /// Kind [`EventKind::Chunk`] or [`EventKind::Notice`].
    pub header: EventHeader,
    /// Key of the connection; of a notice that of its datagram, of ARP zero.
    pub key: FlowKey,
    /// When the flow entry was made; with the key it names the connection.
    pub flow_start: u64,
    /// Number of this chunk among those of its direction, from 0, lost ones counted: a jump is a loss.
    pub number: u32,
    /// TCP payload bytes of this direction before this packet's payload.
    pub stream_offset: u32,
    /// [`OF_FLOW`], [`DAMAGED`].
    pub flags: u8,
    /// Always zero.
    pub pad: u8,
    /// Bytes of tape that follow.
    pub tape_len: u16,
    /// Ethernet address of endpoint A as the flow has it, see [`crate::flow::Flow::mac_a`]; of a notice zero.
    pub mac_a: [u8; 6],
    /// The same of endpoint B.
    pub mac_b: [u8; 6],
}

/// Flags of a chunk that are those of its flow.
pub use crate::flow::{INITIATOR_B, MIDSTREAM};

/// Those flags: who opened the conversation, whether that was seen, and whether it is closed.
pub const OF_FLOW: u8 = INITIATOR_B | MIDSTREAM | flow::RESET | flow::FIN_A | flow::FIN_B;

/// Flag of a chunk: bytes of its direction were left out before it.
pub const DAMAGED: u8 = 128;

/// A chunk as it is built: header and room for the tape, contiguous.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Chunk {
    /// The head.
    pub header: ChunkHeader,
    /// The tape, of which `header.tape_len` bytes are used.
    pub tape: [u8; tape::ROOM],
}

impl ChunkHeader {
    /// Before anything is known.
    pub const EMPTY: Self = Self {
        header: EventHeader {
            version: 0,
            kind: 0,
            detail: 0,
            protocol: 0,
            interface: 0,
            time: 0,
        },
        key: FlowKey::EMPTY,
        flow_start: 0,
        number: 0,
        stream_offset: 0,
        flags: 0,
        pad: 0,
        tape_len: 0,
        mac_a: [0; 6],
        mac_b: [0; 6],
    };
}
