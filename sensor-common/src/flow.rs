//! The flow entry: features of a conversation, per direction, in integers only.
//!
//! One direction of a flow is written by one CPU at a time, because a NIC's hash sends the packets of
//! one direction to one queue; so no atomic operation is needed on the fast path. Where a mirror
//! delivers one direction on two queues, updates can be lost; the per-CPU counters stay exact.

use core::mem;

use crate::{
    bytes::Frame,
    half::{Half, Seen, since},
    notice::Topic,
    packet::{Macs, Packet, TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN},
    plain::Segment,
    rule::Clearance,
    settings::Settings,
    stream::{CARRY, Protocol},
};

/// A flow event is sent at each power of two of packets from this one on.
pub const SNAPSHOT_FROM: u64 = 8;
/// A flow seen in one direction only counts as established from this many packets on.
pub const ONE_SIDED_ESTABLISHED: u64 = 8;
/// A copy of a packet comes within this many nanoseconds of it; a retransmission takes longer, its least
/// time-out being 200 ms (RFC 6298 asks for 1 s, Linux has `TCP_RTO_MIN` at HZ/5).
pub const DUPLICATE_WINDOW: u64 = 10_000_000;
/// A gap shorter than this many nanoseconds never ends a flow; the least idle time that can be set.
pub const IDLE_MIN: u64 = 1_000_000_000;
/// Payload sizes kept from a flow's start.
pub const FIRST_PAYLOADS: usize = 8;

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
    /// That no rule means the flow's packets, by direction; on interfaces in the path.
    pub clearances: [Clearance; 2],
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
    /// The packet says something of hosts: [`crate::notice`].
    pub const NOTICE: u32 = 64;

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

const fn is_closed(flags: u8) -> bool {
    flags & RESET != 0 || flags & (FIN_A | FIN_B) == FIN_A | FIN_B
}

