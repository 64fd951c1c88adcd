//! The parser that kernel and daemon share, on built frames of all shapes: both directions give one key, and
//! what is below tags, extension headers and tunnels is found as it was built.

use etherparse::PacketBuilder;
use proptest::prelude::*;
use sensor_common::{
    counter::Counter,
    packet::{Layer, Tunnel},
    parse::{MAX_TAGS, Outcome},
    settings::Settings,
};
use sensor_kernel::TableSizes;
use sensor_sessions::capture::PortableEngine;
use traffic::{Sensor, is_plain_and_the_same, parse};

mod traffic;

/// An IP packet with TCP or UDP in it, as `PacketBuilder` writes it.
#[derive(Clone, Debug)]
struct Inner {
    v6: bool,
    source: [u8; 16],
    target: [u8; 16],
    ports: (u16, u16),
    sequence: u32,
    window: u16,
    udp: bool,
    payload: Vec<u8>,
}

fn inner() -> impl Strategy<Value = Inner> {
    (
        any::<bool>(),
        any::<[u8; 16]>(),
        any::<[u8; 16]>(),
        // No port of a tunnel.
        (10_000_u16..37_000, 10_000_u16..37_000),
        any::<u32>(),
        any::<u16>(),
        any::<bool>(),
        proptest::collection::vec(any::<u8>(), 0..80),
    )
        .prop_map(
            |(v6, source, target, ports, sequence, window, udp, payload)| Inner {
                v6,
                source,
                target,
                ports,
                sequence,
                window,
                udp,
                payload,
            },
        )
}

impl Inner {
    /// The packet of the other direction with the same contents.
    fn reversed(&self) -> Self {
        Self {
            source: self.target,
            target: self.source,
            ports: (self.ports.1, self.ports.0),
            ..self.clone()
        }
    }

    fn four(address: &[u8; 16]) -> [u8; 4] {
        *address.first_chunk().unwrap()
    }

    fn ip(&self) -> Vec<u8> {
        let builder = if self.v6 {
            PacketBuilder::ipv6(self.source, self.target, 61)
        } else {
            PacketBuilder::ipv4(Self::four(&self.source), Self::four(&self.target), 61)
        };
        let mut bytes = Vec::new();
        if self.udp {
            let builder = builder.udp(self.ports.0, self.ports.1);
            builder.write(&mut bytes, &self.payload).unwrap();
        } else {
            let builder = builder
                .tcp(self.ports.0, self.ports.1, self.sequence, self.window)
                .ack(9)
                .psh();
            builder.write(&mut bytes, &self.payload).unwrap();
        }
        bytes
    }

    fn ether_type(&self) -> u16 {
        if self.v6 { 0x86dd } else { 0x0800 }
    }

    fn ethernet(&self, tags: &[u16]) -> Vec<u8> {
        ethernet(self.ether_type(), tags, &self.ip())
    }

    /// Demands that the parser found this packet in `frame`.
    fn is_found(&self, frame: &[u8], layer: Layer, tunnels: u16, tags: &[u16]) {
        let (packet, outcome) = parse(frame, layer);
        assert_eq!(outcome, Outcome::Flow);
        assert_eq!(packet.family, if self.v6 { 6 } else { 4 });
        assert_eq!(packet.protocol, if self.udp { 17 } else { 6 });
        assert_eq!(packet.tunnels, tunnels);
        assert_eq!(
            packet.vlans[..usize::from(packet.vlan_depth).min(3)],
            *tags,
            "VLAN ids"
        );
        assert_eq!(packet.ttl, 61);
        assert_eq!(
            (packet.source_port(), packet.destination_port()),
            self.ports
        );
        let key = packet.flow_key();
        let length = if self.v6 { 16 } else { 4 };
        let (a, b) = (&key.addr_a[..length], &key.addr_b[..length]);
        let (source, target) = if packet.direction == 1 {
            (b, a)
        } else {
            (a, b)
        };
        assert_eq!(source, &self.source[..length]);
        assert_eq!(target, &self.target[..length]);
        if !self.udp {
            assert_eq!(packet.sequence, self.sequence);
            assert_eq!(packet.window, self.window);
            assert_eq!(packet.tcp_flags, 0x18);
        }
        assert_eq!(packet.payload_length as usize, self.payload.len());
        assert_eq!(packet.payload_captured as usize, self.payload.len());
        let offset = packet.offset as usize;
        assert_eq!(
            &frame[offset..offset + self.payload.len()],
            self.payload,
            "payload"
        );
        assert_eq!(
            packet.first_byte,
            self.payload.first().copied().unwrap_or(0)
        );
        assert!(!packet.is_snapped());
    }
}

