//! The conversation that is wrapped: an image is stored, whose patient has a name.

use crate::{
    bytes::{INNER_MACS, join},
    dicom,
};

pub(crate) const NAME: &str = "QZXKWJV^BFGHPQX";
/// Bytes of a segment at most: no packet needs to be cut to fit an encapsulation.
const SEGMENT: usize = 1_000;

/// A packet of the conversation.
#[derive(Clone)]
pub(crate) struct Packet {
    pub(crate) v6: bool,
    /// From the IP header on.
    pub(crate) ip: Vec<u8>,
    /// From the client.
    pub(crate) up: bool,
}

impl Packet {
    pub(crate) fn ether_type(&self) -> u16 {
        if self.v6 { 0x86dd } else { 0x0800 }
    }

    /// Destination, then source.
    pub(crate) fn macs(&self) -> [u8; 12] {
        let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5] = INNER_MACS;
        if self.up {
            INNER_MACS
        } else {
            [s0, s1, s2, s3, s4, s5, d0, d1, d2, d3, d4, d5]
        }
    }

    /// In Ethernet, with what comes between the addresses and the type.
    pub(crate) fn tagged(&self, tags: &[u8]) -> Vec<u8> {
        join(&[&self.macs(), tags, &self.typed()])
    }

    /// In Ethernet.
    pub(crate) fn frame(&self) -> Vec<u8> {
        self.tagged(&[])
    }

    /// Behind its type.
    pub(crate) fn typed(&self) -> Vec<u8> {
        join(&[&self.ether_type().to_be_bytes(), &self.ip])
    }

    /// In LLC and SNAP.
    pub(crate) fn snap(&self) -> Vec<u8> {
        join(&[&[0xaa, 0xaa, 3, 0, 0, 0], &self.typed()])
    }

    /// Behind the address and control of PPP, or its protocol alone.
    pub(crate) fn ppp(&self, begin: &[u8]) -> Vec<u8> {
        let protocol: [u8; 2] = if self.v6 { [0, 0x57] } else { [0, 0x21] };
        join(&[begin, &protocol, &self.ip])
    }
}

/// An image is stored, over IPv4 or IPv6.
pub(crate) fn stored(v6: bool) -> Vec<Packet> {
    let asked = dicom::store_in_turns(NAME);
    let answered = dicom::stored_in_turns(NAME);
    let mut sequence = [1_000_u32, 9_000];
    let mut packets = Vec::new();
    let mut send = |up: bool, flags: u8, payload: &[u8]| {
        let [mine, other] = if up {
            [sequence[0], sequence[1]]
        } else {
            [sequence[1], sequence[0]]
        };
        let id = u16::try_from(packets.len()).unwrap() + 1;
        let acknowledged = if flags == 2 { 0 } else { other };
        packets.push(Packet {
            v6,
            ip: segment(v6, up, id, [mine, acknowledged], flags, payload),
            up,
        });
        let grown = u32::try_from(payload.len()).unwrap() + u32::from(flags & 3 != 0);
        sequence[usize::from(!up)] += grown;
    };
    send(true, 2, &[]);
    send(false, 0x12, &[]);
    send(true, 0x10, &[]);
    for (asked, answered) in asked.iter().zip(&answered) {
        for piece in asked.chunks(SEGMENT) {
            send(true, 0x18, piece);
        }
        for piece in answered.chunks(SEGMENT) {
            send(false, 0x18, piece);
        }
    }
    send(true, 0x11, &[]);
    send(false, 0x11, &[]);
    send(true, 0x10, &[]);
    packets
}

fn segment(v6: bool, up: bool, id: u16, numbers: [u32; 2], flags: u8, payload: &[u8]) -> Vec<u8> {
    let ports: [u16; 2] = if up { [49_152, 104] } else { [104, 49_152] };
    let mut tcp = join(&[
        &ports[0].to_be_bytes(),
        &ports[1].to_be_bytes(),
        &numbers[0].to_be_bytes(),
        &numbers[1].to_be_bytes(),
        &[0x50, flags, 0xfa, 0xf0, 0, 0, 0, 0],
        payload,
    ]);
    let (client, server) = ([10, 20, 0, 5], [10, 20, 0, 9]);
    let length = u16::try_from(tcp.len()).unwrap();
    let ends: Vec<Vec<u8>> = [client, server]
        .iter()
        .map(|end: &[u8; 4]| {
            if v6 {
                join(&[&[0x20, 1, 0x0d, 0xb8], &[0; 8], end])
            } else {
                end.to_vec()
            }
        })
        .collect();
    let ends = if up {
        join(&[&ends[0], &ends[1]])
    } else {
        join(&[&ends[1], &ends[0]])
    };
    let sum = checksum(&[&ends, &[0, 6], &length.to_be_bytes(), &tcp]);
    tcp[16..18].copy_from_slice(&sum.to_be_bytes());
    if v6 {
        return join(&[
            &[0x60, 0, 0, 0],
            &length.to_be_bytes(),
            &[6, 64],
            &ends,
            &tcp,
        ]);
    }
    let mut header = join(&[
        &[0x45, 0],
        &(length + 20).to_be_bytes(),
        &id.to_be_bytes(),
        &[0, 0, 64, 6, 0, 0],
        &ends,
    ]);
    let sum = checksum(&[&header]);
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    join(&[&header, &tcp])
}

/// RFC 1071.
fn checksum(parts: &[&[u8]]) -> u16 {
    let bytes = join(parts);
    let mut sum: u32 = bytes
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap()
}