/// The direction of who sends.
#[inline(always)]
const fn sender(directions: &mut [Half; 2], b_sends: bool) -> &mut Half {
    let [a, b] = directions;
    if b_sends { b } else { a }
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
        clearances: [Clearance::NONE; 2],
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
        let b_sends = packet.direction & 1 == 1;
        self.set_macs(&if b_sends {
            packet.macs
        } else {
            packet.macs.turned()
        });
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

    /// Sets the Ethernet addresses, A's in the place of the destination: two stores, where arrays of six bytes would be
    /// copied byte by byte.
    #[inline(always)]
    fn set_macs(&mut self, macs: &Macs) {
        const {
            assert!(mem::offset_of!(Self, mac_a) % 8 == 0);
            assert!(mem::offset_of!(Self, mac_b) == mem::offset_of!(Self, mac_a) + 6);
        }
        // SAFETY: the twelve bytes of the two fields, aligned as a word is.
        unsafe {
            let at = (&raw mut *self).byte_add(mem::offset_of!(Self, mac_a));
            at.cast::<u64>().write(u64::from_ne_bytes(macs.begin));
            let end = at.byte_add(8).cast::<u32>();
            end.write(u32::from_ne_bytes(macs.end));
        }
    }

    /// True once the TCP connection was reset, or FIN came from both ends.
    #[inline(always)]
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        is_closed(self.flags)
    }

    /// The clearance of a direction.
    #[inline(always)]
    #[must_use]
    pub const fn clearance(&self, direction: u8) -> &Clearance {
        let [a, b] = &self.clearances;
        if direction & 1 == 1 { b } else { a }
    }

    /// Keeps a clearance of a direction.
    #[inline(always)]
    pub fn clear(&mut self, direction: u8, clearance: Clearance) {
        let [a, b] = &mut self.clearances;
        *(if direction & 1 == 1 { b } else { a }) = clearance;
    }

    /// Both directions: of who opened the conversation, then of the other.
    #[inline(always)]
    #[must_use]
    pub const fn client_and_server(&self) -> (&Half, &Half) {
        let [a, b] = &self.directions;
        if self.flags & INITIATOR_B != 0 {
            (b, a)
        } else {
            (a, b)
        }
    }

    /// Both Ethernet addresses: of who opened the conversation, then of the other.
    #[must_use]
    pub const fn client_and_server_macs(&self) -> ([u8; 6], [u8; 6]) {
        if self.flags & INITIATOR_B != 0 {
            (self.mac_b, self.mac_a)
        } else {
            (self.mac_a, self.mac_b)
        }
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

    /// The entry as it may leave: without the header bytes that a reader holds over, which are of a data
    /// set where a peer breaks its standard.
    #[must_use]
    pub const fn concealed(mut self) -> Self {
        let [a, b] = &mut self.directions;
        a.stream.carry = [0; CARRY];
        b.stream.carry = [0; CARRY];
        self
    }

    /// The protocol recognised by content.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        Protocol::from_index(self.protocol)
    }

    /// True for a TCP connection that was asked for and did not come about: nothing but SYNs, of the client or of
    /// both.
    #[inline(always)]
    #[must_use]
    pub const fn is_attempt(&self) -> bool {
        let (client, server) = self.client_and_server();
        client.syn > 0 && client.syn as u64 == client.packets && server.syn as u64 == server.packets
    }

    /// True if the flow is over at `now`: no packet for longer than its idle time.
    #[inline(always)]
    #[must_use]
    pub const fn is_idle(&self, tcp: bool, now: u64, settings: &Settings) -> bool {
        let limit = if !tcp {
            settings.idle_other
        } else if self.is_closed() || self.is_attempt() {
            settings.idle_closed
        } else {
            settings.idle_tcp
        };
        since(now, self.last()) > limit
    }

    /// True if `packet` begins a new conversation under this entry's key: an opening SYN after the
    /// connection was closed.
    #[inline(always)]
    #[must_use]
    pub const fn is_reopened_by(&self, packet: &Packet) -> bool {
        packet.tcp_flags & (TCP_SYN | TCP_ACK) == TCP_SYN && self.is_closed()
    }

    /// Takes the next segment of an established flow in, one without SYN, FIN and RST, if nothing follows from it and all
    /// that it changes are numbers: not the first of its direction, none of the payloads that are kept, no duplicate, no
    /// gap, no bytes for a reader, no power of two of packets, no silence before it that may have ended the flow. Then it
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
        if half.packets == 0
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

    /// Takes a packet in and says what follows.
    ///
    /// Leaves in `packet.stream_delta` how far the segment's start lies from the byte that was
    /// expected next.
    #[inline(always)]
    pub fn update(&mut self, packet: &mut Packet, now: u64) -> Edges {
        let mut edges = 0;
        let b_sends = packet.direction & 1 == 1;
        let half = sender(&mut self.directions, b_sends);

        if half.fingerprint == packet.fingerprint
            && packet.fingerprint != 0
            && since(now, half.last) <= DUPLICATE_WINDOW
        {
            half.duplicates += 1;
            return Edges(Edges::DUPLICATE);
        }
        half.fingerprint = packet.fingerprint;
        half.add(Seen {
            time: now,
            length: packet.ip_length,
            payload: packet.payload_length,
            ttl: packet.ttl,
            window: packet.window,
        });

        if packet.is_tcp() {
            let flags = packet.tcp_flags;
            half.add_flags(flags);
            if flags & (TCP_SYN | TCP_FIN | TCP_RST) != 0 {
                let was_closed = is_closed(self.flags);
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
                if !was_closed && is_closed(self.flags) {
                    edges |= Edges::CLOSED;
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
        } else if packet.topic() != Topic::None as u8 {
            edges |= Edges::NOTICE;
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
        let total = self.packets();
        if total & total.wrapping_sub(1) == 0 && total >= SNAPSHOT_FROM {
            edges |= Edges::SNAPSHOT;
        }
        if self.flags & ESTABLISHED == 0
            && ((a.packets != 0 && b.packets != 0) || total >= ONE_SIDED_ESTABLISHED)
        {
            edges |= Edges::ESTABLISHED;
        }
        Edges(edges)
    }
}