fn ethernet(kind: u16, tags: &[u16], payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 4, 0, 0, 0, 0, 2];
    for (index, id) in tags.iter().enumerate() {
        let tag: u16 = if index + 1 < tags.len() {
            0x88a8
        } else {
            0x8100
        };
        frame.extend(tag.to_be_bytes());
        frame.extend((0x6000 | id).to_be_bytes());
    }
    frame.extend(kind.to_be_bytes());
    frame.extend(payload);
    frame
}

/// What carries a mirror's copies.
#[derive(Clone, Copy, Debug)]
enum Mirror {
    Gre { flags: u16 },
    GreEthernet,
    Erspan1,
    Erspan2,
    Erspan3 { platform: bool },
    Vxlan,
}

fn mirror() -> impl Strategy<Value = Mirror> {
    prop_oneof![
        prop::sample::subsequence(vec![0x8000_u16, 0x2000, 0x1000], 0..=3).prop_map(|flags| {
            Mirror::Gre {
                flags: flags.iter().sum(),
            }
        }),
        Just(Mirror::GreEthernet),
        Just(Mirror::Erspan1),
        Just(Mirror::Erspan2),
        any::<bool>().prop_map(|platform| Mirror::Erspan3 { platform }),
        Just(Mirror::Vxlan),
    ]
}

impl Mirror {
    fn bit(self) -> u16 {
        match self {
            Self::Gre { .. } | Self::GreEthernet => Tunnel::Gre as u16,
            Self::Erspan1 | Self::Erspan2 | Self::Erspan3 { .. } => Tunnel::Erspan as u16,
            Self::Vxlan => Tunnel::Vxlan as u16,
        }
    }

    fn gre(flags: u16, kind: u16, header: &[u8], inner: &[u8]) -> Vec<u8> {
        let optional = 4 * flags.count_ones() as usize;
        let mut bytes = [flags.to_be_bytes(), kind.to_be_bytes()].concat();
        bytes.extend(vec![0x5a; optional]);
        bytes.extend(header);
        bytes.extend(inner);
        bytes
    }

    /// The copy of a frame as it comes in.
    fn wrap(self, inner: &Inner, tags: &[u16]) -> Vec<u8> {
        let frame = inner.ethernet(tags);
        let payload = match self {
            Self::Gre { flags } => Self::gre(flags, inner.ether_type(), &[], &inner.ip()),
            Self::GreEthernet => Self::gre(0, 0x6558, &[], &frame),
            Self::Erspan1 => Self::gre(0, 0x88be, &[], &frame),
            // Version 1 and VLAN, session id, index (draft-foschiano-erspan-03 section 4.2).
            Self::Erspan2 => Self::gre(0x1000, 0x88be, &[0x10, 1, 0, 1, 0, 0, 0, 1], &frame),
            // Section 4.3: the frame type is 0, Ethernet; the last bit tells of a platform header.
            Self::Erspan3 { platform } => {
                let mut header = vec![0x20, 1, 0, 1, 0, 0, 0, 9, 0, 0, 0, 0x0e];
                if platform {
                    header[11] |= 1;
                    header.extend([0x77; 8]);
                }
                Self::gre(0x1000, 0x22eb, &header, &frame)
            }
            Self::Vxlan => {
                let header = [8, 0, 0, 0, 0, 0, 42, 0];
                let mut bytes = Vec::new();
                PacketBuilder::ethernet2([6; 6], [8; 6])
                    .ipv4([10, 0, 0, 7], [10, 0, 0, 8], 64)
                    .udp(33_333, 4_789)
                    .write(&mut bytes, &[&header[..], &frame].concat())
                    .unwrap();
                return bytes;
            }
        };
        let mut bytes = Vec::new();
        PacketBuilder::ethernet2([6; 6], [8; 6])
            .ipv4([10, 0, 0, 7], [10, 0, 0, 8], 64)
            .write(&mut bytes, etherparse::IpNumber::GRE, &payload)
            .unwrap();
        bytes
    }
}

