//! The flow entry: features of a conversation, per direction, in integers only.
//!
//! One direction of a flow is written by one CPU at a time, because a NIC's hash sends the packets of
//! one direction to one queue; so no atomic operation is needed on the fast path. Where a mirror
//! delivers one direction on two queues, updates can be lost; the per-CPU counters stay exact.

use crate::{
    packet::{Packet, TCP_ACK, TCP_FIN, TCP_PSH, TCP_RST, TCP_SYN},
    settings::Settings,
    stream::{Protocol, Stream},
};

/// A flow event is sent at each power of two of packets from this one on.
pub const SNAPSHOT_FROM: u64 = 8;
/// A flow seen in one direction only counts as established from this many packets on.
pub const ONE_SIDED_ESTABLISHED: u64 = 8;
/// A copy of a packet comes within this many nanoseconds of it; a retransmission takes longer, its least
/// time-out being 200 ms (RFC 6298 asks for 1 s, Linux has `TCP_RTO_MIN` at HZ/5).
pub const DUPLICATE_WINDOW: u64 = 10_000_000;
/// Payload sizes kept from a flow's start.
pub const FIRST_PAYLOADS: usize = 8;
/// Bins of the size histogram: below 64 bytes, then one a power of two, the last from 4096 on.
pub const SIZE_BINS: usize = 8;
/// Bins of the inter-arrival histogram: bin `i` holds `4^i` to `4^(i+1)` microseconds, the first from 0.
pub const INTERVAL_BINS: usize = 16;

/// Flow flag: endpoint B opened the conversation.
pub const INITIATOR_B: u8 = 1;
/// Flow flag: the opening handshake was not seen (or the protocol has none).
pub const MIDSTREAM: u8 = 2;
/// Flow flag: a reset was seen.
pub const RESET: u8 = 4;
/// Flow flag: FIN from A to B was seen.
pub const FIN_A: u8 = 8;
/// Flow flag: FIN from B to A was seen.
pub const FIN_B: u8 = 16;
/// Flow flag: in the table of established flows.
pub const ESTABLISHED: u8 = 32;
/// Flow flag: made of fragments without ports.
pub const FRAGMENTS: u8 = 64;

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

/// A conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Flow {
    /// Time of the first packet, nanoseconds.
    pub start: u64,
    /// Interface index of the first packet.
    pub interface: u32,
    /// [`INITIATOR_B`] and the flags after it.
    pub flags: u8,
    /// [`Protocol`] recognised by content.
    pub protocol: u8,
    /// VLAN tags of the first packet, 0 to 2; ids in `vlans`, outer first.
    pub vlan_depth: u8,
    /// Tunnels unwrapped, bits of [`crate::packet::Tunnel`].
    pub tunnels: u8,
    /// VLAN ids.
    pub vlans: [u16; 2],
    /// Packets whose payload size is in `first_payloads`.
    pub first_count: u32,
    /// Ethernet address of endpoint A as seen (or of the router before it); zero where unknown.
    pub mac_a: [u8; 6],
    /// Ethernet address of endpoint B.
    pub mac_b: [u8; 6],
    /// The first payload sizes, in bytes, packets without payload left out: positive from A to B,
    /// negative from B to A.
    pub first_payloads: [i16; FIRST_PAYLOADS],
    /// Always zero.
    pub pad: u32,
    /// Both directions, by [`crate::key::Direction`].
    pub directions: [Half; 2],
}

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

    /// True if any bit of `edges` is set.
    #[inline(always)]
    #[must_use]
    pub const fn has(self, edges: u32) -> bool {
        self.0 & edges != 0
    }
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

    /// Adds a packet that is no duplicate.
    #[inline(always)]
    fn add(&mut self, packet: &Packet, now: u64) {
        let length = packet.ip_length;
        let short = if length > 0xffff {
            0xffff
        } else {
            length as u16
        };
        if self.packets == 0 {
            self.first = now;
            self.length_min = short;
            self.length_max = short;
            self.ttl_min = packet.ttl;
            self.ttl_max = packet.ttl;
            self.window_min = packet.window;
            self.window_max = packet.window;
            self.interval_min = u32::MAX;
        } else {
            let micros = micros(now.saturating_sub(self.last));
            self.interval_squares = self
                .interval_squares
                .wrapping_add(u64::from(micros) * u64::from(micros));
            if micros < self.interval_min {
                self.interval_min = micros;
            }
            if micros > self.interval_max {
                self.interval_max = micros;
            }
            bump(&mut self.intervals, log2(micros) / 2);
            if short < self.length_min {
                self.length_min = short;
            }
            if short > self.length_max {
                self.length_max = short;
            }
            if packet.ttl < self.ttl_min {
                self.ttl_min = packet.ttl;
            }
            if packet.ttl > self.ttl_max {
                self.ttl_max = packet.ttl;
            }
            if packet.window < self.window_min {
                self.window_min = packet.window;
            }
            if packet.window > self.window_max {
                self.window_max = packet.window;
            }
        }
        self.last = now;
        self.packets += 1;
        self.bytes += u64::from(length);
        self.payload += u64::from(packet.payload_length);
        self.length_squares = self
            .length_squares
            .wrapping_add(u64::from(length) * u64::from(length));
        bump(&mut self.sizes, size_bin(length));
    }
}

