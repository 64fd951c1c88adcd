//! Ethernet, IPv4, UDP and ICMP headers.

use std::net::Ipv4Addr;

use super::burst::Burst;

/// An Ethernet address.
pub type Mac = [u8; 6];

/// Where a packet comes from and goes to, and how.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// Ethernet source, as at the mirror.
    pub from_mac: Mac,
    /// Ethernet destination.
    pub to_mac: Mac,
    /// The IPv4 source address.
    pub from: Ipv4Addr,
    /// The IPv4 destination address.
    pub to: Ipv4Addr,
    /// Time to live.
    pub ttl: u8,
}

/// IPv4 header (RFC 791): `length` is that of the whole packet.
pub(super) fn ip(out: &mut Vec<u8>, way: &Way, protocol: u8, length: u16, id: u16) {
    out.extend_from_slice(&way.to_mac);
    out.extend_from_slice(&way.from_mac);
    let [l0, l1] = length.to_be_bytes();
    let [i0, i1] = id.to_be_bytes();
    let [a0, a1, a2, a3] = way.from.octets();
    let [b0, b1, b2, b3] = way.to.octets();
    let mut header = [
        8, 0, 0x45, 0, l0, l1, i0, i1, 0x40, 0, way.ttl, protocol, 0, 0, a0, a1, a2, a3, b0, b1,
        b2, b3,
    ];
    let mut sum: u32 = header[2..]
        .chunks_exact(2)
        .map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])))
        .sum();
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    let [c0, c1] = (!u16::try_from(sum).unwrap_or(0)).to_be_bytes();
    (header[12], header[13]) = (c0, c1);
    out.extend_from_slice(&header);
}

/// A UDP datagram (RFC 768) without checksum.
pub fn udp(burst: &mut Burst, way: &Way, ports: (u16, u16), id: u16, payload: &[u8]) {
    let length = u16::try_from(payload.len() + 8).unwrap_or(u16::MAX);
    burst.frame(|out| {
        ip(out, way, 17, length + 20, id);
        out.extend_from_slice(&ports.0.to_be_bytes());
        out.extend_from_slice(&ports.1.to_be_bytes());
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&[0, 0]);
        out.extend_from_slice(payload);
    });
}

/// An ICMP echo request, or the reply (RFC 792).
pub fn echo(burst: &mut Burst, way: &Way, reply: bool, id: u16, sequence: u16) {
    burst.frame(|out| {
        ip(out, way, 1, 84, id);
        out.extend_from_slice(&[if reply { 0 } else { 8 }, 0, 0, 0]);
        out.extend_from_slice(&id.to_be_bytes());
        out.extend_from_slice(&sequence.to_be_bytes());
        out.extend_from_slice(&[0x61; 56]);
    });
}