/// IPv6 extension headers (RFC 8200 section 4, RFC 4302), by number, with their length in bytes.
fn extensions() -> impl Strategy<Value = Vec<(u8, usize)>> {
    let one = prop_oneof![
        (0_usize..3).prop_map(|units| (0_u8, 8 + 8 * units)),
        (0_usize..3).prop_map(|units| (43, 8 + 8 * units)),
        (0_usize..3).prop_map(|units| (60, 8 + 8 * units)),
        (0_usize..3).prop_map(|units| (135, 8 + 8 * units)),
        // Authentication: units of four bytes, two not counted.
        (1_usize..5).prop_map(|units| (51, 8 + 4 * units)),
        // A fragment header of a packet that is whole (RFC 6946).
        Just((44, 8)),
    ];
    proptest::collection::vec(one, 0..=20)
}

fn with_extensions(inner: &Inner, extensions: &[(u8, usize)]) -> Vec<u8> {
    let ip = inner.ip();
    let (header, transport) = ip.split_at(40);
    let mut numbers = extensions.iter().map(|(number, _)| *number);
    let mut header = header.to_vec();
    let last = header[6];
    header[6] = numbers.next().unwrap_or(last);
    let mut chain = Vec::new();
    for (number, length) in extensions {
        let mut bytes = vec![0; *length];
        bytes[0] = numbers.next().unwrap_or(last);
        bytes[1] = match number {
            44 => 0,
            51 => u8::try_from(length / 4 - 2).unwrap(),
            _ => u8::try_from(length / 8 - 1).unwrap(),
        };
        chain.extend(bytes);
    }
    let length = u16::try_from(chain.len() + transport.len()).unwrap();
    header[4..6].copy_from_slice(&length.to_be_bytes());
    [header, chain, transport.to_vec()].concat()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_directions_give_one_key(inner in inner(), icmp in any::<(u8, u8)>()) {
        let there = inner.ethernet(&[]);
        let back = inner.reversed().ethernet(&[]);
        let (a, b) = (parse(&there, Layer::Ethernet).0, parse(&back, Layer::Ethernet).0);
        prop_assert_eq!(a.flow_key(), b.flow_key());
        if (inner.source, inner.ports.0) != (inner.target, inner.ports.1) {
            prop_assert_ne!(a.direction, b.direction);
        }
        // A request and its answer (echo is one of the pairs), whatever the rest of the message is.
        let echo = |reply: bool| {
            let (from, to) = if reply { (inner.target, inner.source) } else { (inner.source, inner.target) };
            let mut frame = Vec::new();
            let builder = PacketBuilder::ethernet2([2; 6], [4; 6])
                .ipv4(Inner::four(&from), Inner::four(&to), 64);
            if reply {
                builder.icmpv4_echo_reply(icmp.0.into(), 1).write(&mut frame, &[icmp.1]).unwrap();
            } else {
                builder.icmpv4_echo_request(icmp.0.into(), 1).write(&mut frame, &[icmp.1]).unwrap();
            }
            parse(&frame, Layer::Ethernet).0.flow_key()
        };
        prop_assert_eq!(echo(false), echo(true));
    }

    #[test]
    fn frames_are_found_below_their_tags(inner in inner(), tags in proptest::collection::vec(0_u16..4_096, 0..=3)) {
        inner.is_found(&inner.ethernet(&tags), Layer::Ethernet, 0, &tags);
        inner.is_found(&inner.ip(), Layer::Ip, 0, &[]);
        // What pads a short frame is no payload.
        let padded = [inner.ethernet(&tags), vec![0xee; 20]].concat();
        inner.is_found(&padded, Layer::Ethernet, 0, &tags);
    }

    #[test]
    fn frames_with_more_tags_are_counted(inner in inner(), tags in proptest::collection::vec(0_u16..4_096, 4..16)) {
        let (packet, outcome) = parse(&inner.ethernet(&tags), Layer::Ethernet);
        if tags.len() > usize::from(MAX_TAGS) {
            prop_assert_eq!(outcome, Outcome::Done(Counter::VlanDepth));
        } else {
            prop_assert_eq!(outcome, Outcome::Flow);
            prop_assert_eq!(usize::from(packet.vlan_depth), tags.len());
            prop_assert_eq!(packet.vlans, [tags[0], tags[1], tags[tags.len() - 1]]);
        }
    }

    #[test]
    fn extension_headers_are_walked(mut inner in inner(), extensions in extensions()) {
        inner.v6 = true;
        let ip = with_extensions(&inner, &extensions);
        inner.is_found(&ethernet(0x86dd, &[], &ip), Layer::Ethernet, 0, &[]);
        let many = [(60, 8); 250];
        let (_, outcome) = parse(&with_extensions(&inner, &many), Layer::Ip);
        prop_assert_eq!(outcome, Outcome::Done(Counter::Ipv6ExtensionDepth));
    }

    #[test]
    fn mirrors_are_unwrapped(
        inner in inner(),
        tags in proptest::collection::vec(0_u16..4_096, 0..=2),
        mirror in mirror(),
    ) {
        let frame = mirror.wrap(&inner, &tags);
        let tags = if matches!(mirror, Mirror::Gre { .. }) { &[][..] } else { &tags };
        inner.is_found(&frame, Layer::Ethernet, mirror.bit(), tags);
        // Cut anywhere, it is counted or found with what is there, and nothing panics.
        for length in 0..frame.len() {
            let (packet, outcome) = parse(&frame[..length], Layer::Ethernet);
            prop_assert!(packet.offset as usize <= frame.len() || outcome != Outcome::Flow);
        }
    }

    #[test]
    fn a_plain_segment_is_what_its_layers_are(
        mut inner in inner(),
        changes in proptest::collection::vec((0_usize..58, any::<u8>()), 0..4),
        cut in 0_usize..150,
        pad in 0_usize..8,
    ) {
        (inner.v6, inner.udp) = (false, false);
        let mut frame = inner.ethernet(&[]);
        prop_assert!(is_plain_and_the_same(&frame));
        // Any header byte may be wrong, and the frame cut or padded.
        for (at, value) in changes {
            if let Some(byte) = frame.get_mut(at) {
                *byte = value;
            }
        }
        frame.truncate(frame.len().max(cut) - cut.min(4));
        frame.resize(frame.len() + pad, 0xee);
        is_plain_and_the_same(&frame);
    }

    #[test]
    fn any_bytes_can_come(bytes in proptest::collection::vec(any::<u8>(), 0..200), ip in any::<bool>()) {
        let mut sensor = Sensor::new();
        sensor.frame(&bytes);
        let mut engine = PortableEngine::new(TableSizes::default(), Settings::DEFAULT);
        let layer = if ip { Layer::Ip } else { Layer::Ethernet };
        engine.process(&bytes, layer, 0, 0, &mut |_: &[u8]| {});
        prop_assert_eq!(engine.counters().get(Counter::Packets), engine.counters().disposed());
        sensor.end();
    }
}
