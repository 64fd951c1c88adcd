//! Frames through the kernel's program (`BPF_PROG_TEST_RUN`) and through the portable engine: both must give the same
//! counters, the same events byte by byte, and the same flow entries.
#![allow(dead_code, reason = "each test uses what it needs")]

use std::collections::HashMap;

use nix::{
    sched::{CpuSet, sched_getcpu, sched_setaffinity},
    unistd::Pid,
};
use sensor_common::{
    counter::{Counter, Counters},
    flow::Flow,
    key::FlowKey,
    packet::Layer,
    settings::Settings,
};
use sensor_kernel::{TableSizes, TestBench};
use sensor_sessions::capture::PortableEngine;

/// What came of frames.
pub(crate) struct Seen {
    pub(crate) counters: Counters,
    pub(crate) events: Vec<Vec<u8>>,
    pub(crate) flows: HashMap<FlowKey, Flow>,
}

/// Runs frames with their times through the kernel.
pub(crate) fn kernel(bench: &mut TestBench, frames: &[(u64, Vec<u8>)]) -> Seen {
    let before = bench.counters().unwrap();
    let mut events = Vec::new();
    for (time, frame) in frames {
        bench.run(frame, *time, 1).unwrap();
        bench
            .ring
            .drain(usize::MAX, |record| events.push(record.to_vec()));
    }
    let mut flows = HashMap::new();
    let counters = bench.counters().unwrap().since(&before);
    bench.forget().unwrap();
    bench
        .flows
        .drain(|item| assert!(flows.insert(item.key, item.flow).is_none()))
        .unwrap();
    Seen {
        counters,
        events,
        flows,
    }
}

/// The same through the portable engine.
pub(crate) fn portable(tables: TableSizes, frames: &[(u64, Vec<u8>)], interface: u32) -> Seen {
    let mut engine = PortableEngine::new(tables, Settings::DEFAULT);
    let mut events: Vec<Vec<u8>> = Vec::new();
    for (time, frame) in frames {
        engine.process(
            frame,
            Layer::Ethernet,
            interface,
            *time,
            &mut |record: &[u8]| {
                events.push(record.to_vec());
            },
        );
    }
    let counters = *engine.counters();
    let mut flows = HashMap::new();
    engine.drain(|key, flow, _| assert!(flows.insert(*key, *flow).is_none()));
    Seen {
        counters,
        events,
        flows,
    }
}

/// The interface index that `BPF_PROG_TEST_RUN` gives, read from the kernel's first event or flow.
pub(crate) fn interface(seen: &Seen) -> u32 {
    if let Some(event) = seen.events.first() {
        return u32::from_ne_bytes(*event[4..].first_chunk().unwrap());
    }
    seen.flows.values().next().map_or(0, |flow| flow.interface)
}

/// Demands that both saw the same.
pub(crate) fn compare(name: &str, kernel: &Seen, portable: &Seen) {
    for counter in Counter::ALL {
        assert_eq!(
            kernel.counters.get(*counter),
            portable.counters.get(*counter),
            "{name}: counter {} (kernel, portable)",
            counter.label()
        );
    }
    assert_eq!(
        kernel.counters.get(Counter::Packets),
        kernel.counters.disposed(),
        "{name}: each packet has one disposition"
    );
    assert_eq!(
        kernel.events.len(),
        portable.events.len(),
        "{name}: events (kernel, portable)"
    );
    for (number, (a, b)) in kernel.events.iter().zip(&portable.events).enumerate() {
        assert_eq!(a, b, "{name}: event {number} (kernel, portable)");
    }
    assert_eq!(
        kernel.flows.len(),
        portable.flows.len(),
        "{name}: flows (kernel, portable)"
    );
    for (key, flow) in &kernel.flows {
        assert_eq!(
            Some(flow),
            portable.flows.get(key),
            "{name}: flow {key:?} (kernel, portable)"
        );
    }
}

/// What a CPU counts for itself must be counted by one.
pub(crate) fn stay_on_this_cpu() {
    let mut cpus = CpuSet::new();
    cpus.set(sched_getcpu().unwrap()).unwrap();
    sched_setaffinity(Pid::from_raw(0), &cpus).unwrap();
}
