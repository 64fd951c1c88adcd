//! The short cut that most packets take: whatever comes, it leaves flows, counters and events as the long way does.

use std::iter;

use etherparse::PacketBuilder;
use proptest::{collection::vec, prelude::*};
use sensor_common::counter::Counter;
use sensor_kernel::TableSizes;
use traffic::{From, Segment, Sensor, dicom, hl7, see, segments, twins::Twins};

mod captures;
mod traffic;

const TABLES: TableSizes = TableSizes {
    established4: 4_096,
    established6: 64,
    fresh4: 4_096,
    fresh6: 64,
};

/// What is new about a segment.
#[derive(Clone, Debug)]
struct Step {
    /// Which of the two connections it is of.
    connection: u8,
    from_server: bool,
    /// Nanoseconds since the last one.
    after: u64,
    /// How far it begins from where the last one of its direction ended.
    shift: i32,
    payload: Vec<u8>,
    flags: u8,
    identification: u16,
    window: u16,
    ttl: u8,
    /// The frame before it again.
    again: bool,
}

/// Mostly the next segment of a connection that goes on; now and then anything else.
fn step() -> impl Strategy<Value = Step> {
    let first = prop_oneof![8 => Just(0x55), 1 => Just(1), 1 => Just(4), 1 => Just(0x0b), 1 => Just(0x16), 1 => any::<u8>()];
    let payload = (
        first,
        prop_oneof![1 => Just(0), 6 => 1_usize..90, 1 => 1_000_usize..1_400],
    )
        .prop_map(|(first, length)| {
            let mut payload = vec![0x41; length];
            if let Some(byte) = payload.first_mut() {
                *byte = first;
            }
            payload
        });
    let after = prop_oneof![
        20 => 1_000_u64..5_000_000,
        2 => 9_000_000_u64..250_000_000,
        1 => 990_000_000_u64..1_010_000_000,
        1 => Just(130_000_000_000),
        1 => Just(0),
    ];
    (
        (0_u8..2, any::<bool>(), after),
        prop_oneof![30 => Just(0), 1 => -1_500..1_500, 1 => any::<i32>()],
        payload,
        prop_oneof![30 => Just(0x10), 20 => Just(0x18), 1 => any::<u8>()],
        prop_oneof![3 => any::<u16>(), 1 => Just(0_u16)],
        (
            any::<u16>(),
            prop_oneof![9 => Just(64_u8), 1 => any::<u8>()],
        ),
        prop::bool::weighted(0.03),
    )
        .prop_map(
            |(
                (connection, from_server, after),
                shift,
                payload,
                flags,
                identification,
                (window, ttl),
                again,
            )| Step {
                connection,
                from_server,
                after,
                shift,
                payload,
                flags,
                identification,
                window,
                ttl,
                again,
            },
        )
}

/// The frame of a step, whose first sequence number is `sequence`.
fn frame(step: &Step, sequence: u32) -> Vec<u8> {
    let ends = ([10, 0, 0, 1], [10, 0, 0, 2 + step.connection]);
    let ports = (50_000, 8_000);
    let ((from, to), (source, destination)) = if step.from_server {
        ((ends.1, ends.0), (ports.1, ports.0))
    } else {
        (ends, ports)
    };
    let mut frame = Vec::new();
    PacketBuilder::ethernet2([2; 6], [4; 6])
        .ipv4(from, to, step.ttl)
        .tcp(source, destination, sequence, step.window)
        .write(&mut frame, &step.payload)
        .unwrap();
    frame[18..20].copy_from_slice(&step.identification.to_be_bytes());
    frame[47] = step.flags;
    frame
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn any_segments_come_to_the_same(steps in vec(step(), 1..200)) {
        let mut twins = Twins::new(TABLES);
        let mut time = 1_700_000_000_000_000_000;
        let mut next = [[1_000_u32; 2]; 2];
        let mut last = None;
        for step in &steps {
            time += step.after;
            let next = &mut next[usize::from(step.connection)][usize::from(step.from_server)];
            let sequence = next.wrapping_add_signed(step.shift);
            let sent = match &last {
                Some(last) if step.again => last,
                _ => {
                    *next = sequence.wrapping_add(u32::try_from(step.payload.len()).unwrap());
                    &*last.insert(frame(step, sequence))
                }
            };
            twins.process(sent, time, |_| ());
        }
        let counters = twins.counters();
        prop_assert_eq!(counters.get(Counter::Packets), steps.len() as u64);
        prop_assert_eq!(counters.get(Counter::Packets), counters.disposed());
        twins.drain(|_, _| ());
    }

    #[test]
    fn clinical_streams_in_pieces_come_to_the_same(
        sizes in vec(1_usize..120, 1..20),
        dicom in any::<bool>(),
    ) {
        let stream = if dicom {
            [dicom::request("user", "password"), dicom::store("DOE^JANE"), dicom::store("DOE^JANE")].concat()
        } else {
            hl7::admission("4711", "DOE^JANE").repeat(6)
        };
        let (mut left, mut sizes) = (&stream[..], sizes.iter().cycle());
        let pieces = iter::from_fn(|| {
            let size = sizes.next().map_or(0, |size| left.len().min(*size));
            let (piece, rest) = left.split_at(size);
            left = rest;
            (size > 0).then_some(piece)
        });
        let seen = see(&segments(From::Client, pieces));
        prop_assert_eq!(seen.counters.get(Counter::L7Desync), 0);
        prop_assert!(seen.counters.get(Counter::ChunkEvents) > 0);
    }
}

/// One end sends while the other only acknowledges; then that one begins, at the number that stands where none is known.
#[test]
fn an_end_that_begins_late_comes_to_the_same() {
    let mut sensor = Sensor::new();
    for segment in segments(From::Server, [&[0x55; 20][..]; 20]) {
        sensor.frame(&segment.frame());
        sensor.frame(&Segment::new(From::Client, 0, &[]).frame());
    }
    sensor.frame(&Segment::new(From::Client, 0, &[0x55; 9]).frame());
    let seen = sensor.end();
    assert_eq!(seen.counters.get(Counter::InFlow), 41);
}

#[test]
fn captures_come_to_the_same() {
    let Some(root) = captures::root() else { return };
    let (mut packets, mut files) = (0, 0);
    for path in captures::ethernet(&root) {
        let mut twins = Twins::new(TABLES);
        for (time, frame) in captures::frames(&path) {
            twins.process(&frame, time, |_| ());
        }
        packets += twins.counters().get(Counter::Packets);
        files += 1;
        twins.drain(|_, _| ());
    }
    println!("{packets} packets of {files} captures");
}
