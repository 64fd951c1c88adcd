//! Capture files, built byte by byte.

use etherparse::PacketBuilder;

const MESSAGE: &[u8] =
    b"\x0bMSH|^~\\&|LAB|WARD3|EHR|MAIN|20260105101500||ORU^R01|C1|P|2.5.1\rPID|1||4711\r\x1c\r";
const ANSWER: &[u8] =
    b"\x0bMSH|^~\\&|EHR|MAIN|LAB|WARD3|20260105101501||ACK|C2|P|2.5.1\rMSA|AA|C1\r\x1c\r";

/// Time of the first packet, nanoseconds since 1970: a whole number of microseconds.
pub(crate) const BEGIN: u64 = 1_767_607_200_123_456_000;
/// Between two packets.
pub(crate) const STEP: u64 = 1_000_000;

/// An HL7 message and its acknowledgement, as IP packets with their times.
pub(crate) fn conversation() -> Vec<(u64, Vec<u8>)> {
    let (client, server) = ([10, 1, 0, 1], [10, 1, 0, 2]);
    let one = |from, to, ports: (u16, u16), payload: &[u8]| {
        let builder = PacketBuilder::ipv4(from, to, 64).tcp(ports.0, ports.1, 1, 1_000);
        let mut bytes = Vec::new();
        builder.ack(1).write(&mut bytes, payload).map(|()| bytes)
    };
    let packets = [
        one(client, server, (50_000, 2_575), MESSAGE),
        one(server, client, (2_575, 50_000), ANSWER),
    ];
    (0..)
        .zip(packets.into_iter().flatten())
        .map(|(number, packet)| (BEGIN + number * STEP, packet))
        .collect()
}

/// Refused connections to so many ports of one host, by raw IP packets.
pub(crate) fn refusals(ports: u16) -> Vec<(u64, Vec<u8>)> {
    let (client, server) = ([10, 1, 0, 66], [10, 1, 0, 2]);
    let packet = |from, to, ports: (u16, u16), refused: bool| {
        let builder = PacketBuilder::ipv4(from, to, 64).tcp(ports.0, ports.1, 1, 1_000);
        let builder = if refused {
            builder.rst().ack(2)
        } else {
            builder.syn()
        };
        let mut bytes = Vec::new();
        builder.write(&mut bytes, &[]).map(|()| bytes)
    };
    let mut time = BEGIN;
    let mut packets = Vec::new();
    for port in 1..=ports {
        let both = [
            packet(client, server, (40_000, port), false),
            packet(server, client, (port, 40_000), true),
        ];
        for one in both.into_iter().flatten() {
            packets.push((time, one));
            time += STEP;
        }
    }
    packets
}

/// 802.11 to a station, then SNAP.
const WIFI: [u8; 32] = [
    8, 2, 0, 0, 2, 0, 0, 0, 0, 2, 2, 9, 9, 9, 9, 9, 2, 0, 0, 0, 0, 1, 0x10, 0, 0xaa, 0xaa, 3, 0, 0,
    0, 8, 0,
];

/// An IP packet as it is captured with a link type.
pub(crate) fn framed(link: u32, packet: &[u8]) -> Vec<u8> {
    let before: &[u8] = match link {
        0 => &[2, 0, 0, 0],
        108 => &[0, 0, 0, 2],
        1 => &[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x81, 0, 0, 7, 8, 0],
        113 => &[0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0],
        276 => &[8, 0, 0, 0, 0, 0, 0, 3, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0],
        6 => &[
            0x10, 0x40, 2, 0, 0, 0, 0, 2, 0x82, 0, 0, 0, 0, 1, 2, 0, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0,
        ],
        7 => &[1, 2, 212, 0, 0, 7],
        9 => &[0xff, 3, 0, 0x21],
        10 => &[
            0x50, 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0,
        ],
        11 => &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0],
        50 => &[0x0f, 0, 8, 0],
        51 => &[0x11, 0, 0, 1, 0, 0, 0, 0x21],
        104 => &[0x8f, 0, 8, 0],
        105 => &WIFI,
        107 => &[0x18, 0x41, 3, 0xcc],
        119 => return [&[0; 144], &WIFI[..], packet].concat(),
        127 => return [&[0, 0, 10, 0, 0, 0, 0, 0, 9, 9], &WIFI[..], packet].concat(),
        138 => return [&[7; 16], &[8, 0][..], packet].concat(),
        163 => {
            return [
                &[0x80, 0x21, 0x10, 1, 0, 0, 0, 64],
                &[0; 56][..],
                &WIFI,
                packet,
            ]
            .concat();
        }
        166 => &[1, 3, 0, 0x21],
        192 => return [&[0, 0, 12, 0, 105, 0, 0, 0, 1, 1, 1, 1], &WIFI[..], packet].concat(),
        204 => &[0, 0xff, 3, 0, 0x21],
        239 => {
            let length = u16::try_from(packet.len() + 4)
                .unwrap_or_default()
                .to_le_bytes();
            let before = [
                2, 0, 0, 1, 5, 0, 10, 0, 1, 0, 0, 0, length[0], length[1], 9, 0,
            ];
            return [&before, packet].concat();
        }
        _ => &[],
    };
    [before, packet].concat()
}

