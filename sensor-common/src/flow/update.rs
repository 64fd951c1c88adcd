//! Taking a packet into its flow: updates the features, and returns what the engine has to do next.

use super::{
    ESTABLISHED, FIRST_PAYLOADS, Flow, IDLE_MIN,
    direction::{Half, Seen},
};
use crate::{
    bytes::Frame,
    packet::{Packet, Sum},
    parse::segment::Segment,
    registry::Topic,
    time::since,
};

/// A flow event is sent at each power of two of packets from this one on.
pub const SNAPSHOT_FROM: u64 = 8;
/// A flow seen in one direction only counts as established from this many packets on.
pub const ONE_SIDED_ESTABLISHED: u64 = 8;
/// A copy of a packet comes within this many nanoseconds of it; a retransmission takes longer, its least
/// time-out being 200 ms (RFC 6298 asks for 1 s, Linux has `TCP_RTO_MIN` at HZ/5).
pub const DUPLICATE_WINDOW: u64 = 10_000_000;

/// What follows from taking a packet into a flow; bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Edges(u32);

impl Edges {
    /// The packet was a duplicate.
    pub const DUPLICATE: u32 = 1;
    /// The flow reached a power of two of packets.
    pub const SNAPSHOT: u32 = 2;
    /// The flow was closed by this packet.
    pub const CLOSED: u32 = 4;
    /// The payload has to go through the layer-7 reader.
    pub const INSPECT: u32 = 8;
    /// The flow fulfils the conditions of an established flow.
    pub const ESTABLISHED: u32 = 16;
    /// The segment begins beyond the byte expected next.
    pub const GAP: u32 = 32;
    /// The packet says something of hosts: [`crate::notice`].
    pub const NOTICE: u32 = 64;
    /// The payload came before what it follows.
    pub const HOLD: u32 = 128;
    /// What was kept of the sender's direction may be read now.
    pub const SETTLE: u32 = 256;
    /// The same of the other direction.
    pub const SETTLE_OTHER: u32 = 512;
    /// Bytes were left out, as the other side acknowledges what the sensor did not see.
    pub const JUMP: u32 = 1_024;
    /// A segment came after it was given up.
    pub const LATE: u32 = 2_048;
    /// The receiver discards it: a checksum is wrong.
    pub const BAD_CHECKSUM: u32 = 4_096;
    /// It discards it: SYN with FIN or RST, or no ACK.
    pub const BAD_FLAGS: u32 = 8_192;
    /// It discards it: outside of the window.
    pub const OUT_OF_WINDOW: u32 = 16_384;
    /// It discards it: a reset that is not at the number expected next.
    pub const RESET_IGNORED: u32 = 32_768;
    /// It discards it: a SYN within a connection.
    pub const SYN_IGNORED: u32 = 65_536;
    /// A SYN came again.
    pub const AGAIN: u32 = 131_072;
    /// It has an urgent pointer.
    pub const URGENT: u32 = 262_144;
    /// Something about the segment is counted.
    pub(crate) const ODD: u32 = Self::GAP
        | Self::JUMP
        | Self::LATE
        | Self::BAD_FLAGS
        | Self::OUT_OF_WINDOW
        | Self::RESET_IGNORED
        | Self::SYN_IGNORED
        | Self::URGENT;

    /// As a number, for a call across a verifier boundary.
    #[inline(always)]
    #[must_use]
    pub const fn to_code(self) -> u32 {
        self.0
    }

    /// From such a number.
    #[inline(always)]
    #[must_use]
    pub const fn of_code(code: u32) -> Self {
        Self(code)
    }

    /// True if nothing follows.
    #[inline(always)]
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// True if any bit of `edges` is set.
    #[inline(always)]
    #[must_use]
    pub const fn has(self, edges: u32) -> bool {
        self.0 & edges != 0
    }
}

/// The direction of who sends.
#[inline(always)]
const fn sender(directions: &mut [Half; 2], b_sends: bool) -> &mut Half {
    let [a, b] = directions;
    if b_sends { b } else { a }
}

