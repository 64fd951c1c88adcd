//! Whether what a tunnel's header announces is there. What is recognised by a port alone is unwrapped only then, so that
//! another use of the port stays the flow that it is.

use super::link::{ARP, IPV4, IPV6, is_vlan};
use crate::{
    bytes::{Frame, View},
    packet::Packet,
};

/// Tags and shims that are looked behind.
const LOOKS: u8 = 4;
/// Bytes of an Ethernet frame with ARP, padded: no room to hide in.
const ARP_MAX: u32 = 64;

/// Bytes that the tunnel's headers leave from `offset` on; all where only a part of the datagram is here.
#[inline(always)]
fn room(packet: &Packet, offset: u32) -> u32 {
    if packet.has_more_fragments() {
        u32::MAX
    } else {
        (packet.offset + packet.payload_length).saturating_sub(offset)
    }
}

/// True for an IP header at `offset` whose lengths hold; of `version`, or with 0 of any.
#[inline(always)]
pub(super) fn ip<F: Frame>(frame: &F, packet: &Packet, offset: u32, version: u8) -> bool {
    ip_within(
        frame,
        offset,
        version,
        room(packet, offset),
        packet.is_snapped(),
    )
}

/// The same with so many bytes there; `cut`: the capture may end before them.
#[inline(always)]
pub(super) fn ip_within<F: Frame>(
    frame: &F,
    offset: u32,
    version: u8,
    room: u32,
    cut: bool,
) -> bool {
    // The first 20 bytes of either.
    let Some(header) = frame.view::<20>(offset) else {
        return cut;
    };
    let first = header.u8::<0>();
    let there = first >> 4;
    if version != 0 && there != version {
        return false;
    }
    match there {
        4 => {
            let length = u32::from(first & 0x0f) * 4;
            let total = u32::from(header.be16::<2>());
            length >= 20 && total >= length && total <= room
        }
        6 => {
            let payload = u32::from(header.be16::<4>());
            room >= 40 && payload <= room - 40
        }
        _ => false,
    }
}

/// True for an Ethernet frame at `offset` that carries IP or ARP.
#[inline(always)]
pub(super) fn ethernet<F: Frame>(frame: &F, packet: &Packet, offset: u32) -> bool {
    ethernet_within(frame, offset, room(packet, offset), packet.is_snapped())
}

/// The same with so many bytes there; `cut`: the capture may end before them.
#[inline(always)]
pub(super) fn ethernet_within<F: Frame>(frame: &F, offset: u32, room: u32, cut: bool) -> bool {
    let Some(header) = frame.view::<14>(offset) else {
        return cut;
    };
    // No group sends (IEEE 802.3 section 3.2.3).
    if header.u8::<6>() & 1 != 0 {
        return false;
    }
    ether_type(frame, offset + 12, room.saturating_sub(12), cut)
}

/// True for a header of SNAP at `offset` behind which IP or ARP comes.
#[inline(always)]
pub(super) fn snap<F: Frame>(frame: &F, packet: &Packet, offset: u32) -> bool {
    let cut = packet.is_snapped();
    match frame.view::<3>(offset) {
        Some(llc) if llc.be16::<0>() == 0xaaaa && llc.u8::<2>() == 3 => {
            ether_type(frame, offset + 6, room(packet, offset + 6), cut)
        }
        Some(_) => false,
        None => cut,
    }
}

/// True for an `EtherType` at `offset` behind which IP or ARP comes.
#[inline(always)]
fn ether_type<F: Frame>(frame: &F, mut offset: u32, mut room: u32, cut: bool) -> bool {
    for _ in 0..LOOKS {
        let Some(kind) = frame.be16(offset) else {
            return cut;
        };
        let skip = match kind {
            IPV4 => return ip_within(frame, offset + 2, 4, room.saturating_sub(2), cut),
            IPV6 => return ip_within(frame, offset + 2, 6, room.saturating_sub(2), cut),
            // Ethernet, IPv4 and their lengths.
            ARP => {
                return match frame.view::<8>(offset + 2) {
                    Some(arp) => {
                        arp.be32::<0>() == 0x0001_0800
                            && arp.be16::<4>() == 0x0604
                            && room <= ARP_MAX
                    }
                    None => cut,
                };
            }
            kind if is_vlan(kind) => 4,
            0x8926 | 0x892f => 6,
            0x893f | 0x8909 => 8,
            // A session of PPPoE, then IPv4 or IPv6 in PPP.
            0x8864 => return ip_within(frame, offset + 10, 0, room.saturating_sub(10), cut),
            0x8847 | 0x8848 => return labels(frame, offset + 2, room.saturating_sub(2), cut),
            // Ethernet in Ethernet: addresses behind a tag of four bytes.
            0x88e7 => 18,
            0..=1_500 => match frame.view::<5>(offset + 2) {
                Some(llc) if llc.be16::<0>() == 0xaaaa && llc.u8::<2>() == 3 => 8,
                Some(_) => return false,
                None => return cut,
            },
            _ => return false,
        };
        offset += skip;
        room = room.saturating_sub(skip);
    }
    false
}

/// True for labels of MPLS at `offset` and IP below them.
#[inline(always)]
pub(super) fn mpls<F: Frame>(frame: &F, packet: &Packet, offset: u32) -> bool {
    labels(frame, offset, room(packet, offset), packet.is_snapped())
}

#[inline(always)]
fn labels<F: Frame>(frame: &F, mut offset: u32, mut room: u32, cut: bool) -> bool {
    for _ in 0..LOOKS {
        let Some(bottom) = frame.u8(offset + 2) else {
            return cut;
        };
        offset += 4;
        room = room.saturating_sub(4);
        if bottom & 1 != 0 {
            return ip_within(frame, offset, 0, room, cut);
        }
    }
    false
}

/// True for PPP at `offset` that carries IP.
#[inline(always)]
pub(super) fn ppp<F: Frame>(frame: &F, packet: &Packet, mut offset: u32) -> bool {
    let Some(mut first) = frame.be16(offset) else {
        return packet.is_snapped();
    };
    if first == 0xff03 {
        offset += 2;
        first = frame.be16(offset).unwrap_or(0);
    }
    let (version, length) = match first {
        0x0021 => (4, 2),
        0x0057 => (6, 2),
        _ if first >> 8 == 0x21 => (4, 1),
        _ if first >> 8 == 0x57 => (6, 1),
        _ => return false,
    };
    ip(frame, packet, offset + length, version)
}
