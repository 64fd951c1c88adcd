//! Mirrors that come in a tunnel: GRE, ERSPAN, VXLAN.

use crate::{
    bytes::Frame,
    counter::Counter,
    packet::{Layer, Packet, Tunnel},
};

/// UDP port of VXLAN (RFC 7348 section 5).
const VXLAN_PORT: u16 = 4789;

const GRE_CHECKSUM: u16 = 0x8000;
const GRE_ROUTING: u16 = 0x4000;
const GRE_KEY: u16 = 0x2000;
const GRE_SEQUENCE: u16 = 0x1000;
const GRE_VERSION: u16 = 0x0007;

/// Reads a GRE header (RFC 2784, RFC 2890) at the offset, and the ERSPAN header in it
/// (draft-foschiano-erspan-03 section 4).
///
/// True: the offset stands at the inner layer. False: GRE that is not unwrapped (PPTP, source routing,
/// another protocol inside); it stays an ordinary packet of its outer flow.
#[inline(always)]
pub(crate) fn gre<F: Frame>(frame: &F, packet: &mut Packet) -> Result<bool, Counter> {
    let start = packet.offset;
    let [f0, f1, p0, p1] = frame.array::<4>(start).ok_or(Counter::TunnelMalformed)?;
    let flags = u16::from_be_bytes([f0, f1]);
    if flags & (GRE_ROUTING | GRE_VERSION) != 0 {
        return Ok(false);
    }
    let mut offset = start + 4;
    if flags & GRE_CHECKSUM != 0 {
        offset += 4;
    }
    if flags & GRE_KEY != 0 {
        offset += 4;
    }
    if flags & GRE_SEQUENCE != 0 {
        offset += 4;
    }
    let (tunnel, layer) = match u16::from_be_bytes([p0, p1]) {
        0x0800 | 0x86dd => (Tunnel::Gre, Layer::Ip),
        0x6558 => (Tunnel::Gre, Layer::Ethernet),
        0x88be => {
            // Type II always has a sequence number and a header of its own, type I neither.
            if flags & GRE_SEQUENCE != 0 {
                offset += 8;
            }
            (Tunnel::Erspan, Layer::Ethernet)
        }
        0x22eb => {
            let [b10, b11] = frame
                .array::<2>(offset + 10)
                .ok_or(Counter::TunnelMalformed)?;
            offset += 12;
            if b11 & 1 != 0 {
                offset += 8;
            }
            match (b10 >> 2) & 0x1f {
                0 => (Tunnel::Erspan, Layer::Ethernet),
                2 => (Tunnel::Erspan, Layer::Ip),
                _ => return Ok(false),
            }
        }
        _ => return Ok(false),
    };
    packet.tunnels |= tunnel as u8;
    packet.layer = layer as u8;
    packet.offset = offset;
    Ok(true)
}

/// True if the UDP payload at the offset is VXLAN (RFC 7348 section 5); the offset then stands at the
/// inner Ethernet header.
#[inline(always)]
pub(crate) fn vxlan<F: Frame>(frame: &F, packet: &mut Packet) -> bool {
    if packet.is_later_fragment() || packet.destination_port() != VXLAN_PORT {
        return false;
    }
    // Flags with only the I bit, then reserved zeros: eight bytes that plain data rarely has.
    match frame.array::<8>(packet.offset) {
        Some([0x08, 0, 0, 0, _, _, _, 0]) => {
            packet.tunnels |= Tunnel::Vxlan as u8;
            packet.layer = Layer::Ethernet as u8;
            packet.offset += 8;
            true
        }
        _ => false,
    }
}
