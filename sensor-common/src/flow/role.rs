//! Who is the client of a conversation: the best evidence so far decides, and better evidence corrects it.

use super::{Flow, INITIATOR_B, MIDSTREAM};
use crate::packet::{Packet, protocol};

/// Evidence of who opened a conversation, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Rank {
    /// The greater port of a TCP connection, or who sent first.
    Guess = 0,
    /// A port or an address that only one side has: a well-known service, a broadcast address.
    Port = 1,
    /// A SYN with ACK, whose SYN was not seen.
    SynAck = 2,
    /// A SYN without an answer.
    Syn = 3,
    /// A request of a protocol that is read.
    Content = 4,
    /// A SYN, and the SYN with ACK that acknowledges it.
    Handshake = 5,
}

/// True for a port at which services listen, and which clients are not given by chance: IANA's well-known ports that a
/// hospital's network uses, and the usual ports of DICOM (104, 2761, 2762, 4242, 11112) and HL7 (2575, 6661).
#[inline(always)]
#[must_use]
pub const fn is_service(port: u16) -> bool {
    matches!(
        port,
        20 | 21
            | 22
            | 23
            | 25
            | 53
            | 80
            | 88
            | 102
            | 104
            | 110
            | 111
            | 123
            | 135
            | 137
            | 138
            | 139
            | 143
            | 161
            | 162
            | 389
            | 443
            | 445
            | 464
            | 502
            | 514
            | 515
            | 587
            | 631
            | 636
            | 993
            | 995
            | 1_433
            | 1_434
            | 1_521
            | 1_812
            | 1_813
            | 1_883
            | 2_049
            | 2_575
            | 2_761
            | 2_762
            | 3_128
            | 3_268
            | 3_269
            | 3_306
            | 3_389
            | 3_478
            | 4_242
            | 4_840
            | 5_060
            | 5_061
            | 5_432
            | 5_671
            | 5_672
            | 5_900
            | 5_985
            | 5_986
            | 6_379
            | 6_661
            | 8_042
            | 8_080
            | 8_443
            | 8_883
            | 9_100
            | 9_200
            | 11_112
            | 20_000
            | 27_017
            | 44_818
            | 47_808
    )
}

/// Bit of [`services`]: the source port is a service's.
const SOURCE: u32 = 1;
/// Bit of [`services`]: the destination port is.
const DESTINATION: u32 = 2;

/// Which of two ports are services': bits, of the source port first.
#[inline(always)]
#[must_use]
pub const fn services(source: u16, destination: u16) -> u32 {
    (if is_service(source) { SOURCE } else { 0 })
        | if is_service(destination) {
            DESTINATION
        } else {
            0
        }
}

/// Who opened a conversation of which this packet is the first one seen: true if its sender did; `services` are those of its
/// ports.
#[inline(always)]
pub(super) fn by_ports(packet: &Packet, services: u32) -> (bool, Rank) {
    /// Ports below this one need rights to listen at.
    const SYSTEM: u16 = 1_024;
    /// From this one on, clients of NFS and other remote procedure calls send datagrams from such ports too.
    const RESERVED: u16 = 512;
    let (source, destination) = (packet.source_port(), packet.destination_port());
    if packet.protocol != protocol::TCP && packet.protocol != protocol::UDP {
        return (!(source < SYSTEM && destination >= SYSTEM), Rank::Guess);
    }
    if packet.protocol == protocol::UDP {
        match (source, destination) {
            // DHCP and DHCPv6, of which the client has a port of its own too.
            (68, 67) | (546, 547) => return (true, Rank::Port),
            // The server's answer to all.
            (67, 68) if goes_to_group(packet) => return (true, Rank::Port),
            (67, 68) | (547, 546) => return (false, Rank::Port),
            _ => {}
        }
        if goes_to_many(packet) {
            return (true, Rank::Port);
        }
    }
    match services {
        DESTINATION => return (true, Rank::Port),
        SOURCE => return (false, Rank::Port),
        _ => {}
    }
    let listens = if packet.protocol == protocol::UDP {
        RESERVED
    } else {
        SYSTEM
    };
    if (source < listens) != (destination < listens) {
        return (source >= listens, Rank::Port);
    }
    // A datagram that is seen first is mostly the first. Of a connection that was there before, nothing tells but that
    // clients are given high ports.
    (
        packet.protocol == protocol::UDP || source >= destination,
        Rank::Guess,
    )
}

/// True for a packet to a group or to all: its receiver is no client.
#[inline(always)]
const fn goes_to_many(packet: &Packet) -> bool {
    let [mac, ..] = packet.macs.destination();
    mac & 1 != 0 || goes_to_group(packet)
}

/// True for a packet to an address of a group or of all.
#[inline(always)]
const fn goes_to_group(packet: &Packet) -> bool {
    let b_sends = packet.direction & 1 == 1;
    if packet.family == 4 {
        let [first, _, _, last] = if b_sends {
            packet.key4.addr_a
        } else {
            packet.key4.addr_b
        };
        // Multicast, and the broadcast address of most subnets.
        first >= 224 || last == 255
    } else {
        let [first, ..] = if b_sends {
            packet.key6.addr_a
        } else {
            packet.key6.addr_b
        };
        first == 0xff
    }
}

impl Flow {
    /// Takes evidence of who opened the conversation.
    #[inline(always)]
    pub(crate) fn opened_by(&mut self, b_opened: bool, rank: Rank) {
        let rank_code = rank as u8;
        if rank_code <= self.role {
            return;
        }
        self.role = rank_code;
        self.flags = self.flags & !INITIATOR_B | if b_opened { INITIATOR_B } else { 0 };
        if rank_code != Rank::Content as u8 && rank_code >= Rank::SynAck as u8 {
            self.flags &= !MIDSTREAM;
        }
    }
}
