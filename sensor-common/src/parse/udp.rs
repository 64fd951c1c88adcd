//! Tunnels over UDP, each known by its port. What is there must look like what the port says, down to the header inside;
//! otherwise the datagram is of an ordinary flow.

use super::{outcome::Outcome, wifi};
use crate::{
    bytes::{Frame, View},
    packet::{Layer, Packet, Tunnel},
    unread,
};

/// RFC 7348 section 5; the port that Linux had before.
const VXLAN: u16 = 4789;
const VXLAN_OLD: u16 = 8472;
/// draft-ietf-nvo3-vxlan-gpe-13 section 6.1.
const VXLAN_GPE: u16 = 4790;
/// RFC 8926 section 3.3.
const GENEVE: u16 = 6081;
const HP_ERM: u16 = 7932;
const TZSP: u16 = 37008;
/// 3GPP TS 29.281 section 4.4.2.3.
const GTP: u16 = 2152;
/// RFC 5415 section 3.1; whoever has it, since the access point's is another.
const CAPWAP: u16 = 5247;
/// RFC 4380 section 2.7; the server's.
const TEREDO: u16 = 3544;
/// RFC 2661 section 8.1.
const L2TP: u16 = 1701;
/// draft-massar-v6ops-ayiya-02 section 5.
const AYIYA: u16 = 5072;

/// Tagged fields of TZSP that are read.
const TZSP_FIELDS: u8 = 12;
/// Extension headers of GTP-U that are read.
const GTP_EXTENSIONS: u8 = 4;

/// True if datagrams between these ports may be a tunnel.
#[inline(always)]
pub(super) const fn is_tunnel(source: u16, destination: u16) -> bool {
    matches!(
        destination,
        VXLAN
            | VXLAN_OLD
            | VXLAN_GPE
            | GENEVE
            | HP_ERM
            | TZSP
            | GTP
            | CAPWAP
            | TEREDO
            | L2TP
            | AYIYA
    ) || matches!(source, CAPWAP | TEREDO | L2TP | AYIYA)
}

/// What a tunnel's header says: the layer inside, and where it begins.
type Inside = Option<(Layer, u32)>;

/// Unwraps the datagram whose payload is at the offset.
#[inline(always)]
pub(super) fn unwrap<F: Frame>(frame: &F, packet: &mut Packet) -> Outcome {
    let (source, destination) = (packet.source_port(), packet.destination_port());
    let port = match (source, destination) {
        (_, VXLAN | VXLAN_OLD | VXLAN_GPE | GENEVE | HP_ERM | TZSP | GTP) => destination,
        (CAPWAP | TEREDO | L2TP | AYIYA, _) => source,
        _ => destination,
    };
    let start = packet.offset;
    let (tunnel, inside) = match port {
        VXLAN | VXLAN_OLD => (Tunnel::Vxlan, vxlan(frame, start)),
        VXLAN_GPE => (Tunnel::Vxlan, vxlan_gpe(frame, start)),
        GENEVE => (Tunnel::Geneve, geneve(frame, start)),
        HP_ERM => (Tunnel::HpErm, Some((Layer::Ethernet, start + 12))),
        TZSP => (Tunnel::Tzsp, tzsp(frame, start)),
        GTP => (Tunnel::Gtp, gtp(frame, start)),
        CAPWAP => (Tunnel::Capwap, capwap(frame, packet, start)),
        TEREDO => (Tunnel::Teredo, teredo(frame, start)),
        L2TP => (Tunnel::L2tp, l2tp(frame, start)),
        _ => (Tunnel::Ayiya, ayiya(frame, start)),
    };
    packet.unread = unread::kind(unread::By::UdpPort, port);
    match inside {
        Some((layer, offset)) => packet.propose(tunnel, layer, offset),
        None => Outcome::Flow,
    }
}

/// RFC 7348 section 5: the I bit is set, reserved bits are ignored on receipt.
#[inline(always)]
fn vxlan<F: Frame>(frame: &F, start: u32) -> Inside {
    let header = frame.view::<8>(start)?;
    (header.u8::<0>() & 0x08 != 0).then_some((Layer::Ethernet, start + 8))
}

/// draft-ietf-nvo3-vxlan-gpe-13 section 3.2: the same, but with the P bit the fourth byte says what is inside.
#[inline(always)]
fn vxlan_gpe<F: Frame>(frame: &F, start: u32) -> Inside {
    let header = frame.view::<8>(start)?;
    let flags = header.u8::<0>();
    if flags & 0x08 == 0 {
        return None;
    }
    let layer = match header.u8::<3>() {
        _ if flags & 0x04 == 0 => Layer::Ethernet,
        1 => Layer::Ip4,
        2 => Layer::Ip6,
        3 => Layer::Ethernet,
        5 => Layer::Mpls,
        _ => return None,
    };
    Some((layer, start + 8))
}

