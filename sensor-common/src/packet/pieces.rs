//! Fragments of an IP packet that come one after the other: what a later one carries goes on where the first ended.
//!
//! Nothing is kept of what fragments carry, only what the first says of the packet; so a fragment that comes out of turn,
//! overlaps another, or whose first is too short for the headers, is not joined, and counts in a flow without ports.

use super::{Packet, TCP_FIN, TCP_RST, TCP_SYN, protocol};
use crate::bytes::Frame;

/// Packets of which fragments are awaited at a time; a power of two.
const AWAITED: usize = 4;

/// Where a fragment stands in its packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Fragment {
    /// Which packet it is of, a hash of addresses, protocol and identification; 0: the packet is whole.
    pub(crate) of: u64,
    /// Bytes of the packet before it.
    pub(crate) place: u32,
    /// Bytes of the packet in it.
    pub(crate) length: u32,
    /// Where they begin in the frame.
    pub(crate) start: u32,
    pad: u32,
}

impl Fragment {
    /// None.
    pub(crate) const NONE: Self = Self {
        of: 0,
        place: 0,
        length: 0,
        start: 0,
        pad: 0,
    };

    /// One of the packet that these words tell from others.
    #[inline(always)]
    pub(crate) const fn new(words: [u64; 3], place: u32, length: u32, start: u32) -> Self {
        let [one, two, three] = words;
        let mixed = (one ^ three.wrapping_mul(0x9e37_79b9_7f4a_7c15))
            .wrapping_mul(0xbf58_476d_1ce4_e5b9)
            ^ two;
        let of = mixed.wrapping_mul(0x94d0_49bb_1331_11eb) | 1;
        Self {
            of,
            place,
            length,
            start,
            pad: 0,
        }
    }
}

/// A packet of which fragments are awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
struct Awaited {
    /// The packet as it goes on.
    packet: Packet,
    /// [`Fragment::of`]; 0: none is awaited.
    of: u64,
    /// Bytes of it so far.
    next: u32,
    /// Bytes of the payload to come; [`u32::MAX`] where the headers do not say it.
    left: u32,
    /// TCP flags that take effect behind the payload.
    end: u8,
    pad: [u8; 7],
}

/// What a CPU awaits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Pieces {
    awaited: [Awaited; AWAITED],
    turn: u32,
    pad: u32,
}

impl Pieces {
    /// Nothing.
    pub const NONE: Self = Self {
        awaited: [Awaited {
            packet: Packet::EMPTY,
            of: 0,
            next: 0,
            left: 0,
            end: 0,
            pad: [0; 7],
        }; AWAITED],
        turn: 0,
        pad: 0,
    };

    /// Makes of a later fragment the packet that it goes on, true; or remembers the packet of a first one.
    #[inline(always)]
    pub(crate) fn take<F: Frame>(&mut self, frame: &F, packet: &mut Packet) -> bool {
        let fragment = packet.fragment;
        let mut place = AWAITED;
        for (at, awaited) in self.awaited.iter().enumerate() {
            if awaited.of == fragment.of {
                place = at;
                break;
            }
        }
        if packet.is_later_fragment() {
            if place == AWAITED {
                return false;
            }
            return match self.awaited.get_mut(place & (AWAITED - 1)) {
                Some(awaited) => awaited.go_on(frame, packet),
                None => false,
            };
        }
        if place == AWAITED {
            place = self.turn as usize;
            self.turn = self.turn.wrapping_add(1);
        }
        if let Some(awaited) = self.awaited.get_mut(place & (AWAITED - 1)) {
            awaited.begin(packet);
        }
        false
    }
}

impl Awaited {
    /// Remembers the packet of a first fragment, and leaves to the packet what is in it.
    #[inline(always)]
    fn begin(&mut self, packet: &mut Packet) {
        let fragment = packet.fragment;
        self.of = 0;
        let tcp = packet.protocol == protocol::TCP;
        if !tcp && packet.protocol != protocol::UDP {
            return;
        }
        let here = (fragment.start + fragment.length).saturating_sub(packet.offset);
        self.left = if packet.has_more_fragments() {
            u32::MAX
        } else if packet.payload_length > here {
            // Each fragment counts with what is in it.
            packet.ip_length -= packet.payload_length - here;
            packet.payload_length - here
        } else {
            return;
        };
        if packet.payload_length > here {
            packet.payload_length = here;
        }
        if packet.payload_captured > here {
            packet.payload_captured = here;
        }
        self.end = packet.tcp_flags & TCP_FIN;
        packet.tcp_flags &= !TCP_FIN;
        self.of = fragment.of;
        self.next = fragment.length;
        self.packet = *packet;
        self.packet.sequence = packet
            .sequence
            .wrapping_add(packet.payload_length + packet.syn_length());
        self.packet.tcp_flags &= !(TCP_SYN | TCP_RST);
        self.packet.fingerprint = 0;
    }

    /// Makes of the next fragment the packet that goes on.
    #[inline(always)]
    fn go_on<F: Frame>(&mut self, frame: &F, packet: &mut Packet) -> bool {
        let fragment = packet.fragment;
        if self.next != fragment.place {
            return false;
        }
        let (offset, length, last) = (
            packet.offset,
            packet.ip_length,
            !packet.has_more_fragments(),
        );
        let mut payload = packet.payload_length;
        let whole = self.left != u32::MAX;
        *packet = self.packet;
        if whole {
            if payload > self.left {
                payload = self.left;
            }
            self.left -= payload;
        }
        packet.ip_length = if whole { payload } else { length };
        packet.offset = offset;
        packet.payload_length = payload;
        let there = frame.len().saturating_sub(offset);
        packet.payload_captured = if there < payload { there } else { payload };
        packet.first_byte = if packet.payload_captured > 0 {
            frame.u8(offset).unwrap_or(0)
        } else {
            0
        };
        packet.forget_flags();
        packet.mark_continuation();
        self.next = self.next.wrapping_add(fragment.length);
        self.packet.sequence = self.packet.sequence.wrapping_add(payload);
        if last || (whole && self.left == 0) {
            packet.tcp_flags |= self.end;
            self.of = 0;
        }
        true
    }
}
