//! One direction of a TCP connection: where it stands in sequence space, and in its layer-7 protocol.

use core::ptr;

use super::reason::Reason;
use crate::{
    bytes::Frame,
    packet::Packet,
    parse::segment::Segment,
    registry::{Protocol, State, Tag},
};

/// Flag: `next_sequence` is known.
const KNOWN: u8 = 1;
/// Flag: the run is copied, not skipped.
pub(crate) const COPY: u8 = 2;
/// Flag: bytes of the current copied run were lost.
pub(crate) const HOLE: u8 = 4;
/// Flag: HL7, the block is a batch, so every segment's name is of interest.
pub(crate) const BATCH: u8 = 8;
/// Flag: HL7, the first segment of the block or of its message is still to come; DICOM, the command's first element.
pub(crate) const AT_START: u8 = 16;
/// Flag: DICOM, an association or a command set was read to here without losing the place.
pub(crate) const PROVEN: u8 = 32;
/// Flag: the place was lost, or was not found yet; `data_bytes` says where and why.
pub(crate) const LOST: u8 = 64;
/// Flag: the direction's first segments, in which a protocol may begin after something else.
pub(crate) const EARLY: u8 = 128;

/// Mode of any protocol: the end of the run is not the end of the record.
pub(crate) const MORE: u8 = 128;

/// Bytes of content that can be held over from one segment to the next. No header needs them all: DICOM keeps the start of a
/// command element in the last seven while it reads the headers between two fragments of a command set.
pub const CARRY: usize = 13;

/// A direction's place in its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Stream {
    /// DICOM: bytes of the current data set so far. HL7: bytes of the header segment that did not leave the kernel though
    /// they might. With [`LOST`]: the offset at which the place was lost, and the reason's number above it.
    pub data_bytes: u64,
    /// TCP sequence number expected next.
    pub next_sequence: u32,
    /// Payload bytes seen or lost so far, modulo 2^32.
    pub offset: u32,
    /// DICOM: bytes of the PDU after what was read.
    pub pdu_left: u32,
    /// DICOM: bytes of the user information or the presentation data value after what was read.
    pub inner_left: u32,
    /// Bytes left of the run.
    pub run_left: u32,
    /// HL7: bytes of the message so far, or of the text between blocks. DICOM: bytes of the sub-item to skip, or of a command
    /// element's value that come in the next fragment. TLS: bytes of the hello message that are still copied.
    pub length: u32,
    /// Number of the next chunk.
    pub chunk_number: u32,
    /// HL7: fields that may leave the kernel, bit by field number.
    pub field_mask: u16,
    /// [`State`].
    pub state: u8,
    /// [`State`] after the run.
    pub after: u8,
    /// [`Tag`] of the copied run.
    pub tag: u8,
    /// Bytes in `carry`.
    pub held: u8,
    /// DICOM: control byte of the presentation data value. HL7: the field separator.
    pub control: u8,
    /// DICOM: presentation context id. HL7: number of the current field.
    pub context: u8,
    /// Flags of this module.
    pub flags: u8,
    /// Flags of the protocol's reader, and [`MORE`].
    pub mode: u8,
    /// DICOM: bytes of a command element's header at the end of `carry`. Before the protocol is known: segments that were tried.
    pub stash: u8,
    /// Header bytes of earlier segments. They stay here: see [`crate::flow::Flow::concealed`].
    pub carry: [u8; CARRY],
}

impl Stream {
    /// Before the first segment.
    pub const EMPTY: Self = Self {
        data_bytes: 0,
        next_sequence: 0,
        offset: 0,
        pdu_left: 0,
        inner_left: 0,
        run_left: 0,
        length: 0,
        chunk_number: 0,
        field_mask: 0,
        state: State::Begin as u8,
        after: 0,
        tag: 0,
        held: 0,
        control: 0,
        context: 0,
        flags: 0,
        mode: 0,
        stash: 0,
        carry: [0; CARRY],
    };

    /// Copies this to `to`, in words.
    ///
    /// An assignment between two places that may overlap, as far as the compiler knows, calls `memmove`, which goes
    /// byte by byte in the kernel: and the verifier follows it, on every path that leads there.
    #[inline(always)]
    pub(crate) fn copy_to(&self, to: &mut Self) {
        // SAFETY: two references, one of them exclusive, are to different places.
        unsafe { ptr::copy_nonoverlapping(self, to, 1) }
    }
}

/// Its place in sequence space.
impl Stream {
    /// Takes a payload into sequence space, which begins `packet.stream_delta` bytes from what was expected; true if it has to
    /// go through the reader. The fast path of a skipped run needs nothing else.
    #[inline(always)]
    pub(crate) fn take(&mut self, packet: &Packet) -> bool {
        let payload = packet.payload_length;
        self.next_sequence = packet.sequence.wrapping_add(payload);
        if packet.stream_delta == 0 && self.is_skipping(payload) {
            self.run_left -= payload;
            self.offset = self.offset.wrapping_add(payload);
            return false;
        }
        let inspect = self.state != State::Done as u8
            && (self.state != State::Probe as u8 || Protocol::any_may_begin(packet.first_byte));
        if !inspect {
            self.offset = self
                .offset
                .wrapping_add(payload.wrapping_add_signed(packet.stream_delta));
        }
        inspect
    }

    /// True if no more follows from a segment without SYN, FIN and RST than [`Stream::follow`] does: its payload is what is
    /// expected next, and no reader wants it.
    #[inline(always)]
    pub(crate) fn awaits<F: Frame + Copy>(&self, segment: &Segment<F>) -> bool {
        self.flags & KNOWN != 0
            && segment.sequence() == self.next_sequence
            && if self.state == State::Probe as u8 {
                !Protocol::any_may_begin(segment.first_byte())
            } else {
                self.state == State::Done as u8 || self.is_skipping(segment.payload())
            }
    }

