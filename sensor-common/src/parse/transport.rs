//! TCP (RFC 9293), UDP (RFC 768), ICMP (RFC 792, RFC 4443): ports, and the flow key.

use crate::{
    bytes::{Frame, View},
    counter::Counter,
    key::Key4,
    packet::{Packet, Reach, protocol},
    registry::Topic,
};

/// Reads the transport header at the offset, leaves the offset at the payload, and completes the key.
#[inline(always)]
pub(crate) fn parse<F: Frame>(frame: &F, packet: &mut Packet) -> Result<(), Counter> {
    packet.tcp_flags = 0;
    packet.window = 0;
    packet.sequence = 0;
    packet.fingerprint = 0;
    let start = packet.offset;
    packet.transport = start;
    let mut header = 0;
    let (mut source, mut destination) = (0_u16, 0_u16);
    let mut checksum = 0;
    if !packet.is_later_fragment() {
        match packet.protocol {
            protocol::TCP => {
                let h = frame.view::<20>(start).ok_or(Counter::TransportMalformed)?;
                header = u32::from(h.u8::<12>() >> 4) * 4;
                if header < 20 || header > packet.payload_length {
                    return Err(Counter::TransportMalformed);
                }
                (source, destination) = (h.be16::<0>(), h.be16::<2>());
                packet.sequence = h.be32::<4>();
                packet.tcp_flags = h.u8::<13>();
                packet.window = h.be16::<14>();
                checksum = h.ne16::<16>();
            }
            protocol::UDP => {
                let h = frame.view::<8>(start).ok_or(Counter::TransportMalformed)?;
                header = 8;
                if header > packet.payload_length {
                    return Err(Counter::TransportMalformed);
                }
                (source, destination) = (h.be16::<0>(), h.be16::<2>());
                checksum = h.ne16::<6>();
                packet.mark_topic(Topic::of_udp(source, destination));
            }
            protocol::ICMP | protocol::ICMP6 => {
                let h = frame.view::<2>(start).ok_or(Counter::TransportMalformed)?;
                let (kind, code) = (h.u8::<0>(), h.u8::<1>());
                header = 8;
                if packet.protocol == protocol::ICMP6 {
                    packet.mark_topic(Topic::of_icmp6(kind));
                }
                let other = match icmp_counterpart(packet.protocol, kind) {
                    Some(counterpart) => counterpart,
                    None => code,
                };
                (source, destination) = (u16::from(kind), u16::from(other));
                if packet.payload_length < header {
                    header = packet.payload_length;
                }
            }
            protocol::SCTP => {
                let h = frame
                    .array::<12>(start)
                    .ok_or(Counter::TransportMalformed)?;
                header = 12;
                if header > packet.payload_length {
                    return Err(Counter::TransportMalformed);
                }
                (source, destination) = (h.be16::<0>(), h.be16::<2>());
            }
            _ => {}
        }
    }
    packet.offset = start + header;
    packet.payload_length -= header;
    let there = frame.len().saturating_sub(packet.offset);
    packet.payload_captured = if there < packet.payload_length {
        there
    } else {
        packet.payload_length
    };
    packet.first_byte = 0;
    if packet.payload_captured > 0 {
        packet.first_byte = frame.u8(packet.offset).unwrap_or(0);
    }
    complete_key(packet, source, destination);
    packet.fingerprint = fingerprint(packet, checksum);
    Ok(())
}

/// Puts the endpoints in order; equal endpoints stay as they are.
#[inline(always)]
fn complete_key(packet: &mut Packet, source_port: u16, destination_port: u16) {
    let ports_turned = source_port > destination_port;
    let protocol = packet.protocol;
    let turned;
    if packet.family == 4 {
        let key = &mut packet.key4;
        let (source, destination) = (key.addr_a, key.addr_b);
        let order = (u32::from_be_bytes(source), u32::from_be_bytes(destination));
        turned = order.0 > order.1 || (order.0 == order.1 && ports_turned);
        let ends = if turned {
            (destination, source)
        } else {
            (source, destination)
        };
        let ([a0, a1], [b0, b1]) = ordered(turned, source_port, destination_port);
        *key = Key4::of_words(
            u32::from_ne_bytes(ends.0),
            u32::from_ne_bytes(ends.1),
            u32::from_ne_bytes([a0, a1, b0, b1]),
            protocol,
        );
    } else {
        let key = &mut packet.key6;
        let (source, destination) = (key.addr_a, key.addr_b);
        let order = (
            u128::from_be_bytes(source),
            u128::from_be_bytes(destination),
        );
        turned = order.0 > order.1 || (order.0 == order.1 && ports_turned);
        if turned {
            (key.addr_a, key.addr_b) = (destination, source);
        }
        (key.port_a, key.port_b) = ordered(turned, source_port, destination_port);
        key.protocol = protocol;
        key.family = 6;
        key.pad = [0; 2];
    }
    packet.direction = u8::from(turned);
    packet.reach = Reach::Key as u8;
}

#[inline(always)]
const fn ordered(turned: bool, source: u16, destination: u16) -> ([u8; 2], [u8; 2]) {
    let (a, b) = if turned {
        (destination, source)
    } else {
        (source, destination)
    };
    (a.to_be_bytes(), b.to_be_bytes())
}

/// What makes two packets of a direction the same packet, delivered twice by a mirror.
///
/// With an IPv4 identification, that and the transport checksum. Without one (IPv6, or the 0 that
/// RFC 6864 allows) only TCP with payload can be told: its sequence number and checksum. 0: not to
/// be told.
#[inline(always)]
fn fingerprint(packet: &Packet, checksum: u16) -> u64 {
    let identified = packet.ip_id != 0;
    let tcp = packet.is_tcp();
    let told_apart = if tcp {
        identified || packet.payload_length > 0
    } else {
        identified && packet.protocol == protocol::UDP
    };
    if !told_apart {
        return 0;
    }
    join(
        packet.ip_id,
        checksum,
        packet.sequence,
        packet.tcp_flags,
        packet.ip_length,
    )
}

/// What a fingerprint is made of, in one number that is not 0; the checksum as it is read, whatever the machine's order, as
/// it is only compared.
#[inline(always)]
pub(crate) const fn join(ip_id: u16, checksum: u16, sequence: u32, flags: u8, length: u32) -> u64 {
    let low = (ip_id as u64) << 48 | (checksum as u64) << 32 | sequence as u64;
    // The flags and the length join by rotation, so that the four stay apart in practice.
    let high = (flags as u64) << 16 | (length & 0xffff) as u64 | 1 << 63;
    low ^ high.rotate_left(20)
}

/// The type that answers an ICMP type, as Community ID v1 pairs them (its specification follows Zeek);
/// `None` for a message that has no answer.
#[inline(always)]
#[must_use]
pub(crate) const fn icmp_counterpart(ip_protocol: u8, kind: u8) -> Option<u8> {
    if ip_protocol == protocol::ICMP {
        Some(match kind {
            0 => 8,
            8 => 0,
            9 => 10,
            10 => 9,
            13 => 14,
            14 => 13,
            15 => 16,
            16 => 15,
            17 => 18,
            18 => 17,
            _ => return None,
        })
    } else {
        Some(match kind {
            128 => 129,
            129 => 128,
            130 => 131,
            131 => 130,
            133 => 134,
            134 => 133,
            135 => 136,
            136 => 135,
            139 => 140,
            140 => 139,
            144 => 145,
            145 => 144,
            _ => return None,
        })
    }
}
