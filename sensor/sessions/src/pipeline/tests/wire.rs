//! A TCP connection through the portable engine into a pipeline.

use etherparse::PacketBuilder;
use sensor_common::{counter::Counter, packet::Layer, settings::Settings};
use sensor_facts::event::{
    Association, Body, DicomEventType, Event, FlowReport, Hl7Event, Hl7Message, Hl7SessionSummary,
    TlsReport,
};
use sensor_kernel::TableSizes;

use crate::{
    capture::PortableEngine,
    pipeline::{FlowEndReason, Pipeline, PipelineOptions},
};

/// The conversation, packet by packet; a millisecond apart.
pub(super) struct Wire {
    engine: PortableEngine,
    pub(super) pipeline: Pipeline,
    pub(super) out: Vec<Event>,
    /// Ring records so far.
    pub(super) records: Vec<Vec<u8>>,
    /// Ring records that the pipeline does not get, by number.
    pub(super) lost: Vec<usize>,
    pub(super) time: u64,
    pub(super) client_port: u16,
    pub(super) server_port: u16,
    /// Bytes of a segment at most.
    pub(super) segment: usize,
    /// Where the client's stream is cut besides.
    pub(super) cut: usize,
    sent: usize,
    sequence: [u32; 2],
}

/// The checksum of a segment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Sums {
    #[default]
    Right,
    Wrong,
    /// What Linux leaves to the card: the sum of the pseudo header.
    Unfilled,
}

/// What is odd about a segment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Odd {
    /// How far it begins from where its side stands.
    pub(super) shift: u32,
    pub(super) acknowledges: Option<u32>,
    pub(super) sum: Sums,
}

