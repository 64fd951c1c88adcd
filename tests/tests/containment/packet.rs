//! A packet by its parts, and the frame that it is.

use std::net::IpAddr;

use pnet::util::MacAddr;

/// What is above the IP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    /// TCP, with source and destination port.
    Tcp(u16, u16),
    /// UDP, with source and destination port.
    Udp(u16, u16),
    /// `ICMP` or `ICMPv6` of a type.
    Icmp(u8),
    /// A fragment other than the first, of TCP.
    Fragment,
    /// TCP, cut inside its header: the addresses are known, no port.
    Cut,
}

/// What is above the Ethernet header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// An ARP request, which is no IP packet.
    Arp,
    /// An `EtherType` that is not IP.
    Other,
    /// IP from one address to another of the same family.
    Ip(IpAddr, IpAddr, Transport),
}

/// A packet, before its bytes are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packet {
    pub(crate) source: MacAddr,
    pub(crate) destination: MacAddr,
    pub(crate) vlans: Vec<u16>,
    pub(crate) body: Body,
}

impl Packet {
    /// The frame, without checksums: the sensor checks none.
    pub(crate) fn frame(&self) -> Vec<u8> {
        let mut frame = Vec::new();
        frame.extend(<[u8; 6]>::from(self.destination));
        frame.extend(<[u8; 6]>::from(self.source));
        for (depth, vlan) in self.vlans.iter().enumerate() {
            let tag: u16 = if depth + 1 < self.vlans.len() {
                0x88a8
            } else {
                0x8100
            };
            frame.extend(tag.to_be_bytes());
            frame.extend(vlan.to_be_bytes());
        }
        match self.body {
            Body::Arp => frame.extend(arp()),
            Body::Other => {
                frame.extend([0x88, 0xcc]);
                frame.extend([2; 46]);
            }
            Body::Ip(IpAddr::V4(source), IpAddr::V4(destination), above) => {
                let (protocol, bytes) = transport(above, 1);
                frame.extend([8, 0]);
                let length = u16::try_from(20 + bytes.len()).unwrap();
                frame.extend([0x45, 0]);
                frame.extend(length.to_be_bytes());
                frame.extend([0, 0]);
                frame.extend(if above == Transport::Fragment {
                    [0, 100]
                } else {
                    [0, 0]
                });
                frame.extend([64, protocol, 0, 0]);
                frame.extend(source.octets());
                frame.extend(destination.octets());
                frame.extend(bytes);
            }
            Body::Ip(IpAddr::V6(source), IpAddr::V6(destination), above) => {
                let (protocol, mut bytes) = transport(above, 58);
                let mut next = protocol;
                if above == Transport::Fragment {
                    bytes.splice(0..0, [protocol, 0, 1, 0, 0, 0, 0, 1]);
                    next = 44;
                }
                frame.extend([0x86, 0xdd]);
                frame.extend([0x60, 0, 0, 0]);
                frame.extend(u16::try_from(bytes.len()).unwrap().to_be_bytes());
                frame.extend([next, 64]);
                frame.extend(source.octets());
                frame.extend(destination.octets());
                frame.extend(bytes);
            }
            Body::Ip(..) => panic!("addresses of two families"),
        }
        frame
    }
}

fn arp() -> Vec<u8> {
    let mut bytes = vec![8, 6, 0, 1, 8, 0, 6, 4, 0, 1];
    bytes.extend([0; 20]);
    bytes
}

/// Protocol number and bytes.
fn transport(above: Transport, icmp: u8) -> (u8, Vec<u8>) {
    let ports = |source: u16, destination: u16| {
        let mut bytes = source.to_be_bytes().to_vec();
        bytes.extend(destination.to_be_bytes());
        bytes
    };
    match above {
        Transport::Tcp(source, destination) => {
            let mut bytes = ports(source, destination);
            bytes.extend([0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 1, 0, 0, 0, 0, 0]);
            bytes.extend(*b"payload");
            (6, bytes)
        }
        Transport::Udp(source, destination) => {
            let mut bytes = ports(source, destination);
            bytes.extend([0, 15, 0, 0]);
            bytes.extend(*b"payload");
            (17, bytes)
        }
        Transport::Icmp(kind) => (icmp, vec![kind, 0, 0, 0, 0, 1, 0, 1]),
        Transport::Fragment => (6, vec![0x55; 16]),
        Transport::Cut => (6, vec![0x55; 12]),
    }
}
