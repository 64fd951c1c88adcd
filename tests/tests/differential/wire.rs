//! The very packets of an exchange through the portable engine and the pipeline.

use etherparse::PacketBuilder;
use sensor_common::{packet::Layer, settings::Settings};
use sensor_facts::event::{
    Association, Body, DicomEventType, Event, Hl7Event, Hl7Message, Hl7SessionSummary,
};
use sensor_kernel::TableSizes;
use sensor_sessions::{
    capture::PortableEngine,
    pipeline::{FlowEndReason, Limits, Pipeline, PipelineOptions},
};

use super::exchange::{Exchange, Packet};

const CLIENT: [u8; 4] = [10, 0, 0, 1];
const SERVER: [u8; 4] = [10, 0, 0, 2];
/// From one packet to the next, nanoseconds.
const STEP: u64 = 1_000_000;
/// Payload of a receiver's segment at most, bytes.
const SEGMENT: usize = 1_460;

/// What the sensor says of an exchange.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// Associations as they were at last.
    pub(crate) associations: Vec<Association>,
    /// HL7 messages, in order.
    pub(crate) messages: Vec<Hl7Message>,
    /// HL7 sessions at last.
    pub(crate) sessions: Vec<Hl7SessionSummary>,
    /// Bytes that left the kernel.
    pub(crate) tape: Vec<u8>,
    /// What must never be, whatever comes in.
    pub(crate) broken: Option<String>,
}

struct Wire {
    engine: PortableEngine,
    pipeline: Pipeline,
    events: Vec<Event>,
    tape: Vec<u8>,
    time: u64,
    sequence: [u32; 2],
    ports: [u16; 2],
}

/// Feeds an exchange to the sensor, as a connection to `port`.
pub(crate) fn watch(exchange: &Exchange, port: u16) -> Said {
    let sizes = TableSizes {
        established4: 16,
        established6: 16,
        fresh4: 16,
        fresh6: 16,
    };
    let options = PipelineOptions {
        limits: Limits::all(16),
        flow_events: false,
        ..PipelineOptions::default()
    };
    let mut wire = Wire {
        engine: PortableEngine::new(sizes, Settings::DEFAULT),
        pipeline: Pipeline::new(options),
        events: Vec::new(),
        tape: Vec::new(),
        time: 1_700_000_000_000_000_000,
        sequence: [1_000, u32::MAX - 40],
        ports: [exchange.port.max(1_024), port],
    };
    wire.packet(0, "S", &[]);
    wire.packet(1, "SA", &[]);
    wire.packet(0, "A", &[]);
    for packet in &exchange.packets {
        match packet {
            Packet::Client(bytes) => wire.packet(0, "AP", bytes),
            Packet::Receiver(bytes) => {
                for segment in bytes.chunks(SEGMENT) {
                    wire.packet(1, "AP", segment);
                }
            }
            Packet::ClientEnds => wire.packet(0, "FA", &[]),
            Packet::ReceiverEnds => wire.packet(1, "FA", &[]),
            Packet::ClientResets => wire.packet(0, "R", &[]),
            Packet::ReceiverResets => wire.packet(1, "R", &[]),
        }
    }
    wire.finish()
}

impl Wire {
    fn packet(&mut self, side: usize, flags: &str, payload: &[u8]) {
        let (from, to) = if side == 0 {
            (CLIENT, SERVER)
        } else {
            (SERVER, CLIENT)
        };
        let mut builder = PacketBuilder::ethernet2([2; 6], [4; 6])
            .ipv4(from, to, 64)
            .tcp(
                self.ports[side],
                self.ports[1 - side],
                self.sequence[side],
                60_000,
            );
        for flag in flags.chars() {
            builder = match flag {
                'S' => builder.syn(),
                'F' => builder.fin(),
                'R' => builder.rst(),
                'P' => builder.psh(),
                _ => builder.ack(self.sequence[1 - side]),
            };
        }
        let mut frame = Vec::new();
        builder.write(&mut frame, payload).unwrap();
        let taken = payload.len() + usize::from(flags.contains(['S', 'F']));
        self.sequence[side] = self.sequence[side].wrapping_add(u32::try_from(taken).unwrap());
        self.time += STEP;
        let Self {
            engine,
            pipeline,
            events,
            tape,
            ..
        } = self;
        let sink = &mut |record: &[u8]| {
            tape.extend(record);
            pipeline.ring_record(record, events);
        };
        engine.process(&frame, Layer::Ethernet, 1, self.time, sink);
        pipeline.tick(self.time, events);
    }

    fn finish(mut self) -> Said {
        let Self {
            engine,
            pipeline,
            events,
            ..
        } = &mut self;
        engine.drain(|key, flow, _| {
            pipeline.flow_ended(key, flow, FlowEndReason::Shutdown, events);
        });
        pipeline.finish(events);
        let stats = pipeline.stats();
        let counters = engine.counters();
        let broken = match () {
            () if stats.bad() > 0 => Some(format!("bad records: {:?}", stats.bad_records)),
            () if stats.bad_tapes > 0 => Some("a tape that can't be read".to_owned()),
            () if counters.get(sensor_common::counter::Counter::Packets) != counters.disposed() => {
                Some("packets are not their dispositions".to_owned())
            }
            () => None,
        };
        let mut said = Said {
            tape: self.tape,
            broken,
            ..Said::default()
        };
        for event in self.events {
            match event.body {
                Body::Dicom { dicom } if dicom.kind != DicomEventType::Opened => {
                    said.associations.push(dicom.association);
                }
                Body::Hl7 { hl7 } => match *hl7 {
                    Hl7Event::Message(message) => said.messages.push(message),
                    Hl7Event::Session(session) => said.sessions.push(session),
                },
                _ => {}
            }
        }
        said
    }
}
