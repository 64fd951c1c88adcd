//! The logic that kernel and daemon share, tried on traffic of all shapes: keys, headers and tunnels, and
//! readers that must say the same however a stream was cut.

use std::collections::HashMap;

use etherparse::PacketBuilder;
use proptest::{prelude::*, sample::Index};
use sensor::{capture::PortableEngine, kernel::TableSizes};
use sensor_common::{
    counter::Counter,
    flow::Flow,
    key::FlowKey,
    packet::{Layer, Outcome, Tunnel},
    settings::Settings,
    stream::Protocol,
    tape::Tag,
};
use traffic::{From, Joined, Segment, Sensor, dicom, hl7, parse, see, segments};

mod traffic;

const SECRET: &str = "QZXKWJV^BFGHPQX";

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
        // VXLAN's port has a test of its own.
        (any::<u16>(), 5_000_u16..),
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
    fn is_found(&self, frame: &[u8], layer: Layer, tunnels: u8, tags: &[u16]) {
        let (packet, outcome) = parse(frame, layer);
        assert_eq!(outcome, Outcome::Flow);
        assert_eq!(packet.family, if self.v6 { 6 } else { 4 });
        assert_eq!(packet.protocol, if self.udp { 17 } else { 6 });
        assert_eq!(packet.tunnels, tunnels);
        assert_eq!(
            &packet.vlans[..usize::from(packet.vlan_depth)],
            tags,
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
    fn bit(self) -> u8 {
        match self {
            Self::Gre { .. } | Self::GreEthernet => Tunnel::Gre as u8,
            Self::Erspan1 | Self::Erspan2 | Self::Erspan3 { .. } => Tunnel::Erspan as u8,
            Self::Vxlan => Tunnel::Vxlan as u8,
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
    proptest::collection::vec(one, 0..=6)
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
    fn frames_are_found_below_their_tags(inner in inner(), tags in proptest::collection::vec(0_u16..4_096, 0..=2)) {
        inner.is_found(&inner.ethernet(&tags), Layer::Ethernet, 0, &tags);
        inner.is_found(&inner.ip(), Layer::Ip, 0, &[]);
        // What pads a short frame is no payload.
        let padded = [inner.ethernet(&tags), vec![0xee; 20]].concat();
        inner.is_found(&padded, Layer::Ethernet, 0, &tags);
    }

    #[test]
    fn frames_with_more_tags_are_counted(inner in inner(), tags in proptest::collection::vec(0_u16..4_096, 3..6)) {
        let (_, outcome) = parse(&inner.ethernet(&tags), Layer::Ethernet);
        prop_assert_eq!(outcome, Outcome::Done(Counter::VlanDepth));
    }

    #[test]
    fn extension_headers_are_walked(mut inner in inner(), extensions in extensions()) {
        inner.v6 = true;
        let ip = with_extensions(&inner, &extensions);
        inner.is_found(&ethernet(0x86dd, &[], &ip), Layer::Ethernet, 0, &[]);
        let seven = [(60, 8); 7];
        let (_, outcome) = parse(&with_extensions(&inner, &seven), Layer::Ip);
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

/// A client's and a server's part of a connection.
fn connections() -> Vec<(&'static str, Vec<u8>, Vec<u8>)> {
    let messages = [
        hl7::admission("A1", SECRET),
        hl7::result("A2", SECRET),
        hl7::admission("A3", SECRET),
    ];
    let answers: Vec<u8> = ["A1", "A2", "A3"]
        .into_iter()
        .flat_map(|id| hl7::acknowledgement(id, SECRET))
        .collect();
    vec![
        ("HL7", messages.concat(), answers),
        ("DICOM", dicom::store(SECRET), dicom::stored(SECRET)),
    ]
}

fn whole(client: &[u8], server: &[u8]) -> Vec<Segment> {
    let mut all = segments(From::Client, [client]);
    all.extend(segments(From::Server, [server]));
    all
}

/// What the tape of a connection must say however it was cut.
fn expected(name: &str, client: &[u8], server: &[u8]) -> Vec<Joined> {
    let seen = see(&whole(client, server));
    let tape = seen.tape();
    assert!(tape.iter().all(|record| record.whole), "{name}: {tape:?}");
    assert_eq!(seen.counters.get(Counter::L7Desync), 0, "{name}");
    assert_eq!(seen.counters.get(Counter::L7Budget), 0, "{name}");
    seen.keeps(SECRET, name);
    tape
}

#[test]
fn the_tape_says_what_was_sent() {
    let [(_, client, server), (_, requestor, acceptor)] =
        connections().try_into().unwrap_or_else(|_| unreachable!());
    let seen = see(&whole(&client, &server));
    let headers = seen.bytes_of(Tag::Hl7Header);
    assert_eq!(headers.len(), 6);
    assert_eq!(
        String::from_utf8_lossy(&headers[1]),
        "MSH|^~\\&|LAB|WARD3|EHR|MAIN|20260105101500||ORU^R01|A2|P|2.5.1"
    );
    assert_eq!(
        seen.bytes_of(Tag::Hl7Acknowledgement),
        [b"MSA|AA|A1", b"MSA|AA|A2", b"MSA|AA|A3"]
    );
    assert_eq!(seen.bytes_of(Tag::Hl7End).len(), 6);

    let seen = see(&whole(&requestor, &acceptor));
    let kinds: Vec<u8> = seen.bytes_of(Tag::DicomPdu).iter().map(|b| b[0]).collect();
    assert_eq!(kinds, [1, 5, 2, 6]);
    let ends = seen.bytes_of(Tag::DicomDataEnd);
    let size = dicom::data_set(SECRET, 700).len() as u64;
    assert_eq!(ends, [[&size.to_le_bytes()[..], &[1]].concat()]);
    assert_eq!(seen.bytes_of(Tag::DicomCommandEnd).len(), 2);
    assert_eq!(seen.counters.get(Counter::DicomForeignGroup), 0);
}

#[test]
fn a_stream_in_two_segments_reads_as_in_one() {
    for (name, client, server) in connections() {
        let tape = expected(name, &client, &server);
        for at in 1..client.len().max(server.len()) {
            let cut = |bytes: &[u8]| at.min(bytes.len());
            let mut all = segments(From::Client, <[_; 2]>::from(client.split_at(cut(&client))));
            all.extend(segments(
                From::Server,
                <[_; 2]>::from(server.split_at(cut(&server))),
            ));
            all.retain(|segment| !segment.payload.is_empty());
            let seen = see(&all);
            assert_eq!(seen.tape(), tape, "{name}, cut at {at}");
            seen.keeps(SECRET, name);
        }
    }
}

#[test]
fn a_stream_in_equal_segments_reads_as_in_one() {
    for (name, client, server) in connections() {
        let tape = expected(name, &client, &server);
        for size in (1..64).chain([100, 333, 536, 700]) {
            let mut all = segments(From::Client, client.chunks(size));
            all.extend(segments(From::Server, server.chunks(size)));
            let seen = see(&all);
            assert_eq!(seen.tape(), tape, "{name}, in segments of {size}");
            seen.keeps(SECRET, name);
        }
    }
}

/// What a network does to a segment on its way to the sensor.
#[derive(Clone, Debug)]
enum Fate {
    Arrives,
    Lost,
    /// Its capture has only a part.
    Snapped(Index),
    /// It comes this many segments later.
    Late(usize),
    Twice,
    /// It comes again together with bytes of the segment before it.
    Overlaps(Index),
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => Just(Fate::Arrives),
        1 => Just(Fate::Lost),
        1 => any::<Index>().prop_map(Fate::Snapped),
        1 => (1_usize..4).prop_map(Fate::Late),
        1 => Just(Fate::Twice),
        1 => any::<Index>().prop_map(Fate::Overlaps),
    ]
}

fn suffer(stream: &[u8], sizes: &[usize], fates: &[Fate], from: From) -> Vec<Segment> {
    let mut arrived: Vec<(usize, Segment)> = Vec::new();
    let mut begin = 0;
    let plan = sizes.iter().cycle().zip(fates.iter().cycle());
    for (number, (size, fate)) in plan.enumerate() {
        let end = (begin + size).min(stream.len());
        if begin == end {
            break;
        }
        let sequence = 1 + u32::try_from(begin).unwrap();
        let segment = Segment::new(from, sequence, &stream[begin..end]);
        let place = number * 2;
        match fate {
            Fate::Arrives => arrived.push((place, segment)),
            Fate::Lost => {}
            Fate::Snapped(index) => arrived.push((
                place,
                Segment {
                    captured: index.index(segment.payload.len() + 1),
                    ..segment
                },
            )),
            Fate::Late(by) => arrived.push((place + by * 2 + 1, segment)),
            Fate::Twice => arrived.extend([(place, segment.clone()), (place + 1, segment)]),
            Fate::Overlaps(index) => {
                let earlier = begin - index.index(begin + 1).min(begin);
                let sequence = 1 + u32::try_from(earlier).unwrap();
                let mut longer = Segment::new(from, sequence, &stream[earlier..end]);
                longer.captured = index.index(longer.payload.len() + 1);
                arrived.push((place, longer));
            }
        }
        begin = end;
    }
    arrived.sort_by_key(|(place, _)| *place);
    arrived.into_iter().map(|(_, segment)| segment).collect()
}

proptest! {
    #[test]
    fn loss_and_disorder_let_nothing_out(
        sizes in proptest::collection::vec(1_usize..600, 1..8),
        fates in proptest::collection::vec(fate(), 1..24),
        which in 0_usize..2,
    ) {
        let (name, client, server) = connections().swap_remove(which);
        let client = client.repeat(3);
        let mut all = suffer(&client, &sizes, &fates, From::Client);
        all.extend(suffer(&server, &sizes, &fates, From::Server));
        see(&all).keeps(SECRET, name);
    }
}

#[test]
fn what_a_connection_left_unfinished_is_not_read_on_in_the_next() {
    // The request announces an item that is longer than what comes of it; then the client connects anew
    // from the same port.
    let mut unfinished = dicom::request("user", "password");
    // PDU header, fixed part and application context.
    unfinished.truncate(6 + 68 + 25);
    unfinished.extend(b"\x20\0\xff\xff\x01\0\0\0");
    unfinished[2..6].copy_from_slice(&200_000_u32.to_be_bytes());
    let mut all = segments(From::Client, [&unfinished[..]]);
    all.push(Segment::syn(From::Client, 0x7000_0000));
    let stream = dicom::store(SECRET);
    for segment in segments(From::Client, stream.chunks(500)) {
        all.push(Segment {
            sequence: 0x7000_0000 + segment.sequence,
            ..segment
        });
    }
    let seen = see(&all);
    seen.keeps(SECRET, "a second connection");
    assert_eq!(
        seen.bytes_of(Tag::DicomDataEnd).len(),
        1,
        "the second connection is read from its start"
    );
}

#[test]
fn a_snapped_repetition_costs_no_place() {
    let mut stream = dicom::request("", "");
    stream.extend(dicom::data(
        dicom::COMMAND | dicom::LAST,
        &dicom::command(&dicom::store_elements("1.2.3")),
    ));
    let begin = stream.len();
    stream.extend(dicom::data(
        dicom::LAST,
        &dicom::data_set(SECRET, 4_000),
    ));
    stream.extend(dicom::pdu(5, &[0; 4]));
    let cuts = [0, begin, begin + 1_000, begin + 2_000, stream.len() - 10, stream.len()];
    let parts: Vec<&[u8]> = cuts.windows(2).map(|w| &stream[w[0]..w[1]]).collect();
    let mut all = segments(From::Client, parts);
    // The third segment comes with all of the second before it, and the capture has only bytes of that.
    let sequence = 1 + u32::try_from(begin).unwrap();
    all[2] = Segment {
        captured: 100,
        ..Segment::new(From::Client, sequence, &stream[begin..begin + 2_000])
    };
    let seen = see(&all);
    assert_eq!(seen.bytes_of(Tag::DicomDataEnd).len(), 1);
    assert_eq!(seen.counters.get(Counter::L7Desync), 0);
}

#[test]
fn a_flood_replaces_only_itself() {
    const CLINICAL: u16 = 1_000;
    let tables = TableSizes {
        established4: 2_048,
        established6: 16,
        fresh4: 1_024,
        fresh6: 16,
    };
    let mut engine = PortableEngine::new(tables, Settings::DEFAULT);
    let mut sink = |_: &[u8]| {};
    let client = |number: u16| [&[10, 77][..], &number.to_be_bytes()].concat();
    let clinical = |number: u16, sequence: u32| {
        let payload = if number % 2 == 0 {
            dicom::request("", "")
        } else {
            hl7::admission("A1", SECRET)
        };
        let mut frame = Vec::new();
        PacketBuilder::ethernet2([2; 6], [4; 6])
            .ipv4(client(number).try_into().unwrap(), [10, 88, 0, 1], 64)
            .tcp(40_000 + number, 2_575, sequence, 1_000)
            .write(&mut frame, &payload)
            .unwrap();
        frame
    };
    let mut time = 0;
    for number in 0..CLINICAL {
        time += 1_000_000;
        engine.process(
            &clinical(number, 1),
            Layer::Ethernet,
            0,
            time,
            &mut sink,
        );
    }
    let mut flood = Vec::new();
    PacketBuilder::ethernet2([2; 6], [4; 6])
        .ipv4([0; 4], [10, 88, 0, 1], 64)
        .udp(53, 53)
        .write(&mut flood, &[0; 18])
        .unwrap();
    for number in 0..200_000_u32 {
        time += 1_000;
        flood[26..30].copy_from_slice(&(0xac00_0000 + number).to_be_bytes());
        engine.process(&flood, Layer::Ethernet, 0, time, &mut sink);
        assert!(engine.flows().1 <= 1_024);
    }
    assert_eq!(engine.flows(), (1_000, 1_024));
    assert_eq!(engine.evicted(), 200_000 - 1_024);
    assert_eq!(
        engine.counters().get(Counter::Packets),
        engine.counters().disposed()
    );
    let mut left: HashMap<FlowKey, Flow> = HashMap::new();
    engine.drain(|key, flow, _| assert!(left.insert(*key, *flow).is_none()));
    for number in 0..CLINICAL {
        let flow = left
            .iter()
            .find(|(key, _)| key.addr_a[..4] == client(number))
            .map(|(_, flow)| flow);
        let protocol = flow.map(Flow::protocol);
        let expected = [Protocol::Dicom, Protocol::Hl7][usize::from(number % 2)];
        assert_eq!(protocol, Some(expected), "of connection {number}");
    }
    assert_eq!(engine.flows(), (0, 0));
}
