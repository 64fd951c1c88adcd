//! The logic that kernel and daemon share, in memory: readers say the same however a stream was cut, let
//! nothing out whatever was lost, and a flood replaces only itself.

use std::collections::HashMap;

use etherparse::PacketBuilder;
use proptest::{prelude::*, sample::Index};
use sensor_common::{
    counter::Counter, flow::Flow, key::FlowKey, layer7::Protocol, packet::Layer,
    settings::Settings, tape::Tag,
};
use sensor_kernel::TableSizes;
use sensor_sessions::capture::PortableEngine;
use traffic::{From, Joined, Segment, dicom, hl7, see, segments};

mod traffic;

const SECRET: &str = "QZXKWJV^BFGHPQX";

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
    assert_eq!(ends, [[&size.to_le_bytes()[..], &[1, 1]].concat()]);
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
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

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
    stream.extend(dicom::data(dicom::LAST, &dicom::data_set(SECRET, 4_000)));
    stream.extend(dicom::pdu(5, &[0; 4]));
    let cuts = [
        0,
        begin,
        begin + 1_000,
        begin + 2_000,
        stream.len() - 10,
        stream.len(),
    ];
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
        let payload = if number.is_multiple_of(2) {
            dicom::request("", "")
        } else {
            hl7::admission("A1", SECRET)
        };
        let mut frame = Vec::new();
        PacketBuilder::ethernet2([2; 6], [4; 6])
            .ipv4(client(number).try_into().unwrap(), [10, 88, 0, 1], 64)
            .tcp(40_000 + number, 2_575, sequence, 1_000)
            .ack(1)
            .write(&mut frame, &payload)
            .unwrap();
        frame
    };
    let mut time = 0;
    for number in 0..CLINICAL {
        // Each CPU takes in 16 a second of those that nobody answered.
        time += 70_000_000;
        engine.process(&clinical(number, 1), Layer::Ethernet, 0, time, &mut sink);
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

#[test]
fn an_ethernet_address_is_that_of_who_sent() {
    // `masscan --router-mac` sends to the router what is for its own subnet: the router sends it on, and hosts answer directly.
    const SCANNER: [u8; 6] = [2, 0, 0, 0, 0, 0x7a];
    const ROUTER: [u8; 6] = [2, 0, 0, 0, 0, 1];
    const PRINTER: [u8; 6] = [2, 0, 0, 0, 0, 80];
    let (scanner, printer) = ([10, 88, 1, 122], [10, 88, 1, 80]);
    let mut engine = PortableEngine::new(TableSizes::default(), Settings::DEFAULT);
    let mut frames = [Vec::new(), Vec::new(), Vec::new()];
    PacketBuilder::ethernet2(SCANNER, ROUTER)
        .ipv4(scanner, printer, 64)
        .tcp(40_000, 80, 1, 1_000)
        .syn()
        .write(&mut frames[0], &[])
        .unwrap();
    PacketBuilder::ethernet2(ROUTER, PRINTER)
        .ipv4(scanner, printer, 63)
        .tcp(40_000, 80, 1, 1_000)
        .syn()
        .write(&mut frames[1], &[])
        .unwrap();
    PacketBuilder::ethernet2(PRINTER, SCANNER)
        .ipv4(printer, scanner, 64)
        .tcp(80, 40_000, 1, 1_000)
        .syn()
        .ack(2)
        .write(&mut frames[2], &[])
        .unwrap();
    for (time, frame) in (1..).zip(&frames) {
        engine.process(frame, Layer::Ethernet, 0, time, &mut |_: &[u8]| {});
    }
    let mut ends = Vec::new();
    engine.drain(|_, flow, _| ends.push(flow.client_and_server_macs()));
    assert_eq!(ends, [(SCANNER, PRINTER)]);
}
