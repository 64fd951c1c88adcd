//! The short cut against the long way: two engines, one of which gets plain segments as bare IP packets, which take no
//! short cut. They must come to the same, to the last byte.

use std::mem;

use sensor_common::{
    counter::{Counter, Counters},
    event::{ChunkHeader, EventHeader, EventKind, FlowEvent},
    flow::Flow,
    key::FlowKey,
    packet::Layer,
    parse::segment::Segment,
    settings::Settings,
};
use sensor_kernel::TableSizes;
use sensor_sessions::capture::PortableEngine;

const ETHERNET: usize = 14;

pub(crate) struct Twins {
    short: PortableEngine,
    long: PortableEngine,
    /// Bytes of Ethernet headers that the second did not get.
    stripped: u64,
}

impl Twins {
    pub(crate) fn new(sizes: TableSizes) -> Self {
        Self {
            short: PortableEngine::new(sizes, Settings::DEFAULT),
            long: PortableEngine::new(sizes, Settings::DEFAULT),
            stripped: 0,
        }
    }

    /// Processes a frame in both.
    pub(crate) fn process(&mut self, frame: &[u8], time: u64, mut sink: impl FnMut(&[u8])) {
        let (mut short, mut long) = (Vec::new(), Vec::new());
        self.short
            .process(frame, Layer::Ethernet, 0, time, &mut |record: &[u8]| {
                sink(record);
                short.push(without_macs(record));
            });
        let (layer, bytes) = if Segment::of(frame).is_some() {
            self.stripped += ETHERNET as u64;
            (Layer::Ip, &frame[ETHERNET..])
        } else {
            (Layer::Ethernet, frame)
        };
        self.long
            .process(bytes, layer, 0, time, &mut |record: &[u8]| {
                long.push(without_macs(record));
            });
        assert_eq!(short, long, "what is sent after {frame:02x?}");
    }

    /// The counters of the engine that has the whole frames.
    pub(crate) fn counters(&self) -> &Counters {
        self.short.counters()
    }

    /// Compares what both have and hands out the flows.
    pub(crate) fn drain(&mut self, mut on: impl FnMut(&FlowKey, &Flow)) {
        self.long.counters_mut().add(Counter::Bytes, self.stripped);
        assert_eq!(self.short.counters(), self.long.counters());
        let flows = |engine: &mut PortableEngine| {
            let mut flows: Vec<(FlowKey, Flow)> = Vec::new();
            engine.drain(|key, flow, _| flows.push((*key, *flow)));
            flows
        };
        let (short, long) = (flows(&mut self.short), flows(&mut self.long));
        assert_eq!(short.len(), long.len(), "flows");
        for ((key, short), (other, long)) in short.iter().zip(&long) {
            let mut bare = *short;
            (bare.mac_a, bare.mac_b) = (long.mac_a, long.mac_b);
            assert_eq!((key, &bare), (other, long));
            on(key, short);
        }
    }
}

/// A record without the Ethernet addresses of its flow, if it is one.
fn without_macs(record: &[u8]) -> Vec<u8> {
    let mut record = record.to_vec();
    let at = if record[mem::offset_of!(EventHeader, kind)] == EventKind::Flow as u8 {
        mem::offset_of!(FlowEvent, flow) + mem::offset_of!(Flow, mac_a)
    } else {
        mem::offset_of!(ChunkHeader, mac_a)
    };
    record[at..at + 12].fill(0);
    record
}
