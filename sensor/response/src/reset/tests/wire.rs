//! Frames as they are on the wire, and the kernel's filter for them.

use std::{
    io::ErrorKind,
    net::{IpAddr, SocketAddr},
    os::{fd::OwnedFd, unix::net::UnixDatagram},
};

use etherparse::{NetSlice, PacketBuilder, SlicedPacket, TransportSlice};
use sensor_facts::{target::Transport, time::Time};
use sensor_kernel::socket::attach_filter;

use crate::reset::{
    filter,
    flow::Flow,
    frame::Builder,
    segment::{Segment, Tag},
};

pub(super) const FAMILIES: [(&str, &str); 2] = [
    ("10.77.1.20:40000", "10.77.1.10:11112"),
    ("[fd77::20]:40000", "[fd77::10]:11112"),
];
pub(super) const OWN: [u8; 6] = [2, 0, 0, 0, 0, 0xee];
pub(super) const MARK: u16 = 4711;
pub(super) const TAGS: [Tag; 2] = [
    Tag {
        kind: 0x88a8,
        control: 0x2064,
    },
    Tag {
        kind: 0x8100,
        control: 0x00c8,
    },
];
pub(super) const WALL: Time = Time(0);

pub(super) fn flow(family: (&str, &str)) -> Flow {
    let end = |text: &str| text.parse().unwrap();
    Flow::new(Transport::Tcp, end(family.0), end(family.1)).unwrap()
}

pub(super) fn builder(flow: Flow) -> Builder {
    Builder {
        flow,
        mac: OWN.into(),
        mark: MARK,
        tagged: true,
    }
}

/// A frame on the wire. Flags are the first letters of the names.
#[derive(Clone, Debug)]
pub(super) struct Copied {
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) sequence: u32,
    pub(super) acknowledged: u32,
    pub(super) flags: &'static str,
    pub(super) payload: usize,
    pub(super) udp: bool,
    pub(super) tags: Vec<Tag>,
}

impl Copied {
    pub(super) fn new(from: SocketAddr, to: SocketAddr) -> Self {
        Self {
            from,
            to,
            sequence: 1_000,
            acknowledged: 9_000,
            flags: "A",
            payload: 0,
            udp: false,
            tags: Vec::new(),
        }
    }

    pub(super) fn frame(&self) -> Vec<u8> {
        let link = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
        let network = match (self.from.ip(), self.to.ip()) {
            (IpAddr::V4(from), IpAddr::V4(to)) => link.ipv4(from.octets(), to.octets(), 64),
            (IpAddr::V6(from), IpAddr::V6(to)) => link.ipv6(from.octets(), to.octets(), 64),
            _ => unreachable!(),
        };
        let payload = vec![7; self.payload];
        let mut frame = Vec::new();
        if self.udp {
            let packet = network.udp(self.from.port(), self.to.port());
            packet.write(&mut frame, &payload).unwrap();
        } else {
            let mut packet = network.tcp(self.from.port(), self.to.port(), self.sequence, 512);
            for flag in self.flags.chars() {
                packet = match flag {
                    'S' => packet.syn(),
                    'F' => packet.fin(),
                    'R' => packet.rst(),
                    'A' => packet.ack(self.acknowledged),
                    other => panic!("{other}"),
                };
            }
            packet.write(&mut frame, &payload).unwrap();
        }
        let tags = self.tags.iter().flat_map(|tag| {
            let [a, b] = tag.kind.to_be_bytes();
            let [c, d] = tag.control.to_be_bytes();
            [a, b, c, d]
        });
        frame.splice(12..12, tags);
        frame
    }

    pub(super) fn segment(&self, flow: &Flow) -> Segment {
        Segment::read(&self.frame(), None, flow).unwrap()
    }
}

/// What a frame is: source, destination, sequence, acknowledgement, flags RST and ACK. Checksums are
/// checked.
pub(super) fn read_back(frame: &[u8]) -> (SocketAddr, SocketAddr, u32, u32, bool, bool) {
    let packet = SlicedPacket::from_ethernet(frame).unwrap();
    let Some(TransportSlice::Tcp(tcp)) = &packet.transport else {
        panic!("{packet:?}");
    };
    let (from, to): (IpAddr, IpAddr) = match packet.net.as_ref().unwrap() {
        NetSlice::Ipv4(ip) => {
            let header = ip.header();
            let computed = header.to_header().calc_header_checksum();
            assert_eq!(header.header_checksum(), computed);
            let (from, to) = (header.source(), header.destination());
            assert_eq!(
                tcp.checksum(),
                tcp.calc_checksum_ipv4(from, to).unwrap(),
                "TCP checksum"
            );
            (from.into(), to.into())
        }
        NetSlice::Ipv6(ip) => {
            let (from, to) = (ip.header().source(), ip.header().destination());
            assert_eq!(
                tcp.checksum(),
                tcp.calc_checksum_ipv6(from, to).unwrap(),
                "TCP checksum"
            );
            (from.into(), to.into())
        }
        NetSlice::Arp(_) => panic!("ARP"),
    };
    assert!(tcp.payload().is_empty() && !tcp.syn() && !tcp.fin());
    (
        SocketAddr::new(from, tcp.source_port()),
        SocketAddr::new(to, tcp.destination_port()),
        tcp.sequence_number(),
        tcp.acknowledgment_number(),
        tcp.rst(),
        tcp.ack(),
    )
}

/// The filter as the kernel runs it, at a socket that needs no rights.
pub(super) struct Filter {
    from: UnixDatagram,
    to: UnixDatagram,
}

impl Filter {
    pub(super) fn new(flow: &Flow) -> Self {
        let (from, to) = UnixDatagram::pair().unwrap();
        let to = OwnedFd::from(to);
        attach_filter(&to, &filter::program(flow).unwrap()).unwrap();
        let to = UnixDatagram::from(to);
        to.set_nonblocking(true).unwrap();
        Self { from, to }
    }

    pub(super) fn lets_in(&self, frame: &[u8]) -> bool {
        self.from.send(frame).unwrap();
        match self.to.recv(&mut [0; 4096]) {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}");
                false
            }
        }
    }
}