    /// The same of a packet.
    #[inline(always)]
    pub(crate) fn expects(&self, packet: &Packet) -> bool {
        self.flags & KNOWN != 0
            && packet.sequence == self.next_sequence
            && if self.state == State::Probe as u8 {
                !Protocol::any_may_begin(packet.first_byte)
            } else {
                self.state == State::Done as u8 || self.is_skipping(packet.payload_length)
            }
    }

    /// Takes a segment with so many bytes of payload, which it [awaits](Stream::awaits).
    #[inline(always)]
    pub(crate) fn follow(&mut self, payload: u32) {
        if self.state == State::Run as u8 {
            self.run_left -= payload;
        }
        self.next_sequence = self.next_sequence.wrapping_add(payload);
        self.offset = self.offset.wrapping_add(payload);
    }

    /// True if the next `payload` bytes are skipped and are not the last of their run.
    #[inline(always)]
    const fn is_skipping(&self, payload: u32) -> bool {
        self.state == State::Run as u8 && self.flags & COPY == 0 && self.run_left > payload
    }

    /// True once a sequence number is expected.
    #[inline(always)]
    pub(crate) const fn is_known(&self) -> bool {
        self.flags & KNOWN != 0
    }

    /// Expects this number next.
    #[inline(always)]
    pub(crate) fn start(&mut self, sequence: u32) {
        self.flags |= KNOWN;
        self.next_sequence = sequence;
    }

    /// Expects no number any more.
    #[inline(always)]
    pub(crate) fn unknow(&mut self) {
        self.flags &= !KNOWN;
    }

    /// True before a protocol was recognised, and after its place was lost.
    #[inline(always)]
    pub(crate) const fn is_probing(&self) -> bool {
        self.state == State::Probe as u8
            || self.state == State::Begin as u8
            || (self.flags & EARLY != 0 && self.state == State::Hl7Start as u8)
    }

    /// True if so many bytes can be missing, or come in any order, without harm.
    #[inline(always)]
    pub(crate) const fn survives(&self, bytes: u32) -> bool {
        self.state == State::Done as u8 || self.is_skipping(bytes)
    }

    /// Gives up what was read of a connection that is no more.
    #[inline(always)]
    pub(crate) fn forget(&mut self) {
        self.set(State::Begin);
        self.held = 0;
        self.data_bytes = 0;
        self.mode = 0;
        self.stash = 0;
        self.flags &= KNOWN;
    }

    /// Gives up the place in the protocol, at `offset`; the bytes from there on count as not read until a unit of the protocol
    /// is found. A place that was lost already stays where it is.
    #[inline(always)]
    pub(crate) fn lose_place(&mut self, reason: Reason, offset: u32) {
        self.set(State::Probe);
        self.held = 0;
        self.mode = 0;
        self.inner_left = 0;
        self.flags &= !PROVEN;
        if self.flags & LOST == 0 {
            self.flags |= LOST;
            self.data_bytes = (reason as u64) << 32 | u64::from(offset);
        }
    }

    /// The bytes since the place was lost, and the reason's number; `None` while the place is known.
    #[inline(always)]
    #[must_use]
    pub const fn unread(&self, offset: u32) -> Option<(u8, u32)> {
        if self.flags & LOST == 0 {
            return None;
        }
        Some((
            (self.data_bytes >> 32) as u8,
            offset.wrapping_sub(self.data_bytes as u32),
        ))
    }

    /// DICOM: bytes of a data set whose end did not come.
    #[must_use]
    pub const fn open_data(&self) -> u64 {
        if self.flags & LOST != 0 || !self.is_of_dicom() {
            return 0;
        }
        let expected = if self.state == State::Run as u8 && self.flags & COPY == 0 {
            self.run_left as u64
        } else {
            0
        };
        self.data_bytes.saturating_sub(expected)
    }

    /// DICOM: true in the midst of a PDU, whose rest did not come.
    #[must_use]
    pub const fn is_in_pdu(&self) -> bool {
        self.flags & LOST == 0
            && self.is_of_dicom()
            && (self.state != State::DicomPdu as u8 || self.held > 0)
    }

    const fn is_of_dicom(&self) -> bool {
        let state = if self.state == State::Run as u8 {
            self.after
        } else {
            self.state
        };
        Protocol::Dicom.first_state() <= state && state <= Protocol::Dicom.last_state()
    }

    pub(crate) fn set(&mut self, state: State) {
        self.state = state as u8;
    }

    /// Begins to skip `length` bytes, then goes on in `after`.
    #[inline(always)]
    pub(crate) fn skip(&mut self, length: u32, after: State) {
        self.run(length, after);
        self.flags &= !COPY;
    }

    /// Begins to copy `length` bytes as the rest of a record, then goes on in `after`.
    #[inline(always)]
    pub(crate) fn copy(&mut self, tag: Tag, length: u32, after: State) {
        self.run(length, after);
        self.tag = tag as u8;
        self.flags |= COPY;
    }

    #[inline(always)]
    fn run(&mut self, length: u32, after: State) {
        self.run_left = length;
        self.after = after as u8;
        self.state = if length == 0 {
            after as u8
        } else {
            State::Run as u8
        };
        self.flags &= !HOLE;
        self.mode &= !MORE;
    }

    /// True with every bit of `flag` set.
    #[inline(always)]
    pub(crate) const fn is(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// True with every bit of `mode` set.
    #[inline(always)]
    pub(crate) const fn has(&self, mode: u8) -> bool {
        self.mode & mode != 0
    }
}
