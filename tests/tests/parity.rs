//! One parser, two homes: every Ethernet capture goes through the kernel's program
//! (`BPF_PROG_TEST_RUN`, the capture's clock) and through the portable engine, and both must give the
//! same counters, the same events byte by byte, and the same flow entries.

use std::{collections::HashMap, path::Path};

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

mod captures;

/// Larger than any capture's number of flows: which flow an LRU map evicts is the kernel's affair.
const TABLES: TableSizes = TableSizes {
    established4: 32_768,
    established6: 8_192,
    fresh4: 65_536,
    fresh6: 16_384,
};

struct Result {
    counters: Counters,
    events: Vec<Vec<u8>>,
    flows: HashMap<FlowKey, Flow>,
}

fn kernel(bench: &mut TestBench, frames: &[(u64, Vec<u8>)]) -> Result {
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
    bench.forget_claims().unwrap();
    bench
        .flows
        .drain(|item| assert!(flows.insert(item.key, item.flow).is_none()))
        .unwrap();
    Result {
        counters,
        events,
        flows,
    }
}

fn portable(frames: &[(u64, Vec<u8>)], interface: u32) -> Result {
    let mut engine = PortableEngine::new(TABLES, Settings::DEFAULT);
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
    Result {
        counters,
        events,
        flows,
    }
}

/// The interface index that `BPF_PROG_TEST_RUN` gives, read from the kernel's first event or flow.
fn interface(result: &Result) -> u32 {
    if let Some(event) = result.events.first() {
        return u32::from_ne_bytes(*event[4..].first_chunk().unwrap());
    }
    result
        .flows
        .values()
        .next()
        .map_or(0, |flow| flow.interface)
}

fn compare(path: &Path, kernel: &Result, portable: &Result) {
    let name = path.display();
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

fn stay_on_this_cpu() {
    let mut cpus = CpuSet::new();
    cpus.set(sched_getcpu().unwrap()).unwrap();
    sched_setaffinity(Pid::from_raw(0), &cpus).unwrap();
}

#[test]
fn the_kernel_and_the_portable_engine_agree_on_every_capture() {
    let Some(root) = captures::root() else { return };
    // How many notices go out in a second is counted by CPU.
    stay_on_this_cpu();
    let mut bench = TestBench::load(&TestBench::options(TABLES, 1 << 20)).unwrap();
    let (mut files, mut packets, mut events, mut flows) = (0_u64, 0_u64, 0_u64, 0_u64);
    for path in captures::ethernet(&root) {
        let mut frames = captures::frames(&path);
        for (_, frame) in &mut frames {
            frame.truncate(TestBench::FRAME_MAX);
        }
        // A test run takes no frame that is shorter than an Ethernet header.
        frames.retain(|(_, frame)| frame.len() >= 14);
        if frames.is_empty() {
            continue;
        }
        let kernel = kernel(&mut bench, &frames);
        let portable = portable(&frames, interface(&kernel));
        compare(&path, &kernel, &portable);
        files += 1;
        packets += frames.len() as u64;
        events += kernel.events.len() as u64;
        flows += kernel.flows.len() as u64;
    }
    println!("{files} captures, {packets} packets: {events} events and {flows} flows agree");
    assert!(files > 900, "only {files} captures were read");
}
