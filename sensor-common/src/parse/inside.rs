//! Whether what a tunnel's header announces is there. What is recognised by a port alone is unwrapped only then, so that
//! another use of the port stays the flow that it is.

use super::{
    Outcome,
    link::{ARP, IPV4, IPV6, is_vlan},
    wifi,
};
use crate::{
    bytes::{Frame, View},
    counter::Counter,
    packet::{Layer, Packet, Tunnel, unread::By},
};

/// Bytes of an Ethernet frame with ARP, padded: no room to hide in.
const ARP_MAX: u32 = 64;

/// What a look shows.
enum Seen {
    /// It is there.
    Yes,
    /// It is not.
    No,
    /// The frame ends before it.
    Missing,
    /// This layer is there if it is.
    If(Layer, u32),
}

/// Looks one layer further into [`Packet::inside`]; goes into the tunnel once IP or ARP is found.
#[inline(always)]
pub(super) fn look<F: Frame>(frame: &F, packet: &mut Packet) -> Outcome {
    const ETHERNET: u8 = Layer::Ethernet as u8;
    const ETHER_TYPE: u8 = Layer::EtherType as u8;
    const LLC: u8 = Layer::Llc as u8;
    const IP: u8 = Layer::Ip as u8;
    const IP4: u8 = Layer::Ip4 as u8;
    const IP6: u8 = Layer::Ip6 as u8;
    const MPLS: u8 = Layer::Mpls as u8;
    const PPP: u8 = Layer::Ppp as u8;
    let (tunnel, layer, offset) = (
        packet.inside.tunnel,
        packet.inside.layer,
        packet.inside.offset,
    );
    let at = packet.inside.at;
    let below = tunnel == Tunnel::Mpls as u16;
    // Nothing tells how long it is below labels; otherwise what the headers leave, or all where only a part of the
    // datagram is here.
    let room = if below || packet.has_more_fragments() {
        u32::MAX
    } else {
        (packet.offset + packet.payload_length).saturating_sub(at)
    };
    let seen = match packet.inside.look {
        ETHERNET => ethernet(frame, at, room),
        ETHER_TYPE => ether_type(frame, at, room),
        LLC => snap(frame, at),
        IP => ip(frame, at, 0, room),
        IP4 => ip(frame, at, 4, room),
        IP6 => ip(frame, at, 6, room),
        MPLS => label(frame, at),
        PPP => ppp(frame, at),
        look => match wifi::body(frame, at, look == Layer::WifiSwapped as u8) {
            Some((layer, at)) => Seen::If(layer, at),
            None => Seen::No,
        },
    };
    let there = match seen {
        Seen::If(layer, at) => {
            packet.inside.look = layer as u8;
            packet.inside.at = at;
            return Outcome::Next;
        }
        Seen::Yes => true,
        // Of a packet that was cut what is there will be counted.
        Seen::Missing => !below && packet.is_snapped(),
        Seen::No => false,
    };
    if there {
        return packet.enter(tunnel, layer, offset);
    }
    if !below {
        return Outcome::Flow;
    }
    if offset != packet.offset {
        // What looked like a control word is not one.
        return packet.propose(Tunnel::Mpls, Layer::Ethernet, packet.offset);
    }
    let first = frame.u8(offset).unwrap_or(0);
    packet.give_up(By::Mpls, first as u16)
}

/// What is below the last label of MPLS, since nothing says it: IP, or Ethernet with or without a control word
/// (RFC 4448), which begins with four zero bits.
#[inline(always)]
pub(super) fn below<F: Frame>(frame: &F, packet: &mut Packet) -> Outcome {
    let offset = packet.offset;
    let Some(first) = frame.u8(offset) else {
        return Outcome::Done(Counter::LinkTruncated);
    };
    if matches!(ip(frame, offset, 0, u32::MAX), Seen::Yes) {
        return packet.enter(Tunnel::Mpls as u16, Layer::Ip as u8, offset);
    }
    let word = if first >> 4 == 0 { 4 } else { 0 };
    packet.propose(Tunnel::Mpls, Layer::Ethernet, offset + word)
}

