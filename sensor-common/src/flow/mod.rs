//! The flow entry: features of a conversation, per direction, in integers only.
//!
//! One direction of a flow is written by one CPU at a time, because a NIC's hash sends the packets of
//! one direction to one queue; so no atomic operation is needed on the fast path. Where a mirror
//! delivers one direction on two queues, updates can be lost; the per-CPU counters stay exact.

pub mod slot;

mod bins;
mod direction;
pub(crate) mod order;
mod payload;
mod role;
mod tcp;
mod update;

use core::mem;

pub use bins::{INTERVAL_BINS, SIZE_BINS};
pub use direction::Half;
pub use order::Order;
pub use role::{Rank, is_service, services};
pub use update::{DUPLICATE_WINDOW, Edges, ONE_SIDED_ESTABLISHED, SNAPSHOT_FROM};

use crate::{
    layer7::{CARRY, Protocol},
    packet::{Macs, Packet, TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN},
    rule::Clearance,
    settings::Settings,
    time::since,
};

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
    /// VLAN tags of the first packet.
    pub vlan_depth: u8,
    /// [`Rank`] of what is known of who opened the conversation.
    pub role: u8,
    /// Ids of the first two VLAN tags, outer first.
    pub vlans: [u16; 2],
    /// Packets whose payload size is in `first_payloads`.
    pub first_count: u32,
    /// Ethernet address that the first packet of endpoint A came from: its own, or a router's; before that, the one that packets
    /// to it went to. Zero where unknown.
    pub mac_a: [u8; 6],
    /// The same of endpoint B.
    pub mac_b: [u8; 6],
    /// The first payload sizes, in bytes, packets without payload left out: positive from A to B,
    /// negative from B to A.
    pub first_payloads: [i16; FIRST_PAYLOADS],
    /// Id of the last VLAN tag where there are more than two.
    pub vlan_last: u16,
    /// Tunnels unwrapped, bits of [`crate::packet::Tunnel`].
    pub tunnels: u16,
    /// That no rule means the flow's packets, by direction; on interfaces in the path.
    pub clearances: [Clearance; 2],
    /// Both directions, by [`crate::key::Direction`].
    pub directions: [Half; 2],
}

/// True with the flags of a TCP connection that was reset, or finished by both ends.
#[inline(always)]
#[must_use]
pub const fn is_closed(flags: u8) -> bool {
    flags & RESET != 0 || flags & (FIN_A | FIN_B) == FIN_A | FIN_B
}

impl Flow {
    /// An entry before its first packet.
    pub const EMPTY: Self = Self {
        start: 0,
        interface: 0,
        flags: 0,
        protocol: 0,
        vlan_depth: 0,
        role: 0,
        vlans: [0; 2],
        first_count: 0,
        mac_a: [0; 6],
        mac_b: [0; 6],
        first_payloads: [0; FIRST_PAYLOADS],
        vlan_last: 0,
        tunnels: 0,
        clearances: [Clearance::NONE; 2],
        directions: [Half::EMPTY; 2],
    };

    /// Sets the fields that the first packet decides; `services` are those of its ports ([`services`]). The rest must be as
    /// in [`Flow::EMPTY`].
    #[inline(always)]
    pub fn open(&mut self, packet: &Packet, services: u32, now: u64) {
        self.start = now;
        self.interface = packet.interface;
        self.vlan_depth = packet.vlan_depth;
        let [first, second, last] = packet.vlans;
        (self.vlans, self.vlan_last) = ([first, second], last);
        self.tunnels = packet.tunnels;
        let b_sends = packet.direction & 1 == 1;
        self.set_macs(&if b_sends {
            packet.macs
        } else {
            packet.macs.turned()
        });
        let (sender_opened, rank) = role::by_ports(packet, services);
        self.role = rank as u8;
        self.flags = MIDSTREAM
            | if b_sends == sender_opened {
                INITIATOR_B
            } else {
                0
            }
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

    /// Sets the Ethernet address that a direction's packets come from: until its first packet, it is where the other direction's
    /// go, which can be a router that sends them on.
    #[inline(always)]
    fn came_from(&mut self, mac: [u8; 6], b_sends: bool) {
        if b_sends {
            self.mac_b = mac;
        } else {
            self.mac_a = mac;
        }
    }

    /// Ids of the VLAN tags, outer first; of more than three, the first two and the last.
    pub fn vlan_ids(&self) -> impl Iterator<Item = u16> {
        let [first, second] = self.vlans;
        [first, second, self.vlan_last]
            .into_iter()
            .take(usize::from(self.vlan_depth))
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

    /// True if it was seen in both directions, or has so many packets that it belongs among the established flows.
    #[inline(always)]
    #[must_use]
    pub const fn is_proven(&self) -> bool {
        let [a, b] = &self.directions;
        (a.packets != 0 && b.packets != 0) || self.packets() >= ONE_SIDED_ESTABLISHED
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

    /// Time of the last packet for a reader: not before the first, though a capture's clock went back.
    #[must_use]
    pub const fn end(&self) -> u64 {
        let last = self.last();
        if last > self.start { last } else { self.start }
    }

    /// True if `packet`, which was examined, begins a new conversation under this entry's key: an opening SYN after the
    /// connection was closed, or the answer to one in the middle of it, which only a host gives that has no such connection.
    #[inline(always)]
    #[must_use]
    pub fn is_reopened_by(&self, packet: &Packet) -> bool {
        if !packet.has_flags(TCP_SYN) || packet.tcp_flags & (TCP_FIN | TCP_RST) != 0 {
            return false;
        }
        let [a, b] = &self.directions;
        let (me, peer) = if packet.direction & 1 == 1 {
            (b, a)
        } else {
            (a, b)
        };
        if me.order.is_distrusted(packet, me.stream.next_sequence) {
            return false;
        }
        if packet.tcp_flags & TCP_ACK == 0 {
            // A copy of the SYN that came late opens nothing.
            self.is_closed() && !(me.syn > 0 && me.order.isn == packet.sequence)
        } else {
            peer.order.is(order::STRAY_SYN) && packet.acknowledgement == peer.order.stray_end
        }
    }
}