impl Flow {
    /// Takes the next segment of an established flow in, one without SYN, FIN and RST, if nothing follows from it and all
    /// that it changes are numbers: not the first of its direction, none of the payloads that are kept, no duplicate, no
    /// gap, no bytes for a reader, nothing open in the order of its segments, no power of two of packets, no silence before it that may have ended the flow. Then it
    /// does what [`Flow::update`] does; otherwise nothing, and says false.
    ///
    /// This is what happens to nearly all packets, in three quarters of the instructions.
    #[inline(always)]
    pub fn follow<F: Frame + Copy>(&mut self, segment: &Segment<F>, now: u64) -> bool {
        // One after the other, so that little has to be kept at a time.
        if since(now, self.last()) > IDLE_MIN {
            return false;
        }
        let after = self.packets() + 1;
        if after & after.wrapping_sub(1) == 0 {
            return false;
        }
        let half = sender(&mut self.directions, segment.b_sends);
        let payload = segment.payload();
        if half.order.plain == 0
            || (payload > 0
                && (self.first_count < FIRST_PAYLOADS as u32 || !half.stream.awaits(segment)))
        {
            return false;
        }
        let fingerprint = segment.fingerprint();
        if half.fingerprint == fingerprint && fingerprint != 0 {
            return false;
        }
        half.fingerprint = fingerprint;
        if payload > 0 {
            half.stream.follow(payload);
        }
        half.add_flags(segment.flags());
        half.add_next(Seen {
            time: now,
            length: segment.ip_length(),
            payload,
            ttl: segment.ttl(),
            window: segment.window(),
        });
        true
    }

    /// Takes a packet in and says what follows; of TCP one that is not [special](Flow::is_special).
    #[inline(always)]
    pub fn update(&mut self, packet: &mut Packet, now: u64) -> Edges {
        let b_sends = packet.direction & 1 == 1;
        let mut edges = 0;
        if packet.sum == Sum::Wrong as u8 {
            // Only what says something of hosts was examined.
            return Edges(Edges::BAD_CHECKSUM);
        }
        let half = sender(&mut self.directions, b_sends);
        if half.takes_for_copy(packet, now) {
            return Edges(Edges::DUPLICATE);
        }
        if packet.is_tcp() {
            half.add_flags(packet.tcp_flags);
            if packet.payload_length > 0 {
                half.stream.follow(packet.payload_length);
            }
        } else if packet.topic() != Topic::None as u8 {
            edges |= Edges::NOTICE;
        }
        self.conclude(packet, edges)
    }

    /// Adds a [special](Flow::is_special) TCP segment, which was [examined](crate::engine::examine), to the features; what
    /// it says of the connection is for [`Flow::segment`], unless this says that it changes nothing.
    #[inline(always)]
    pub(crate) fn admit(&mut self, packet: &Packet, now: u64) -> Edges {
        let half = sender(&mut self.directions, packet.direction & 1 == 1);
        if half.order.discards(packet, half.stream.next_sequence) {
            return Edges(Edges::BAD_CHECKSUM);
        }
        if half.takes_for_copy(packet, now) {
            return Edges(Edges::DUPLICATE);
        }
        half.add_flags(packet.tcp_flags);
        Edges(0)
    }

    /// What all packets change.
    #[inline(always)]
    pub(crate) fn conclude(&mut self, packet: &Packet, edges: u32) -> Edges {
        let mut edges = edges;
        let b_sends = packet.direction & 1 == 1;
        if sender(&mut self.directions, b_sends).packets == 1 {
            self.came_from(packet.macs.source(), b_sends);
        }
        if packet.payload_length > 0 && self.first_count < FIRST_PAYLOADS as u32 {
            let size = if packet.payload_length > 0x7fff {
                0x7fff
            } else {
                packet.payload_length as i16
            };
            if let Some(slot) = self.first_payloads.get_mut(self.first_count as usize) {
                *slot = if b_sends { -size } else { size };
            }
            self.first_count += 1;
        }
        let total = self.packets();
        if total & total.wrapping_sub(1) == 0 && total >= SNAPSHOT_FROM {
            edges |= Edges::SNAPSHOT;
        }
        if self.flags & ESTABLISHED == 0 && self.is_proven() {
            edges |= Edges::ESTABLISHED;
        }
        Edges(edges)
    }
}

impl Half {
    /// True for a copy that a mirror made, which is counted; any other packet adds to the features.
    #[inline(always)]
    fn takes_for_copy(&mut self, packet: &Packet, now: u64) -> bool {
        if self.fingerprint == packet.fingerprint
            && packet.fingerprint != 0
            && since(now, self.last) <= DUPLICATE_WINDOW
            && self.is_another_copy(packet.fingerprint)
        {
            self.duplicates += 1;
            return true;
        }
        self.fingerprint = packet.fingerprint;
        self.add(Seen {
            time: now,
            length: packet.ip_length,
            payload: packet.payload_length,
            ttl: packet.ttl,
            window: packet.window,
        });
        false
    }
}