impl Flow {
    /// An entry before its first packet.
    pub const EMPTY: Self = Self {
        start: 0,
        interface: 0,
        flags: 0,
        protocol: 0,
        vlan_depth: 0,
        tunnels: 0,
        vlans: [0; 2],
        first_count: 0,
        mac_a: [0; 6],
        mac_b: [0; 6],
        first_payloads: [0; FIRST_PAYLOADS],
        pad: 0,
        directions: [Half::EMPTY; 2],
    };

    /// Sets the fields that the first packet decides. The rest must be as in [`Flow::EMPTY`].
    #[inline(always)]
    pub fn open(&mut self, packet: &Packet, now: u64) {
        self.start = now;
        self.interface = packet.interface;
        self.vlan_depth = packet.vlan_depth;
        self.vlans = packet.vlans;
        self.tunnels = packet.tunnels;
        let (from, to) = (packet.macs.source(), packet.macs.destination());
        let b_sends = packet.direction & 1 == 1;
        (self.mac_a, self.mac_b) = if b_sends { (to, from) } else { (from, to) };
        // Who opened: the sender of SYN, the receiver of SYN+ACK; else the side with the higher
        // port, else the sender.
        let (b_opened, seen) = if packet.tcp_flags & (TCP_SYN | TCP_ACK) == TCP_SYN {
            (b_sends, true)
        } else if packet.tcp_flags & TCP_SYN != 0 {
            (!b_sends, true)
        } else {
            let (source, destination) = (packet.source_port(), packet.destination_port());
            (b_sends != (source < 1_024 && destination >= 1_024), false)
        };
        self.flags = if b_opened { INITIATOR_B } else { 0 }
            | if seen { 0 } else { MIDSTREAM }
            | if packet.is_later_fragment() {
                FRAGMENTS
            } else {
                0
            };
    }

    /// True once the TCP connection was reset, or FIN came from both ends.
    #[inline(always)]
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.flags & RESET != 0 || self.flags & (FIN_A | FIN_B) == FIN_A | FIN_B
    }

    /// Time of the last packet of either direction.
    #[inline(always)]
    #[must_use]
    pub const fn last(&self) -> u64 {
        let [a, b] = &self.directions;
        if a.last > b.last { a.last } else { b.last }
    }

    /// Packets of both directions, duplicates left out.
    #[inline(always)]
    #[must_use]
    pub const fn packets(&self) -> u64 {
        let [a, b] = &self.directions;
        a.packets + b.packets
    }

    /// The protocol recognised by content.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        Protocol::from_index(self.protocol)
    }

    /// True if the flow is over at `now`: no packet for longer than its idle time.
    #[inline(always)]
    #[must_use]
    pub const fn is_idle(&self, tcp: bool, now: u64, settings: &Settings) -> bool {
        let limit = if !tcp {
            settings.idle_other
        } else if self.is_closed() {
            settings.idle_closed
        } else {
            settings.idle_tcp
        };
        now.saturating_sub(self.last()) > limit
    }

    /// True if `packet` begins a new conversation under this entry's key: an opening SYN after the
    /// connection was closed.
    #[inline(always)]
    #[must_use]
    pub const fn is_reopened_by(&self, packet: &Packet) -> bool {
        packet.tcp_flags & (TCP_SYN | TCP_ACK) == TCP_SYN && self.is_closed()
    }

    /// Takes a packet in and says what follows.
    ///
    /// Leaves in `packet.stream_delta` how far the segment's start lies from the byte that was
    /// expected next.
    #[inline(always)]
    pub fn update(&mut self, packet: &mut Packet, now: u64) -> Edges {
        let mut edges = 0;
        let b_sends = packet.direction & 1 == 1;
        let half = if b_sends {
            &mut self.directions[1]
        } else {
            &mut self.directions[0]
        };

        if half.fingerprint == packet.fingerprint
            && packet.fingerprint != 0
            && now.saturating_sub(half.last) <= DUPLICATE_WINDOW
        {
            half.duplicates += 1;
            return Edges(Edges::DUPLICATE);
        }
        half.fingerprint = packet.fingerprint;
        half.add(packet, now);

        let was_closed = self.flags & RESET != 0 || self.flags & (FIN_A | FIN_B) == FIN_A | FIN_B;
        if packet.is_tcp() {
            let flags = packet.tcp_flags;
            half.tcp_flags |= flags;
            if flags & TCP_PSH != 0 {
                half.push += 1;
            }
            if flags & (TCP_SYN | TCP_FIN | TCP_RST) != 0 {
                if flags & TCP_SYN != 0 {
                    half.syn = half.syn.saturating_add(1);
                }
                if flags & TCP_FIN != 0 {
                    half.fin = half.fin.saturating_add(1);
                    self.flags |= if b_sends { FIN_B } else { FIN_A };
                }
                if flags & TCP_RST != 0 {
                    half.rst = half.rst.saturating_add(1);
                    self.flags |= RESET;
                }
            }
            let place = half.stream.advance(packet);
            if place.repeats {
                half.retransmissions += 1;
            }
            if place.gap {
                half.gaps += 1;
                edges |= Edges::GAP;
            }
            if place.inspect {
                edges |= Edges::INSPECT;
            }
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

        let [a, b] = &self.directions;
        let total = a.packets + b.packets;
        if total >= SNAPSHOT_FROM && total.is_power_of_two() {
            edges |= Edges::SNAPSHOT;
        }
        if !was_closed && self.is_closed() {
            edges |= Edges::CLOSED;
        }
        if self.flags & ESTABLISHED == 0
            && ((a.packets != 0 && b.packets != 0) || total >= ONE_SIDED_ESTABLISHED)
        {
            edges |= Edges::ESTABLISHED;
        }
        Edges(edges)
    }
}

