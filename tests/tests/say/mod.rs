//! Frames in which hosts say who they are.
#![allow(dead_code, reason = "each test uses what it needs")]

pub(crate) mod neighbour;

use etherparse::PacketBuilder;

const SERVER: [u8; 6] = [2, 0, 0, 0, 0, 0x99];

/// A UDP datagram to everyone.
pub(crate) fn datagram(source: [u8; 4], from: u16, to: u16, payload: &[u8]) -> Vec<u8> {
    datagram_of([2, 0, 0, 0, 0, source[3]], source, from, to, payload)
}

/// The same from an Ethernet address.
fn datagram_of(mac: [u8; 6], source: [u8; 4], from: u16, to: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    PacketBuilder::ethernet2(mac, [0xff; 6])
        .ipv4(source, [224, 0, 0, 251], 255)
        .udp(from, to)
        .write(&mut frame, payload)
        .unwrap();
    frame
}

/// An ARP message.
pub(crate) fn arp(operation: u8, mac: [u8; 6], sender: [u8; 4], target: [u8; 4]) -> Vec<u8> {
    let mut frame = vec![0xff; 6];
    frame.extend(mac);
    frame.extend([8, 6, 0, 1, 8, 0, 6, 4, 0, operation]);
    frame.extend(mac);
    frame.extend(sender);
    frame.extend([0; 6]);
    frame.extend(target);
    frame
}

/// A short connection of a device to a server.
pub(crate) fn tcp(mac: [u8; 6], address: [u8; 4]) -> Vec<Vec<u8>> {
    const PEER: [u8; 4] = [10, 0, 0, 1];
    let there = |sequence| {
        PacketBuilder::ethernet2(mac, SERVER)
            .ipv4(address, PEER, 64)
            .tcp(40_000, 104, sequence, 1_000)
    };
    let back = |sequence| {
        PacketBuilder::ethernet2(SERVER, mac)
            .ipv4(PEER, address, 64)
            .tcp(104, 40_000, sequence, 1_000)
            .ack(1)
    };
    let mut frames = vec![Vec::new(); 4];
    there(0).syn().write(&mut frames[0], &[]).unwrap();
    back(0).syn().write(&mut frames[1], &[]).unwrap();
    there(1).ack(1).write(&mut frames[2], b"hello").unwrap();
    back(1).write(&mut frames[3], b"hello").unwrap();
    frames
}

/// A DHCP message.
pub(crate) struct Dhcp {
    frame_mac: [u8; 6],
    head: Vec<u8>,
    options: Vec<u8>,
}

impl Dhcp {
    pub(crate) fn new(operation: u8, mac: [u8; 6]) -> Self {
        let mut head = vec![0; 236];
        head[..3].copy_from_slice(&[operation, 1, 6]);
        head[28..34].copy_from_slice(&mac);
        Self {
            frame_mac: if operation == 2 { SERVER } else { mac },
            head,
            options: Vec::new(),
        }
    }

    /// From another Ethernet address than the client's, or than the server's.
    pub(crate) fn sent_by(mut self, mac: [u8; 6]) -> Self {
        self.frame_mac = mac;
        self
    }

    /// The transaction.
    pub(crate) fn transaction(mut self, number: u32) -> Self {
        self.head[4..8].copy_from_slice(&number.to_be_bytes());
        self
    }

    /// The relay agent.
    pub(crate) fn relay(mut self, address: [u8; 4]) -> Self {
        self.head[24..28].copy_from_slice(&address);
        self
    }

    pub(crate) fn yours(mut self, address: [u8; 4]) -> Self {
        self.head[16..20].copy_from_slice(&address);
        self
    }

    /// The fields `sname` and `file`, and what follows the hardware address.
    pub(crate) fn legacy_names(mut self, name: &str) -> Self {
        for at in [44, 108] {
            self.head[at..at + name.len()].copy_from_slice(name.as_bytes());
        }
        self.head[34..44].copy_from_slice(&name.as_bytes()[..10]);
        self
    }

    pub(crate) fn option(mut self, code: u8, value: &[u8]) -> Self {
        self.options
            .extend([code, u8::try_from(value.len()).unwrap()]);
        self.options.extend(value);
        self
    }

    pub(crate) fn frame(&self) -> Vec<u8> {
        let mut payload = self.head.clone();
        payload.extend([0x63, 0x82, 0x53, 0x63]);
        payload.extend(&self.options);
        payload.push(255);
        let (from, to, source) = if self.head[0] == 2 {
            (67, 68, [10, 0, 0, 1])
        } else {
            (68, 67, [0; 4])
        };
        datagram_of(self.frame_mac, source, from, to, &payload)
    }
}

/// A record of a DNS message.
pub(crate) struct Answer(Vec<u8>);

impl Answer {
    pub(crate) fn new(name: &[&str], kind: u16, data: &[u8]) -> Self {
        let mut bytes = Vec::new();
        for label in name {
            bytes.push(u8::try_from(label.len()).unwrap());
            bytes.extend(label.as_bytes());
        }
        bytes.push(0);
        bytes.extend(kind.to_be_bytes());
        bytes.extend([0x80, 1, 0, 0, 0, 120]);
        bytes.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        bytes.extend(data);
        Self(bytes)
    }

    pub(crate) fn address(name: &[&str], address: [u8; 4]) -> Self {
        Self::new(name, 1, &address)
    }
}

/// A multicast DNS answer.
pub(crate) fn answers(answers: &[Answer]) -> Vec<u8> {
    let mut message = vec![0, 0, 0x84, 0, 0, 0];
    message.extend(u16::try_from(answers.len()).unwrap().to_be_bytes());
    message.extend([0; 4]);
    message.extend(answers.iter().flat_map(|answer| &answer.0));
    message
}
