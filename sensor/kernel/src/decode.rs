//! Decoding of ring records: bytes of unknown origin to typed events.

use std::mem::{offset_of, size_of};

use sensor_common::{
    ABI_VERSION,
    event::{ChunkHeader, EventHeader, EventKind, FlowEvent, FlowReason},
    key::{Direction, FlowKey},
    layer7::Protocol,
    tape,
};
use thiserror::Error;

/// A ring record.
#[derive(Clone, Debug)]
pub enum RingEvent<'a> {
    /// A flow as it stands.
    Flow {
        /// Why it was sent.
        reason: FlowReason,
        /// The event.
        event: Box<FlowEvent>,
    },
    /// A piece of tape.
    Chunk {
        /// The head.
        header: ChunkHeader,
        /// The direction that the bytes travelled in.
        direction: Direction,
        /// The tape.
        tape: &'a [u8],
    },
    /// What a host says of itself.
    Notice {
        /// The head; its key is that of the datagram, of ARP zero.
        header: ChunkHeader,
        /// The direction that the datagram travelled in.
        direction: Direction,
        /// The tape.
        tape: &'a [u8],
    },
}

/// Why a ring record was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum DecodeError {
    /// Shorter than its head, or than the length in it.
    #[error("a ring record of {0} bytes is too short")]
    Short(usize),
    /// Another ABI version.
    #[error("a ring record of ABI version {0}; this daemon reads {ABI_VERSION}")]
    Version(u8),
    /// An unknown kind of event.
    #[error("a ring record of unknown kind {0}")]
    Kind(u8),
    /// An unknown flow reason or direction.
    #[error("a ring record with unknown detail {0}")]
    Detail(u8),
    /// An unknown layer-7 protocol.
    #[error("a chunk of unknown protocol {0}")]
    Protocol(u8),
    /// A tape longer than a chunk can hold.
    #[error("a chunk with a tape of {0} bytes, longer than any")]
    TapeLength(usize),
    /// A key that is of neither IPv4 nor IPv6.
    #[error("a ring record with a flow key of family {0}")]
    Family(u8),
}

impl DecodeError {
    /// Name in counters.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Short(_) => "short",
            Self::Version(_) => "version",
            Self::Kind(_) => "kind",
            Self::Detail(_) => "detail",
            Self::Protocol(_) => "protocol",
            Self::TapeLength(_) => "tape_length",
            Self::Family(_) => "family",
        }
    }

    /// Every label.
    pub const LABELS: [&'static str; 7] = [
        "short",
        "version",
        "kind",
        "detail",
        "protocol",
        "tape_length",
        "family",
    ];
}

/// Structures that any bytes make a valid value of: integers and arrays of them, `repr(C)`.
///
/// # Safety
/// Every bit pattern must be a valid value.
unsafe trait Plain: Copy {}
// SAFETY: integers and arrays of integers only, by their definition in sensor-common.
unsafe impl Plain for EventHeader {}
// SAFETY: as above.
unsafe impl Plain for ChunkHeader {}
// SAFETY: as above.
unsafe impl Plain for FlowEvent {}

fn read<T: Plain>(bytes: &[u8]) -> Result<T, DecodeError> {
    if bytes.len() < size_of::<T>() {
        return Err(DecodeError::Short(bytes.len()));
    }
    // SAFETY: the length was checked, the read needs no alignment, and any bytes are a valid `T`.
    Ok(unsafe { bytes.as_ptr().cast::<T>().read_unaligned() })
}

/// Decodes one ring record. Bytes after it are ignored: the ring rounds lengths up.
///
/// # Errors
/// [`DecodeError`] says what is wrong.
pub fn decode(bytes: &[u8]) -> Result<RingEvent<'_>, DecodeError> {
    let header: EventHeader = read(bytes)?;
    if header.version != ABI_VERSION {
        return Err(DecodeError::Version(header.version));
    }
    match EventKind::try_from(header.kind).map_err(DecodeError::Kind)? {
        EventKind::Flow => {
            let event: FlowEvent = read(bytes)?;
            let reason = FlowReason::try_from(header.detail).map_err(DecodeError::Detail)?;
            check_key(&event.key)?;
            Ok(RingEvent::Flow {
                reason,
                event: Box::new(event),
            })
        }
        kind @ (EventKind::Chunk | EventKind::Notice) => {
            let chunk: ChunkHeader = read(bytes)?;
            // ARP has no key.
            if kind == EventKind::Chunk || chunk.key != FlowKey::EMPTY {
                check_key(&chunk.key)?;
            }
            let direction = match header.detail {
                0 => Direction::AToB,
                1 => Direction::BToA,
                other => return Err(DecodeError::Detail(other)),
            };
            if Protocol::from_index(header.protocol) as u8 != header.protocol {
                return Err(DecodeError::Protocol(header.protocol));
            }
            let length = usize::from(chunk.tape_len);
            if length > tape::ROOM {
                return Err(DecodeError::TapeLength(length));
            }
            let start = size_of::<ChunkHeader>();
            let tape = bytes
                .get(start..start + length)
                .ok_or(DecodeError::Short(bytes.len()))?;
            Ok(if kind == EventKind::Chunk {
                RingEvent::Chunk {
                    header: chunk,
                    direction,
                    tape,
                }
            } else {
                RingEvent::Notice {
                    header: chunk,
                    direction,
                    tape,
                }
            })
        }
    }
}

const _: () = {
    assert!(offset_of!(FlowEvent, header) == 0);
    assert!(offset_of!(ChunkHeader, header) == 0);
};

fn check_key(key: &FlowKey) -> Result<(), DecodeError> {
    match key.family {
        4 | 6 => Ok(()),
        other => Err(DecodeError::Family(other)),
    }
}