/// RFC 8926 section 3.4: version 0, the options' length in words, the `EtherType` of what is inside.
#[inline(always)]
fn geneve<F: Frame>(frame: &F, start: u32) -> Inside {
    let header = frame.view::<8>(start)?;
    let first = u32::from(header.u8::<0>());
    if first >> 6 != 0 {
        return None;
    }
    let layer = match header.be16::<2>() {
        0x6558 => Layer::Ethernet,
        0x0800 => Layer::Ip4,
        0x86dd => Layer::Ip6,
        0x8847 | 0x8848 => Layer::Mpls,
        _ => return None,
    };
    Some((layer, start + 8 + (first & 0x3f) * 4))
}

/// Version 1, a packet that was received or is to be sent, what it is; then fields, of which 0 pads and 1 is the last.
#[inline(always)]
fn tzsp<F: Frame>(frame: &F, start: u32) -> Inside {
    let header = frame.view::<4>(start)?;
    if header.u8::<0>() != 1 || header.u8::<1>() > 1 {
        return None;
    }
    let layer = match header.be16::<2>() {
        1 => Layer::Ethernet,
        18 => Layer::Wifi,
        _ => return None,
    };
    let mut offset = start + 4;
    for _ in 0..TZSP_FIELDS {
        match frame.u8(offset)? {
            0 => offset += 1,
            1 => return Some((layer, offset + 1)),
            _ => offset += 2 + u32::from(frame.u8(offset + 1)?),
        }
    }
    None
}

/// 3GPP TS 29.281 section 5: version 1, GTP and not GTP', a G-PDU; sequence number, N-PDU number and extension headers
/// as the flags say.
#[inline(always)]
fn gtp<F: Frame>(frame: &F, start: u32) -> Inside {
    let header = frame.view::<8>(start)?;
    let flags = header.u8::<0>();
    if flags & 0xf0 != 0x30 || header.u8::<1>() != 255 {
        return None;
    }
    let mut offset = start + 8;
    if flags.trailing_zeros() >= 3 {
        return Some((Layer::Ip, offset));
    }
    let mut next = frame.u8(offset + 3)?;
    offset += 4;
    if flags & 4 == 0 {
        next = 0;
    }
    for _ in 0..GTP_EXTENSIONS {
        if next == 0 {
            break;
        }
        let length = u32::from(frame.u8(offset)?) * 4;
        if length == 0 {
            return None;
        }
        offset += length;
        next = frame.u8(offset - 1)?;
    }
    (next == 0).then_some((Layer::Ip, offset))
}

/// RFC 5415 section 4.3: no DTLS, the header's length in words, whether the frame is 802.3 or of the radio.
#[inline(always)]
fn capwap<F: Frame>(frame: &F, packet: &mut Packet, start: u32) -> Inside {
    const FRAGMENT: u8 = 0x80;
    const KEEP_ALIVE: u8 = 0x08;
    let header = frame.view::<8>(start)?;
    let (third, flags) = (header.u8::<2>(), header.u8::<3>());
    if header.u8::<0>() != 0 || flags & KEEP_ALIVE != 0 {
        return None;
    }
    if flags & FRAGMENT != 0 {
        if header.be16::<6>() >> 3 != 0 {
            return None;
        }
        packet.mark_more_fragments();
    }
    let length = u32::from(header.u8::<1>() >> 3) * 4;
    if length < 8 {
        return None;
    }
    let offset = start + length;
    let layer = match (third & 1, (third >> 1) & 0x1f) {
        (0, _) => Layer::Ethernet,
        (_, 1) => wifi::order(frame, offset),
        _ => return None,
    };
    Some((layer, offset))
}

/// RFC 4380 section 5.1.1: authentication and origin may come first.
#[inline(always)]
fn teredo<F: Frame>(frame: &F, start: u32) -> Inside {
    let mut offset = start;
    let mut first = frame.view::<4>(offset)?;
    if first.be16::<0>() == 1 {
        offset += 13 + u32::from(first.u8::<2>()) + u32::from(first.u8::<3>());
        first = frame.view::<4>(offset)?;
    }
    if first.be16::<0>() == 0 {
        offset += 8;
    }
    Some((Layer::Ip6, offset))
}

/// RFC 2661 section 3.1: data, version 2; length, sequence numbers and offset as the flags say.
#[inline(always)]
fn l2tp<F: Frame>(frame: &F, start: u32) -> Inside {
    let flags = frame.be16(start)?;
    if flags & 0x800f != 2 {
        return None;
    }
    let mut offset = start + 6;
    if flags & 0x4000 != 0 {
        offset += 2;
    }
    if flags & 0x0800 != 0 {
        offset += 4;
    }
    if flags & 0x0200 != 0 {
        offset += 2 + u32::from(frame.be16(offset)?);
    }
    Some((Layer::Ppp, offset))
}

/// draft-massar-v6ops-ayiya-02 section 3: lengths of identity and signature, then what comes next.
#[inline(always)]
fn ayiya<F: Frame>(frame: &F, start: u32) -> Inside {
    let header = frame.view::<8>(start)?;
    let identity = 1_u32 << (header.u8::<0>() >> 4);
    let signature = u32::from(header.u8::<1>() >> 4) * 4;
    if header.u8::<3>() != 41 {
        return None;
    }
    Some((Layer::Ip6, start + 8 + identity + signature))
}
