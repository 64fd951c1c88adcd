//! GRE and what it carries: packets, frames, and the mirrors of ERSPAN.

use super::Outcome;
use crate::{
    bytes::{Frame, View},
    counter::Counter,
    packet::{Layer, Packet, Tunnel, unread},
};

const CHECKSUM: u16 = 0x8000;
const ROUTING: u16 = 0x4000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;
/// Of version 1 (RFC 2637 section 4.1).
const ACKNOWLEDGEMENT: u16 = 0x0080;
const VERSION: u16 = 0x0007;

/// Reads a GRE header (RFC 2784, RFC 2890; version 1: RFC 2637) at the offset, and the ERSPAN header in it
/// (draft-foschiano-erspan-03 section 4).
///
/// GRE that is not unwrapped (source routing, encrypted PPP, another protocol inside) stays an ordinary packet of its
/// outer flow.
#[inline(always)]
pub(super) fn unwrap<F: Frame>(frame: &F, packet: &mut Packet) -> Outcome {
    let start = packet.offset;
    let Some(header) = frame.view::<4>(start) else {
        return malformed(packet);
    };
    let (flags, protocol) = (header.be16::<0>(), header.be16::<2>());
    let kind = unread::kind(unread::By::Gre, protocol);
    let version = flags & VERSION;
    if flags & ROUTING != 0 || version > 1 || (version == 1 && protocol != 0x880b) {
        return packet.stay(kind);
    }
    let mut offset = start + 4;
    if flags & CHECKSUM != 0 {
        offset += 4;
    }
    if flags & KEY != 0 {
        offset += 4;
    }
    if flags & SEQUENCE != 0 {
        offset += 4;
    }
    if version == 1 && flags & ACKNOWLEDGEMENT != 0 {
        offset += 4;
    }
    let (tunnel, layer) = match protocol {
        0x0800 | 0x86dd => (Tunnel::Gre, Layer::Ip),
        0x6558 => (Tunnel::Gre, Layer::Ethernet),
        0x8847 | 0x8848 => (Tunnel::Gre, Layer::Mpls),
        0x880b => {
            packet.unread = kind;
            return packet.propose(Tunnel::Gre, Layer::Ppp, offset);
        }
        0x88be => {
            // Type II always has a sequence number and a header of its own, type I neither.
            if flags & SEQUENCE != 0 {
                offset += 8;
            }
            (Tunnel::Erspan, Layer::Ethernet)
        }
        0x22eb => {
            let Some(end) = frame.view::<2>(offset + 10) else {
                return malformed(packet);
            };
            offset += 12;
            if end.u8::<1>() & 1 != 0 {
                offset += 8;
            }
            match (end.u8::<0>() >> 2) & 0x1f {
                0 => (Tunnel::Erspan, Layer::Ethernet),
                2 => (Tunnel::Erspan, Layer::Ip),
                _ => return packet.stay(kind),
            }
        }
        _ => return packet.stay(kind),
    };
    packet.enter(tunnel as u16, layer as u8, offset)
}

#[inline(always)]
fn malformed(packet: &mut Packet) -> Outcome {
    packet.forget_addresses();
    Outcome::Done(Counter::TunnelMalformed)
}
