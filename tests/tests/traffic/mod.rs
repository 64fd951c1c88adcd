//! Connections made of bytes: what two peers say is cut into segments and led through the portable engine
//! and the pipeline, and what left the engine is looked at.
#![allow(dead_code, reason = "each test uses what it needs")]

use etherparse::PacketBuilder;
use sensor_common::{
    counter::{Counter, Counters},
    event::ChunkHeader,
    packet::{Layer, Packet},
    parse::{MAX_LAYERS, Outcome, segment},
    tape::{FIRST, HOLE, LAST, Records, Tag},
};
use sensor_facts::event::Event;
use sensor_kernel::{
    TableSizes,
    decode::{RingEvent, decode},
};
use sensor_sessions::pipeline::{FlowEndReason, Limits, Pipeline, PipelineOptions};
use tests::secret::Secret;
use twins::Twins;

pub(crate) mod dicom;
pub(crate) mod hl7;
#[path = "../small_kernel/mod.rs"]
pub(crate) mod small_kernel;
pub(crate) mod twins;

const CLIENT: [u8; 4] = [10, 9, 0, 1];
const SERVER: [u8; 4] = [10, 9, 0, 2];
const CLIENT_PORT: u16 = 50_000;
const SERVER_PORT: u16 = 11_112;

const TABLES: TableSizes = small_kernel::tables(256);

/// What the parser makes of a frame, tunnels unwrapped.
pub(crate) fn parse(frame: &[u8], layer: Layer) -> (Packet, Outcome) {
    let mut packet = Packet::EMPTY;
    packet.begin(layer);
    for _ in 0..MAX_LAYERS {
        let outcome = packet.parse_layer(&frame);
        if outcome != Outcome::Next {
            return (packet, outcome);
        }
    }
    (packet, Outcome::Done(packet.too_deep()))
}

/// What another frame has left, from a tunnel: tagged, cut, and about a name.
fn left() -> Packet {
    let mut frame = Vec::new();
    PacketBuilder::ethernet2([1; 6], [2; 6])
        .single_vlan(7.try_into().unwrap())
        .ipv4([1; 4], [2; 4], 3)
        .udp(67, 68)
        .write(&mut frame, &[9; 40])
        .unwrap();
    let (mut packet, outcome) = parse(&frame[..60], Layer::Ethernet);
    assert!(outcome == Outcome::Flow && packet.is_snapped() && packet.topic() != 0);
    packet.layer = Layer::Ip as u8;
    packet.tunnels = 1;
    packet.tunnel_depth = 1;
    packet
}

/// True if the frame is a plain TCP segment; what is known of it then must be what [`parse`] finds.
pub(crate) fn is_plain_and_the_same(frame: &[u8]) -> bool {
    let Some(segment) = segment::Segment::of(frame) else {
        return false;
    };
    let mut packet = left();
    segment.become_packet(&mut packet);
    assert_eq!(
        (packet, Outcome::Flow),
        parse(frame, Layer::Ethernet),
        "{frame:02x?}"
    );
    true
}

/// The side that a segment comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum From {
    Client,
    Server,
}

/// A TCP segment.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) from: From,
    pub(crate) sequence: u32,
    pub(crate) syn: bool,
    pub(crate) fin: bool,
    pub(crate) payload: Vec<u8>,
    /// Bytes of the payload that the capture has.
    pub(crate) captured: usize,
}

impl Segment {
    pub(crate) fn new(from: From, sequence: u32, payload: &[u8]) -> Self {
        Self {
            from,
            sequence,
            syn: false,
            fin: false,
            payload: payload.to_vec(),
            captured: payload.len(),
        }
    }

    pub(crate) fn syn(from: From, sequence: u32) -> Self {
        Self {
            syn: true,
            ..Self::new(from, sequence, &[])
        }
    }

    /// The Ethernet frame, which acknowledges nothing.
    pub(crate) fn frame(&self) -> Vec<u8> {
        self.acknowledging(1)
    }

    /// The Ethernet frame with an acknowledgement number.
    pub(crate) fn acknowledging(&self, number: u32) -> Vec<u8> {
        let (source, target, ports) = match self.from {
            From::Client => (CLIENT, SERVER, (CLIENT_PORT, SERVER_PORT)),
            From::Server => (SERVER, CLIENT, (SERVER_PORT, CLIENT_PORT)),
        };
        let mut builder = PacketBuilder::ethernet2([2; 6], [4; 6])
            .ipv4(source, target, 64)
            .tcp(ports.0, ports.1, self.sequence, 1_000);
        if self.syn {
            builder = builder.syn();
        }
        if self.fin {
            builder = builder.fin();
        }
        if !self.syn || self.from == From::Server {
            builder = builder.ack(number);
        }
        let mut frame = Vec::new();
        builder.write(&mut frame, &self.payload).unwrap();
        frame.truncate(frame.len() - (self.payload.len() - self.captured));
        frame
    }
}

/// What `from` says, in pieces, from sequence number 1 on.
pub(crate) fn segments<'a>(from: From, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Segment> {
    let mut sequence = 1_u32;
    pieces
        .into_iter()
        .map(|piece| {
            let segment = Segment::new(from, sequence, piece);
            sequence = sequence.wrapping_add(u32::try_from(piece.len()).unwrap());
            segment
        })
        .collect()
}

/// The engine, twice, and the pipeline, and all that came out of them.
pub(crate) struct Sensor {
    engine: Twins,
    pipeline: Pipeline,
    records: Vec<Vec<u8>>,
    events: Vec<Event>,
    time: u64,
}

