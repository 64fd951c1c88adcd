//! One direction of a flow: its features.

use super::{
    bins::{INTERVAL_BINS, SIZE_BINS, bump, interval_bin, size_bin},
    order::{AHEAD, DAMAGED, FINISHED, LOST, Order, STRAY, STRAY_SYN, distance},
};
use crate::{
    layer7::Stream,
    packet::TCP_PSH,
    time::{micros, since},
};

/// Copies of a packet that a mirror delivers beside it at most: one for each of the ports that it passes.
pub(super) const COPIES: u8 = 2;

/// One direction of a flow. Lengths are of the IP packet, headers included, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Half {
    /// Packets.
    pub packets: u64,
    /// Bytes of the IP packets.
    pub bytes: u64,
    /// Bytes of transport payload.
    pub payload: u64,
    /// Sum of squares of the packet lengths.
    pub length_squares: u64,
    /// Sum of squares of the inter-arrival times, microseconds squared; each time at most `u32::MAX`.
    pub interval_squares: u64,
    /// Time of the first packet, nanoseconds.
    pub first: u64,
    /// Time of the last packet, nanoseconds.
    pub last: u64,
    /// Fingerprint of the last packet, by which a duplicate is known.
    pub fingerprint: u64,
    /// Where this direction stands in its TCP stream and its layer-7 protocol.
    pub stream: Stream,
    /// How its receiver takes its segments.
    pub order: Order,
    /// Least inter-arrival time, microseconds; `u32::MAX` before the second packet.
    pub interval_min: u32,
    /// Greatest inter-arrival time, microseconds.
    pub interval_max: u32,
    /// Segments whose bytes had all been seen.
    pub retransmissions: u32,
    /// Segments that began beyond the byte expected next.
    pub gaps: u32,
    /// Copies that the mirror delivered twice, left out of all else here.
    pub duplicates: u32,
    /// Segments with PSH.
    pub push: u32,
    /// Packets by length.
    pub sizes: [u32; SIZE_BINS],
    /// Inter-arrival times by length.
    pub intervals: [u32; INTERVAL_BINS],
    /// Least packet length.
    pub length_min: u16,
    /// Greatest packet length.
    pub length_max: u16,
    /// Segments with SYN.
    pub syn: u16,
    /// Segments with FIN.
    pub fin: u16,
    /// Segments with RST.
    pub rst: u16,
    /// Least TCP window as sent (unscaled).
    pub window_min: u16,
    /// Greatest TCP window as sent.
    pub window_max: u16,
    /// All TCP flags seen, or-ed.
    pub tcp_flags: u8,
    /// Least time to live or hop limit.
    pub ttl_min: u8,
    /// Greatest time to live or hop limit.
    pub ttl_max: u8,
    /// Always zero.
    pub pad: [u8; 5],
}

impl Half {
    /// A direction without a packet.
    pub const EMPTY: Self = Self {
        packets: 0,
        bytes: 0,
        payload: 0,
        length_squares: 0,
        interval_squares: 0,
        first: 0,
        last: 0,
        fingerprint: 0,
        stream: Stream::EMPTY,
        order: Order::EMPTY,
        interval_min: 0,
        interval_max: 0,
        retransmissions: 0,
        gaps: 0,
        duplicates: 0,
        push: 0,
        sizes: [0; SIZE_BINS],
        intervals: [0; INTERVAL_BINS],
        length_min: 0,
        length_max: 0,
        syn: 0,
        fin: 0,
        rst: 0,
        window_min: 0,
        window_max: 0,
        tcp_flags: 0,
        ttl_min: 0,
        ttl_max: 0,
        pad: [0; 5],
    };

    /// True if bytes of the direction were left out of which no chunk told: what was kept was not read, something never
    /// came, or the FIN comes after more than what came.
    #[must_use]
    pub const fn is_damaged(&self) -> bool {
        let next = self.stream.next_sequence;
        self.order.held != 0
            || self.order.is(AHEAD | DAMAGED)
            || (self.order.is(FINISHED) && distance(self.order.end, next) > 0)
    }

    /// Nanoseconds between the first and the last packet.
    #[must_use]
    pub const fn duration(&self) -> u64 {
        self.last.saturating_sub(self.first)
    }