/// Leaves the TCP checksum of a frame to the card.
fn unfill(frame: &mut [u8]) {
    let length = u32::try_from(frame.len() - 34).unwrap();
    let mut sum = 6 + length;
    for pair in frame[26..34].chunks(2) {
        sum += u32::from(u16::from_be_bytes([pair[0], pair[1]]));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    frame[50..52].copy_from_slice(&u16::try_from(sum).unwrap().to_be_bytes());
}

impl Wire {
    pub(super) fn new(options: PipelineOptions) -> Self {
        let sizes = TableSizes {
            established4: 256,
            established6: 256,
            fresh4: 256,
            fresh6: 256,
        };
        Self {
            engine: PortableEngine::new(sizes, Settings::DEFAULT),
            pipeline: Pipeline::new(options),
            out: Vec::new(),
            records: Vec::new(),
            lost: Vec::new(),
            time: 1_700_000_000_000_000_000,
            client_port: 40_000,
            server_port: 104,
            segment: 1_460,
            cut: usize::MAX,
            sent: 0,
            sequence: [1_000, 2_000],
        }
    }

    fn packet(&mut self, from_client: bool, flags: &str, payload: &[u8]) {
        self.segment_of(from_client, flags, payload, Odd::default());
        let side = usize::from(!from_client);
        let taken = payload.len() + flags.chars().filter(|flag| "SF".contains(*flag)).count();
        self.sequence[side] = self.sequence[side].wrapping_add(u32::try_from(taken).unwrap());
    }

    /// A segment that does not count as sent: the next one begins where this one does, unless it is told otherwise.
    pub(super) fn segment_of(&mut self, from_client: bool, flags: &str, payload: &[u8], odd: Odd) {
        let (client, server) = ([10, 0, 0, 1], [10, 0, 0, 2]);
        let side = usize::from(!from_client);
        let sequence = self.sequence[side].wrapping_add(odd.shift);
        let builder = if from_client {
            PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
                .ipv4(client, server, 64)
                .tcp(self.client_port, self.server_port, sequence, 1_000)
        } else {
            PacketBuilder::ethernet2([2, 0, 0, 0, 0, 2], [2, 0, 0, 0, 0, 1])
                .ipv4(server, client, 64)
                .tcp(self.server_port, self.client_port, sequence, 1_000)
        };
        let builder = if flags.contains('S') {
            builder.syn()
        } else {
            builder
        };
        let builder = if flags.contains('F') {
            builder.fin()
        } else {
            builder
        };
        let builder = if flags.contains('R') {
            builder.rst()
        } else {
            builder
        };
        let builder = if flags.contains('A') {
            builder.ack(odd.acknowledges.unwrap_or(self.sequence[1 - side]))
        } else {
            builder
        };
        let builder = if flags.contains('U') {
            builder.urg(1)
        } else {
            builder
        };
        let mut frame = Vec::new();
        builder.write(&mut frame, payload).unwrap();
        match odd.sum {
            Sums::Right => {}
            Sums::Wrong => frame[50] ^= 0x5a,
            Sums::Unfilled => unfill(&mut frame),
        }
        self.frame(&frame);
    }

    /// A frame, a millisecond after the last one.
    pub(super) fn frame(&mut self, frame: &[u8]) {
        self.time += 1_000_000;
        let Self {
            engine,
            pipeline,
            out,
            records,
            lost,
            ..
        } = self;
        engine.process(
            frame,
            Layer::Ethernet,
            1,
            self.time,
            &mut |record: &[u8]| {
                if !lost.contains(&records.len()) {
                    pipeline.ring_record(record, out);
                }
                records.push(record.to_vec());
            },
        );
        pipeline.tick(self.time, out);
    }

    /// Bytes that a side has sent, by segments that were built apart.
    pub(super) fn sent(&mut self, from_client: bool, bytes: usize) {
        let sequence = &mut self.sequence[usize::from(!from_client)];
        *sequence = sequence.wrapping_add(u32::try_from(bytes).unwrap());
    }

    /// Sequence numbers from which both sides go on.
    pub(super) fn begin_at(&mut self, client: u32, server: u32) {
        self.sequence = [client, server];
    }

    pub(super) fn flows(&self) -> Vec<(&Event, &FlowReport)> {
        let events = self.out.iter();
        events
            .filter_map(|event| match &event.body {
                Body::Flow { flow } => Some((event, flow.as_ref())),
                _ => None,
            })
            .collect()
    }

    pub(super) fn open(&mut self) {
        self.packet(true, "S", &[]);
        self.packet(false, "SA", &[]);
        self.packet(true, "A", &[]);
    }

    /// The client asks, the server refuses.
    pub(super) fn refuse(&mut self) {
        self.packet(true, "S", &[]);
        self.packet(false, "RA", &[]);
    }

    pub(super) fn client(&mut self, bytes: &[u8]) {
        let (before, after) = bytes.split_at(self.cut.saturating_sub(self.sent).min(bytes.len()));
        self.sent += bytes.len();
        for part in [before, after] {
            for segment in part.chunks(self.segment) {
                self.packet(true, "A", segment);
            }
        }
    }

    /// The engine's counter.
    pub(super) fn counter(&self, counter: Counter) -> u64 {
        self.engine.counters().get(counter)
    }

    pub(super) fn tls(&self) -> Vec<&TlsReport> {
        let bodies = self.out.iter().map(|event| &event.body);
        bodies
            .filter_map(|body| match body {
                Body::Tls { tls } => Some(tls.as_ref()),
                _ => None,
            })
            .collect()
    }

    pub(super) fn server(&mut self, bytes: &[u8]) {
        for segment in bytes.chunks(self.segment) {
            self.packet(false, "A", segment);
        }
    }

    /// Bytes of the client that the sensor never sees.
    pub(super) fn miss_client(&mut self, bytes: usize) {
        self.sequence[0] = self.sequence[0].wrapping_add(u32::try_from(bytes).unwrap());
    }

    pub(super) fn close(&mut self) {
        self.packet(true, "FA", &[]);
        self.packet(false, "FA", &[]);
        self.packet(true, "A", &[]);
    }

    /// A side acknowledges what it got.
    pub(super) fn acknowledge(&mut self, of_client: bool) {
        self.packet(of_client, "A", &[]);
    }

    pub(super) fn wait(&mut self, nanoseconds: u64) {
        self.time += nanoseconds;
        self.pipeline.tick(self.time, &mut self.out);
    }

    /// The engine gives up all flows.
    pub(super) fn drain(&mut self) {
        let Self {
            engine,
            pipeline,
            out,
            ..
        } = self;
        engine.drain(|key, flow, _| pipeline.flow_ended(key, flow, FlowEndReason::Shutdown, out));
    }

    pub(super) fn finish(&mut self) {
        self.drain();
        self.pipeline.finish(&mut self.out);
    }

    pub(super) fn json(&self) -> String {
        serde_json::to_string(&self.out).unwrap()
    }

    pub(super) fn associations(&self, kind: DicomEventType) -> Vec<&Association> {
        let bodies = self.out.iter().map(|event| &event.body);
        bodies
            .filter_map(|body| match body {
                Body::Dicom { dicom } if dicom.kind == kind => Some(&dicom.association),
                _ => None,
            })
            .collect()
    }

    pub(super) fn messages(&self) -> Vec<&Hl7Message> {
        let bodies = self.out.iter().map(|event| &event.body);
        bodies
            .filter_map(|body| match body {
                Body::Hl7 { hl7 } => match hl7.as_ref() {
                    Hl7Event::Message(message) => Some(message),
                    Hl7Event::Session(_) => None,
                },
                _ => None,
            })
            .collect()
    }

    pub(super) fn hl7_sessions(&self) -> Vec<&Hl7SessionSummary> {
        let bodies = self.out.iter().map(|event| &event.body);
        bodies
            .filter_map(|body| match body {
                Body::Hl7 { hl7 } => match hl7.as_ref() {
                    Hl7Event::Session(session) => Some(session),
                    Hl7Event::Message(_) => None,
                },
                _ => None,
            })
            .collect()
    }
}

/// Leads a conversation through the sensor in several ways: its segments of any small size, and the client's first `cuts` bytes
/// cut at each place; then checks what came of it.
pub(super) fn in_any_pieces(cuts: usize, talk: impl Fn(&mut Wire), check: impl Fn(&Wire, &str)) {
    let sizes = [1_460, 1, 2, 3, 5, 7, 64, 100].map(|size| (size, usize::MAX));
    for (segment, cut) in sizes.into_iter().chain((1..cuts).map(|cut| (1_460, cut))) {
        let mut wire = Wire::new(PipelineOptions::default());
        wire.segment = segment;
        wire.cut = cut;
        wire.open();
        talk(&mut wire);
        wire.finish();
        check(&wire, &format!("segments of {segment}, cut at {cut}"));
    }
}
