//! What lies between the Ethernet addresses and IP: tags, LLC and SNAP, MPLS, PPP.

use super::{
    link::{ARP, IPV4, IPV6, arp, is_vlan},
    outcome::Outcome,
    step::MAX_TAGS,
};
use crate::{
    bytes::{Frame, View},
    counter::Counter,
    packet::{Layer, Packet, Tunnel},
    unread::By,
};

/// Labels of MPLS that are read in a step.
const LABELS_A_STEP: u8 = 4;

/// Reads the `EtherType` at the offset.
#[inline(always)]
pub(super) fn ether_type<F: Frame>(frame: &F, packet: &mut Packet) -> Outcome {
    let start = packet.offset;
    let Some(kind) = frame.be16(start) else {
        return Outcome::Done(Counter::LinkTruncated);
    };
    let offset = start + 2;
    if is_vlan(kind) {
        let Some(tag) = frame.be16(offset) else {
            return Outcome::Done(Counter::LinkTruncated);
        };
        if packet.tags >= MAX_TAGS {
            return Outcome::Done(Counter::VlanDepth);
        }
        packet.add_vlan(tag & 0x0fff);
        return packet.go_on(Layer::EtherType, offset + 2);
    }
    match kind {
        IPV4 => packet.go_on(Layer::Ip4, offset),
        IPV6 => packet.go_on(Layer::Ip6, offset),
        ARP => {
            packet.offset = offset;
            arp(packet)
        }
        // VN-Tag, and the tag of HSR (IEC 62439-3).
        0x8926 | 0x892f => tag(packet, offset + 4),
        // E-Tag (IEEE 802.1BR), and the security group tag of Cisco.
        0x893f | 0x8909 => tag(packet, offset + 6),
        0x8847 | 0x8848 => packet.go_on(Layer::Mpls, offset),
        0x8864 => packet.go_on(Layer::Pppoe, offset),
        // The service instance, then the addresses of the frame inside (IEEE 802.1ah).
        0x88e7 => packet.enter(Tunnel::Pbb as u16, Layer::Ethernet as u8, offset + 4),
        // A length (IEEE 802.3), or the type of an LLC frame that is longer.
        0..=1_500 | 0x8870 => packet.go_on(Layer::Llc, offset),
        _ => packet.give_up(By::EtherType, kind),
    }
}

/// Another tag, behind which an `EtherType` comes.
#[inline(always)]
fn tag(packet: &mut Packet, next: u32) -> Outcome {
    if packet.tags >= MAX_TAGS {
        return Outcome::Done(Counter::VlanDepth);
    }
    packet.tags += 1;
    packet.go_on(Layer::EtherType, next)
}

/// Reads an LLC header; behind that of SNAP with an `EtherType` (RFC 1042, IEEE 802.1H), it goes on.
#[inline(always)]
pub(super) fn llc<F: Frame>(frame: &F, packet: &mut Packet) -> Outcome {
    let start = packet.offset;
    let Some(header) = frame.view::<3>(start) else {
        return Outcome::Done(Counter::LinkTruncated);
    };
    let addresses = header.be16::<0>();
    if addresses == 0xaaaa && header.u8::<2>() == 3 {
        let Some(snap) = frame.view::<8>(start) else {
            return Outcome::Done(Counter::LinkTruncated);
        };
        if matches!(snap.be32::<3>() >> 8, 0 | 0x00f8) && snap.be16::<6>() > 1_500 {
            return packet.go_on(Layer::EtherType, start + 6);
        }
    }
    packet.give_up(By::Llc, addresses)
}

/// Reads labels of MPLS (RFC 3032).
#[inline(always)]
pub(super) fn mpls<F: Frame>(frame: &F, packet: &mut Packet) -> Outcome {
    let mut offset = packet.offset;
    for _ in 0..LABELS_A_STEP {
        let Some(label) = frame.view::<4>(offset) else {
            return Outcome::Done(Counter::LinkTruncated);
        };
        offset += 4;
        if label.u8::<2>() & 1 != 0 {
            return packet.go_on(Layer::Below, offset);
        }
    }
    packet.go_on(Layer::Mpls, offset)
}

/// Reads the header of a session of `PPPoE` (RFC 2516 section 4): version and type 1, code 0.
#[inline(always)]
pub(super) fn pppoe<F: Frame>(frame: &F, packet: &mut Packet) -> Outcome {
    let start = packet.offset;
    let Some(header) = frame.be16(start) else {
        return Outcome::Done(Counter::LinkTruncated);
    };
    if header == 0x1100 {
        packet.enter(Tunnel::Pppoe as u16, Layer::Ppp as u8, start + 6)
    } else {
        packet.give_up(By::EtherType, 0x8864)
    }
}

/// Reads the protocol of a PPP frame (RFC 1661 section 2), with or without address and control (RFC 1662 section 3.1), of
/// two bytes or one.
#[inline(always)]
pub(super) fn ppp<F: Frame>(frame: &F, packet: &mut Packet) -> Outcome {
    let mut offset = packet.offset;
    let Some(mut first) = frame.be16(offset) else {
        return Outcome::Done(Counter::LinkTruncated);
    };
    if first == 0xff03 {
        offset += 2;
        let Some(second) = frame.be16(offset) else {
            return Outcome::Done(Counter::LinkTruncated);
        };
        first = second;
    }
    let (protocol, length) = if first & 0x0100 != 0 {
        (first >> 8, 1)
    } else {
        (first, 2)
    };
    let layer = match protocol {
        0x21 => Layer::Ip4,
        0x57 => Layer::Ip6,
        0x0281 | 0x0283 => Layer::Mpls,
        _ => return packet.give_up(By::Ppp, protocol),
    };
    packet.go_on(layer, offset + length)
}