impl Sensor {
    pub(crate) fn new() -> Self {
        Self {
            engine: Twins::new(TABLES),
            pipeline: Pipeline::new(PipelineOptions {
                limits: Limits::all(16),
                ..PipelineOptions::default()
            }),
            records: Vec::new(),
            events: Vec::new(),
            time: 1_700_000_000_000_000_000,
        }
    }

    /// A frame, 20 ms after the last one: no two are taken for copies by a mirror.
    pub(crate) fn frame(&mut self, frame: &[u8]) {
        self.time += 20_000_000;
        let Self {
            engine,
            pipeline,
            records,
            events,
            time,
        } = self;
        engine.process(frame, *time, |record| {
            records.push(record.to_vec());
            pipeline.ring_record(record, events);
        });
    }

    /// The end of the capture.
    pub(crate) fn end(mut self) -> Seen {
        let counters = *self.engine.counters();
        let (pipeline, events) = (&mut self.pipeline, &mut self.events);
        self.engine.drain(|key, flow| {
            pipeline.flow_ended(key, flow, FlowEndReason::Shutdown, events);
        });
        pipeline.finish(events);
        let stats = self.pipeline.stats();
        assert_eq!(stats.bad(), 0, "every record can be decoded: {stats:?}");
        assert_eq!(stats.bad_tapes, 0, "every tape can be read: {stats:?}");
        assert_eq!(stats.records, self.records.len() as u64);
        assert_eq!(stats.chunks_lost + stats.chunks_misplaced, 0, "{stats:?}");
        assert_eq!(
            counters.get(Counter::Packets),
            counters.disposed(),
            "each packet has one disposition"
        );
        assert_eq!(
            counters.get(Counter::FlowEvents) + counters.get(Counter::ChunkEvents),
            self.records.len() as u64,
            "sent = received"
        );
        let events = self
            .events
            .iter()
            .map(|event| serde_json::to_string(event).unwrap())
            .collect();
        Seen {
            records: self.records,
            events,
            counters,
        }
    }
}

/// Leads segments through a sensor of their own. Each acknowledges all that the other side has sent.
pub(crate) fn see(segments: &[Segment]) -> Seen {
    let mut sensor = Sensor::new();
    let mut sent = [1_u32; 2];
    for segment in segments {
        let side = usize::from(segment.from == From::Server);
        sensor.frame(&segment.acknowledging(sent[1 - side]));
        let length = segment.payload.len() + usize::from(segment.syn);
        let end = segment
            .sequence
            .wrapping_add(u32::try_from(length).unwrap());
        if end.wrapping_sub(sent[side]).cast_signed() > 0 {
            sent[side] = end;
        }
    }
    sensor.end()
}

/// What left the engine.
pub(crate) struct Seen {
    pub(crate) records: Vec<Vec<u8>>,
    /// Events, each as JSON.
    pub(crate) events: Vec<String>,
    pub(crate) counters: Counters,
}

/// A record of tape whose pieces were joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Joined {
    pub(crate) direction: u8,
    pub(crate) tag: Tag,
    pub(crate) bytes: Vec<u8>,
    /// Its last piece came, and none is missing.
    pub(crate) whole: bool,
}

impl Seen {
    /// The tape of both directions, pieces joined, each direction in its order; direction A first.
    pub(crate) fn tape(&self) -> Vec<Joined> {
        let mut tapes: [Vec<Joined>; 2] = Default::default();
        for (header, tape) in self.chunks() {
            let direction = header.header.detail;
            let joined = &mut tapes[usize::from(direction)];
            for record in Records::new(tape) {
                let record = record.unwrap();
                if record.flags & FIRST != 0 {
                    joined.push(Joined {
                        direction,
                        tag: record.tag,
                        bytes: Vec::new(),
                        whole: false,
                    });
                }
                let last = joined.last_mut().unwrap();
                assert_eq!(last.tag, record.tag, "a piece without a beginning");
                last.bytes.extend(record.bytes);
                last.whole = record.flags & LAST != 0 && record.flags & HOLE == 0;
            }
        }
        tapes.concat()
    }

    fn chunks(&self) -> impl Iterator<Item = (ChunkHeader, &[u8])> {
        self.records
            .iter()
            .filter_map(|record| match decode(record).unwrap() {
                RingEvent::Chunk { header, tape, .. } => Some((header, tape)),
                RingEvent::Flow { .. } | RingEvent::Notice { .. } => None,
            })
    }

    /// The records of one kind.
    pub(crate) fn bytes_of(&self, tag: Tag) -> Vec<Vec<u8>> {
        self.tape()
            .into_iter()
            .filter(|record| record.tag == tag)
            .map(|record| record.bytes)
            .collect()
    }

    /// Demands that no five letters in a row of `secret` left the engine, in any record, on the joined
    /// tape, or in any event.
    pub(crate) fn keeps(&self, secret: &str, of: &str) {
        let tape = self.tape();
        let joined = tape.iter().flat_map(|record| record.bytes.iter().copied());
        let joined: Vec<u8> = joined.collect();
        let secret = Secret::new(secret);
        assert_eq!(secret.found_in(&joined), None, "{of}: on the tape");
        for record in &self.records {
            assert_eq!(secret.found_in(record), None, "{of}: in a ring record");
        }
        for event in &self.events {
            assert_eq!(secret.found_in(event.as_bytes()), None, "{of}: in {event}");
        }
    }
}