/// Whole microseconds of `nanoseconds`, at most `u32::MAX`.
///
/// Below 2^32 by the reciprocal `ceil(2^38 / 1000)`, exact there ("Hacker's Delight", second edition,
/// section 10-9), since a division costs as much as the rest of the update.
#[inline(always)]
#[must_use]
pub const fn micros(nanoseconds: u64) -> u32 {
    if nanoseconds <= u32::MAX as u64 {
        return ((nanoseconds * 274_877_907) >> 38) as u32;
    }
    let micros = nanoseconds / 1_000;
    if micros > u32::MAX as u64 {
        u32::MAX
    } else {
        micros as u32
    }
}

#[inline(always)]
fn bump<const N: usize>(bins: &mut [u32; N], bin: u32) {
    let last = N as u32 - 1;
    let bin = if bin > last { last } else { bin };
    if let Some(count) = bins.get_mut(bin as usize) {
        *count += 1;
    }
}

/// The bin of [`Half::sizes`] for an IP packet of `length` bytes.
#[inline(always)]
#[must_use]
pub const fn size_bin(length: u32) -> u32 {
    let log = log2(length);
    log.saturating_sub(5)
}

/// Floor of the binary logarithm; 0 for 0. By halving, since BPF has no instruction for it.
#[inline(always)]
#[must_use]
pub const fn log2(value: u32) -> u32 {
    let mut value = value;
    let mut log = 0;
    if value >= 1 << 16 {
        value >>= 16;
        log += 16;
    }
    if value >= 1 << 8 {
        value >>= 8;
        log += 8;
    }
    if value >= 1 << 4 {
        value >>= 4;
        log += 4;
    }
    if value >= 1 << 2 {
        value >>= 2;
        log += 2;
    }
    if value >= 1 << 1 {
        log += 1;
    }
    log
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log2_is_ilog2() {
        for value in (1..5_000).chain([65_535, 65_536, 1 << 24, u32::MAX]) {
            assert_eq!(log2(value), value.ilog2(), "of {value}");
        }
        assert_eq!(log2(0), 0);
    }

    #[test]
    fn micros_is_division_by_a_thousand() {
        let edges =
            (0..5_000_u64)
                .map(|n| n * 999_983)
                .chain([u64::from(u32::MAX), 1 << 32, 1 << 40]);
        for nanoseconds in edges {
            assert_eq!(
                u64::from(micros(nanoseconds)),
                nanoseconds / 1_000,
                "of {nanoseconds}"
            );
        }
        assert_eq!(micros(u64::MAX), u32::MAX);
    }

    #[test]
    fn size_bins_are_powers_of_two_from_64() {
        for (length, bin) in [
            (0, 0),
            (63, 0),
            (64, 1),
            (127, 1),
            (128, 2),
            (1_500, 5),
            (4_096, 7),
        ] {
            assert_eq!(size_bin(length), bin, "of {length}");
        }
    }
}