/// How numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Little,
    Big,
}

impl Order {
    fn word(self, number: u32) -> [u8; 4] {
        match self {
            Self::Little => number.to_le_bytes(),
            Self::Big => number.to_be_bytes(),
        }
    }

    fn half(self, number: u16) -> [u8; 2] {
        match self {
            Self::Little => number.to_le_bytes(),
            Self::Big => number.to_be_bytes(),
        }
    }
}

fn low(number: u64) -> u32 {
    u32::try_from(number & 0xffff_ffff).unwrap_or_default()
}

fn length(bytes: &[u8]) -> u32 {
    low(bytes.len() as u64)
}

/// A pcap file (draft-ietf-opsawg-pcap) of captured packets.
pub(crate) fn pcap(
    order: Order,
    nanoseconds: bool,
    link: u32,
    packets: &[(u64, Vec<u8>)],
) -> Vec<u8> {
    let (magic, unit) = if nanoseconds {
        (0xa1b2_3c4d, 1)
    } else {
        (0xa1b2_c3d4, 1_000)
    };
    let mut file = order.word(magic).to_vec();
    file.extend([order.half(2), order.half(4)].concat());
    for word in [0, 0, 65_535, link] {
        file.extend(order.word(word));
    }
    for (time, packet) in packets {
        let (seconds, rest) = (time / 1_000_000_000, time % 1_000_000_000 / unit);
        for word in [low(seconds), low(rest), length(packet), length(packet)] {
            file.extend(order.word(word));
        }
        file.extend(packet);
    }
    file
}

/// The modified format of Linux before 2000: eight bytes more for each packet.
pub(crate) fn modified(order: Order, link: u32, packets: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let mut file = pcap(order, false, link, &[]);
    file.splice(..4, order.word(0xa1b2_cd34));
    for packet in packets {
        let ordinary = pcap(order, false, link, std::slice::from_ref(packet));
        let (header, data) = ordinary[24..].split_at(16);
        file.extend([header, &[0xee; 8], data].concat());
    }
    file
}

/// A block of pcapng (draft-ietf-opsawg-pcapng section 3.1).
pub(crate) fn block(order: Order, kind: u32, body: &[u8]) -> Vec<u8> {
    let padded = body.len().next_multiple_of(4);
    let mut bytes = order.word(kind).to_vec();
    let total = order.word(low(padded as u64 + 12));
    bytes.extend(total);
    bytes.extend(body);
    bytes.resize(8 + padded, 0);
    bytes.extend(total);
    bytes
}

/// Section header.
pub(crate) fn section(order: Order) -> Vec<u8> {
    let mut body = order.word(0x1a2b_3c4d).to_vec();
    body.extend([order.half(1), order.half(0)].concat());
    body.extend([0xff; 8]);
    block(order, 0x0a0d_0d0a, &body)
}

/// Interface description; `resolution` is the value of the option `if_tsresol`.
pub(crate) fn interface(order: Order, link: u16, resolution: Option<u8>) -> Vec<u8> {
    let mut body = [order.half(link), order.half(0)].concat();
    body.extend(order.word(0));
    if let Some(resolution) = resolution {
        body.extend([order.half(9), order.half(1)].concat());
        body.extend([resolution, 0, 0, 0, 0, 0, 0, 0]);
    }
    block(order, 1, &body)
}

/// Enhanced packet.
pub(crate) fn enhanced(order: Order, interface: u32, ticks: u64, packet: &[u8]) -> Vec<u8> {
    let words = [
        interface,
        low(ticks >> 32),
        low(ticks),
        length(packet),
        length(packet),
    ];
    let mut body = words.map(|word| order.word(word)).concat();
    body.extend(packet);
    block(order, 6, &body)
}

/// Packet block, which is obsolete (draft-ietf-opsawg-pcapng appendix A).
pub(crate) fn obsolete(order: Order, interface: u16, ticks: u64, packet: &[u8]) -> Vec<u8> {
    let mut body = [order.half(interface), order.half(0)].concat();
    for word in [low(ticks >> 32), low(ticks), length(packet), length(packet)] {
        body.extend(order.word(word));
    }
    body.extend(packet);
    block(order, 2, &body)
}