/// An IP header whose lengths hold; of `version`, or with 0 of any.
#[inline(always)]
fn ip<F: Frame>(frame: &F, at: u32, version: u8, room: u32) -> Seen {
    // The first 20 bytes of either.
    let Some(header) = frame.view::<20>(at) else {
        return Seen::Missing;
    };
    let first = header.u8::<0>();
    let there = first >> 4;
    let (least, length) = if there == 4 {
        let least = u32::from(first & 0x0f) * 4;
        (
            if least < 20 { u32::MAX } else { least },
            u32::from(header.be16::<2>()),
        )
    } else {
        (40, 40 + u32::from(header.be16::<4>()))
    };
    if (there == 4 || there == 6)
        && (version == 0 || version == there)
        && length >= least
        && length <= room
    {
        Seen::Yes
    } else {
        Seen::No
    }
}

/// An Ethernet header; behind it IPv4 at once, which nearly all have.
#[inline(always)]
fn ethernet<F: Frame>(frame: &F, at: u32, room: u32) -> Seen {
    let Some(header) = frame.view::<14>(at) else {
        return Seen::Missing;
    };
    // No group sends (IEEE 802.3 section 3.2.3).
    if header.u8::<6>() & 1 != 0 {
        return Seen::No;
    }
    if header.be16::<12>() == IPV4 {
        return ip(frame, at + 14, 4, room.saturating_sub(14));
    }
    Seen::If(Layer::EtherType, at + 12)
}

/// An `EtherType` behind which IP or ARP may come.
#[inline(always)]
fn ether_type<F: Frame>(frame: &F, at: u32, room: u32) -> Seen {
    let Some(kind) = frame.be16(at) else {
        return Seen::Missing;
    };
    let next = at + 2;
    match kind {
        IPV4 => Seen::If(Layer::Ip4, next),
        IPV6 => Seen::If(Layer::Ip6, next),
        // Ethernet, IPv4 and their lengths.
        ARP => match frame.view::<8>(next) {
            Some(arp)
                if arp.be32::<0>() == 0x0001_0800
                    && arp.be16::<4>() == 0x0604
                    && room <= ARP_MAX =>
            {
                Seen::Yes
            }
            Some(_) => Seen::No,
            None => Seen::Missing,
        },
        kind if is_vlan(kind) => Seen::If(Layer::EtherType, at + 4),
        0x8926 | 0x892f => Seen::If(Layer::EtherType, at + 6),
        0x893f | 0x8909 => Seen::If(Layer::EtherType, at + 8),
        0x8847 | 0x8848 => Seen::If(Layer::Mpls, next),
        // A session of PPPoE.
        0x8864 => Seen::If(Layer::Ppp, next + 6),
        // Ethernet behind the service instance.
        0x88e7 => Seen::If(Layer::Ethernet, next + 4),
        0..=1_500 | 0x8870 => Seen::If(Layer::Llc, next),
        _ => Seen::No,
    }
}

/// The header of SNAP.
#[inline(always)]
fn snap<F: Frame>(frame: &F, at: u32) -> Seen {
    match frame.view::<3>(at) {
        Some(llc) if llc.be16::<0>() == 0xaaaa && llc.u8::<2>() == 3 => {
            Seen::If(Layer::EtherType, at + 6)
        }
        Some(_) => Seen::No,
        None => Seen::Missing,
    }
}

/// A label of MPLS: another, or IP.
#[inline(always)]
fn label<F: Frame>(frame: &F, at: u32) -> Seen {
    match frame.u8(at + 2) {
        Some(end) if end & 1 != 0 => Seen::If(Layer::Ip, at + 4),
        Some(_) => Seen::If(Layer::Mpls, at + 4),
        None => Seen::Missing,
    }
}

/// PPP that carries IP.
#[inline(always)]
fn ppp<F: Frame>(frame: &F, at: u32) -> Seen {
    match frame.be16(at) {
        Some(0xff03) => Seen::If(Layer::Ppp, at + 2),
        Some(0x0021) => Seen::If(Layer::Ip4, at + 2),
        Some(0x0057) => Seen::If(Layer::Ip6, at + 2),
        Some(first) if first >> 8 == 0x21 => Seen::If(Layer::Ip4, at + 1),
        Some(first) if first >> 8 == 0x57 => Seen::If(Layer::Ip6, at + 1),
        Some(_) => Seen::No,
        None => Seen::Missing,
    }
}
