//! What the targets share: an engine with a pipeline behind it, and what must hold whatever comes in.

use sensor_common::{
    counter::Counter, event::ChunkHeader, packet::Layer, settings::Settings, tape::Records,
};
use sensor_kernel::TableSizes;
use sensor_sessions::{
    capture::PortableEngine,
    pipeline::{FlowEndReason, Pipeline, PipelineOptions},
};

/// A small engine and its pipeline.
pub struct Rig {
    engine: PortableEngine,
    pipeline: Pipeline,
    time: u64,
}

impl Default for Rig {
    fn default() -> Self {
        let tables = TableSizes {
            established4: 8,
            established6: 8,
            fresh4: 8,
            fresh6: 8,
        };
        Self {
            engine: PortableEngine::new(tables, Settings::DEFAULT),
            pipeline: Pipeline::new(PipelineOptions::default()),
            time: 0,
        }
    }
}

impl Rig {
    /// A frame, `wait` milliseconds after the last one.
    pub fn frame(&mut self, frame: &[u8], layer: Layer, wait: u8) {
        self.time += u64::from(wait) * 1_000_000;
        let mut events = Vec::new();
        let pipeline = &mut self.pipeline;
        self.engine
            .process(frame, layer, 1, self.time, &mut |record: &[u8]| {
                check_tape(record);
                pipeline.ring_record(record, &mut events);
            });
    }

    /// The end: the books must balance.
    pub fn finish(mut self) {
        let mut events = Vec::new();
        let pipeline = &mut self.pipeline;
        self.engine.drain(|key, flow, _| {
            pipeline.flow_ended(key, flow, FlowEndReason::Shutdown, &mut events);
        });
        pipeline.finish(&mut events);
        let counters = self.engine.counters();
        assert_eq!(counters.get(Counter::Packets), counters.disposed());
        let offered = counters.get(Counter::FlowEvents) + counters.get(Counter::ChunkEvents);
        assert_eq!(offered, self.engine.events());
        let stats = pipeline.stats();
        assert_eq!(stats.records, offered);
        assert_eq!(stats.bad(), 0, "{stats:?}");
    }
}

/// Every chunk that the engine makes has a tape of whole records.
fn check_tape(record: &[u8]) {
    const WITH_TAPE: [u8; 2] = [2, 3];
    if WITH_TAPE.contains(&record[1]) {
        for record in Records::new(&record[size_of::<ChunkHeader>()..]) {
            assert!(record.is_ok(), "{record:?}");
        }
    }
}

/// A TCP connection whose segments a fuzzer cuts, loses, repeats and reorders.
///
/// `script` is a row of steps: a byte of direction and fate, a byte of length, then that many bytes (times
/// four) of payload.
pub fn converse(script: &[u8]) {
    let mut rig = Rig::default();
    let mut sequence = [1_000_u32, 9_000];
    let mut rest = script;
    while let [how, length, tail @ ..] = rest {
        let take = (usize::from(*length) * 4).min(tail.len());
        let (payload, tail) = tail.split_at(take);
        rest = tail;
        let side = usize::from(how & 1);
        let at = match (how >> 1) & 7 {
            // Lost before the sensor: the sequence moves on, nothing comes.
            0 => {
                sequence[side] = sequence[side].wrapping_add(u32::from(*length) * 4);
                continue;
            }
            // Begins before, or beyond, what is expected.
            1 => sequence[side].wrapping_sub(u32::from(*length)),
            2 => sequence[side].wrapping_add(u32::from(how >> 4)),
            _ => sequence[side],
        };
        rig.frame(&segment(side, at, payload), Layer::Ip, how >> 4);
        sequence[side] = at.wrapping_add(u32::try_from(payload.len()).unwrap_or(0));
    }
    rig.finish();
}

/// A datagram between ports at which hosts say who they are, ARP, or IPv6 neighbour discovery with the right checksum.
///
/// The first byte of `data` chooses; the rest is the payload.
pub fn say(data: &[u8]) {
    let [how, payload @ ..] = data else { return };
    let mut rig = Rig::default();
    if how & 0x80 != 0 {
        let packet = neighbour(134 + how % 3, payload);
        rig.frame(&packet, Layer::Ip, 1);
        return rig.finish();
    }
    let (source, destination) = match how & 3 {
        0 => (68_u16, 67_u16),
        1 => (67, 68),
        2 => (5_353, 5_353),
        _ => {
            let mut frame = vec![0xff; 12];
            frame.extend([8, 6]);
            frame.extend(payload);
            rig.frame(&frame, Layer::Ethernet, how >> 2);
            return rig.finish();
        }
    };
    let length = u16::try_from(28 + payload.len()).unwrap_or(u16::MAX);
    let mut packet = vec![0x45, 0];
    packet.extend(length.to_be_bytes());
    packet.extend([0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 224, 0, 0, 251]);
    packet.extend(source.to_be_bytes());
    packet.extend(destination.to_be_bytes());
    packet.extend((length - 20).to_be_bytes());
    packet.extend([0, 0]);
    packet.extend(payload);
    rig.frame(&packet, Layer::Ip, how >> 2);
    rig.finish();
}

/// An IPv6 packet with an ICMPv6 message of a type; `body` is what follows the checksum.
fn neighbour(kind: u8, body: &[u8]) -> Vec<u8> {
    let body = &body[..body.len().min(9_000)];
    let length = u16::try_from(body.len() + 4).unwrap_or(u16::MAX);
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend(length.to_be_bytes());
    packet.extend([58, 255]);
    let address = |first: [u8; 2]| [&first[..], &[0; 13], &[1]].concat();
    packet.extend(address([0xfe, 0x80]));
    packet.extend(address([0xff, 0x02]));
    packet.extend([kind, 0, 0, 0]);
    packet.extend(body);
    let words = packet[8..].chunks(2).map(|pair| {
        u32::from(u16::from_be_bytes([
            pair[0],
            pair.get(1).copied().unwrap_or(0),
        ]))
    });
    let mut sum = words.sum::<u32>() + u32::from(length) + 58;
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    let checksum = !u16::try_from(sum).unwrap_or(0);
    packet[42..44].copy_from_slice(&checksum.to_be_bytes());
    packet
}

/// An IPv4 packet with a TCP segment from one side to the other.
fn segment(side: usize, sequence: u32, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(40 + payload.len()).unwrap_or(u16::MAX);
    let (from, to) = if side == 0 {
        ([10, 0, 0, 1], [10, 0, 0, 2])
    } else {
        ([10, 0, 0, 2], [10, 0, 0, 1])
    };
    let (source, destination) = if side == 0 {
        (40_000_u16, 104_u16)
    } else {
        (104, 40_000)
    };
    let mut packet = vec![0x45, 0];
    packet.extend(length.to_be_bytes());
    packet.extend([0, 0, 0, 0, 64, 6, 0, 0]);
    packet.extend(from);
    packet.extend(to);
    packet.extend(source.to_be_bytes());
    packet.extend(destination.to_be_bytes());
    packet.extend(sequence.to_be_bytes());
    packet.extend([0, 0, 0, 0, 0x50, 0x18, 4, 0, 0, 0, 0, 0]);
    packet.extend(payload);
    packet
}