    /// Adds a packet that is no duplicate.
    #[inline(always)]
    pub(crate) fn add(&mut self, seen: Seen) {
        if self.packets == 0 {
            let short = seen.short();
            self.first = seen.time;
            self.length_min = short;
            self.length_max = short;
            self.ttl_min = seen.ttl;
            self.ttl_max = seen.ttl;
            self.window_min = seen.window;
            self.window_max = seen.window;
            self.interval_min = u32::MAX;
            self.sum(seen);
        } else {
            self.add_next(seen);
        }
    }

    /// The same for any packet but the first.
    #[inline(always)]
    pub(crate) fn add_next(&mut self, seen: Seen) {
        let micros = micros(since(seen.time, self.last));
        self.interval_squares = self
            .interval_squares
            .wrapping_add(u64::from(micros) * u64::from(micros));
        if micros < self.interval_min {
            self.interval_min = micros;
        }
        if micros > self.interval_max {
            self.interval_max = micros;
        }
        bump(&mut self.intervals, interval_bin(micros));
        let short = seen.short();
        if short < self.length_min {
            self.length_min = short;
        }
        if short > self.length_max {
            self.length_max = short;
        }
        if seen.ttl < self.ttl_min {
            self.ttl_min = seen.ttl;
        }
        if seen.ttl > self.ttl_max {
            self.ttl_max = seen.ttl;
        }
        if seen.window < self.window_min {
            self.window_min = seen.window;
        }
        if seen.window > self.window_max {
            self.window_max = seen.window;
        }
        self.sum(seen);
    }

    /// Adds the flags of a TCP segment.
    #[inline(always)]
    pub(crate) fn add_flags(&mut self, flags: u8) {
        self.tcp_flags |= flags;
        if flags & TCP_PSH != 0 {
            self.push += 1;
        }
    }

    /// True if a packet with the last one's fingerprint is a copy that a mirror made, not one that was sent again: mirrors
    /// deliver each packet [`COPIES`] times more at most.
    #[inline(always)]
    pub(super) fn is_another_copy(&mut self, fingerprint: u64) -> bool {
        let order = &mut self.order;
        if order.copied != fingerprint as u32 {
            order.copied = fingerprint as u32;
            order.copies = 0;
        }
        let is_copy = order.copies < COPIES;
        order.copies += u8::from(is_copy);
        is_copy
    }

    /// Forgets what segments said whose checksums were wrong, though no right one had come before.
    #[inline(always)]
    pub(super) fn forget_order(&mut self) {
        self.stream.forget();
        self.stream.unknow();
        self.order = Order {
            good: 1,
            ignored: u32::from(self.order.bad),
            copied: self.order.copied,
            copies: self.order.copies,
            ..Order::EMPTY
        };
        self.syn = 0;
        self.fin = 0;
        self.rst = 0;
    }

    #[inline(always)]
    fn sum(&mut self, seen: Seen) {
        let length = seen.length;
        self.last = seen.time;
        self.packets += 1;
        self.bytes += u64::from(length);
        self.payload += u64::from(seen.payload);
        self.length_squares = self
            .length_squares
            .wrapping_add(u64::from(length) * u64::from(length));
        bump(&mut self.sizes, size_bin(length));
    }
}

impl Default for Half {
    fn default() -> Self {
        Self::EMPTY
    }
}

/// What a direction's features take from a packet.
#[derive(Clone, Copy)]
pub(crate) struct Seen {
    /// Nanoseconds.
    pub(crate) time: u64,
    /// Length of the IP packet.
    pub(crate) length: u32,
    /// Length of the transport payload.
    pub(crate) payload: u32,
    /// Time to live or hop limit.
    pub(crate) ttl: u8,
    /// TCP window, unscaled.
    pub(crate) window: u16,
}

impl Seen {
    #[inline(always)]
    const fn short(self) -> u16 {
        if self.length > 0xffff {
            0xffff
        } else {
            self.length as u16
        }
    }
}

/// Both halves of a flow, of the sender first.
#[inline(always)]
pub(super) const fn halves(directions: &mut [Half; 2], b_sends: bool) -> (&mut Half, &mut Half) {
    let [a, b] = directions;
    if b_sends { (b, a) } else { (a, b) }
}

/// Gives up the place in the protocol, at `to`.
#[inline(always)]
pub(super) fn jump(half: &mut Half, to: u32) {
    half.stream.next_sequence = to;
    half.stream.forget();
    half.order.unread = to;
    half.order.flags = half.order.flags & !(STRAY | STRAY_SYN | LOST) | DAMAGED;
}
