//! Headers that several encapsulations have.

use crate::{
    bytes::{join, over_gre, over_udp},
    conversation::Packet,
};

pub(super) fn tag(kind: u16, id: u16) -> [u8; 4] {
    let ([k0, k1], [i0, i1]) = (kind.to_be_bytes(), id.to_be_bytes());
    [k0, k1, i0 | 0x60, i1]
}

/// Labels of MPLS, the last with the bottom's bit.
pub(super) fn labels(count: u8) -> Vec<u8> {
    (1..=count)
        .flat_map(|n| [0, 0x10 + n, u8::from(n == count), 64])
        .collect()
}

pub(super) fn pppoe(ppp: &[u8]) -> Vec<u8> {
    let length = u16::try_from(ppp.len()).unwrap();
    join(&[&[0x11, 0, 0, 7], &length.to_be_bytes(), ppp])
}

/// A data frame of 802.11 from the access point: control, duration, receiver, access point, source, sequence.
pub(super) fn wifi(p: &Packet, control: [u8; 2], more: &[u8], body: &[u8]) -> Vec<u8> {
    let macs = p.macs();
    join(&[
        &control,
        &[0, 0],
        &macs[..6],
        &[2, 9, 9, 9, 9, 9],
        &macs[6..],
        &[0x10, 0],
        more,
        body,
    ])
}

pub(super) const VXLAN: [u8; 8] = [8, 0, 0, 0, 0, 0, 42, 0];

/// CAPWAP: header of two words, radio 1, 802.11 or not.
pub(super) fn capwap(native: u8, inside: &[u8]) -> Vec<u8> {
    let header = [0, 2 << 3, 0x40 | 1 << 1 | native, 0, 0, 0, 0, 0];
    over_udp(5_247, &header, inside)
}

pub(super) fn erspan3(p: &Packet, platform: bool) -> Vec<u8> {
    let mut header = vec![0, 0, 0, 9, 0x20, 1, 0, 1, 0, 0, 0, 9, 0, 0, 0, 0x0e];
    if platform {
        header[15] |= 1;
        header.extend([0x77; 8]);
    }
    over_gre(0x1000, 0x22eb, &header, &p.frame())
}

pub(super) fn geneve(kind: u16, options: &[u8], inside: &[u8]) -> Vec<u8> {
    let words = u8::try_from(options.len() / 4).unwrap();
    let header = join(&[&[words, 0x40], &kind.to_be_bytes(), &[0, 0, 42, 0], options]);
    over_udp(6_081, &header, inside)
}

pub(super) fn vxlan(header: [u8; 8], p: &Packet) -> Vec<u8> {
    over_udp(4_789, &header, &p.frame())
}

pub(super) fn gtp(flags: u8, more: &[u8], p: &Packet) -> Vec<u8> {
    let length = u16::try_from(p.ip.len() + more.len()).unwrap();
    let header = join(&[
        &[0x30 | flags, 255],
        &length.to_be_bytes(),
        &[0, 0, 0, 9],
        more,
    ]);
    over_udp(2_152, &header, &p.ip)
}

/// IPv6 extension headers before the transport header.
pub(super) fn extended(p: &Packet, chain: &[(u8, usize)]) -> Vec<u8> {
    let mut ip = p.ip[..40].to_vec();
    let mut next = chain.iter().skip(1).map(|(number, _)| *number);
    let mut bytes = Vec::new();
    for (number, length) in chain {
        let mut header = vec![0; *length];
        header[0] = next.next().unwrap_or(6);
        header[1] = u8::try_from(match number {
            44 => 0,
            51 => length / 4 - 2,
            _ => length / 8 - 1,
        })
        .unwrap();
        bytes.extend(header);
    }
    ip[6] = chain[0].0;
    let length = u16::try_from(bytes.len() + p.ip.len() - 40).unwrap();
    ip[4..6].copy_from_slice(&length.to_be_bytes());
    join(&[&ip, &bytes, &p.ip[40..]])
}

/// An authentication header before the transport header, of either version.
pub(super) fn authenticated(p: &Packet) -> Vec<u8> {
    if p.v6 {
        return extended(p, &[(51, 24)]);
    }
    let mut ip = p.ip.clone();
    ip[9] = 51;
    let length = u16::try_from(ip.len() + 24).unwrap();
    ip[2..4].copy_from_slice(&length.to_be_bytes());
    let header = [
        6, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9,
    ];
    ip.splice(20..20, header);
    ip
}
