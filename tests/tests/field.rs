//! Shapes of traffic that people reported in public, in the kernel: by `BPF_PROG_TEST_RUN` each gives the records, flows and
//! counters of the portable engine, and on a veth the same sessions. What is right is in the test of the same name of
//! `sensor-sessions`. The captures are not part of the project; where they are missing, the test says so.

mod captures;
mod homes;
mod small_kernel;

use std::{collections::HashMap, path::PathBuf, process, time::Duration};

use anyhow::{Context, Result, ensure};
use sensor_common::counter::Counter;
use sensor_kernel::{InterfaceOptions, Kernel, TestBench};
use sensor_sessions::pipeline::{FlowEndReason, Pipeline, PipelineOptions};
use serde_json::Value;
use tests::{ability::privileged, netns::Namespace, wait::wait_for, wire::Wire};

use homes::Seen;

/// Captures that must be there.
const CASES: usize = 22;
/// Time that the kernel has for the packets of a capture.
const LIMIT: Duration = Duration::from_secs(10);

type Frames = Vec<(u64, Vec<u8>)>;

/// The captures that can be read here, by name.
fn cases() -> Vec<(String, Frames)> {
    let Some(root) = captures::root().filter(|_| privileged()) else {
        return Vec::new();
    };
    let paths: Vec<PathBuf> = captures::below(&root.join("field"));
    assert!(paths.len() >= CASES, "only {} captures", paths.len());
    let name = |path: &PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
    paths
        .iter()
        .map(|path| (name(path), captures::frames(path)))
        .collect()
}

/// What the clock or the place decides.
const OF_THE_PLACE: [&str; 9] = [
    "timestamp",
    "in_iface",
    "flow_id",
    "start",
    "end",
    "ack_time_us",
    "min_us",
    "mean_us",
    "max_us",
];

fn forget_place(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !OF_THE_PLACE.contains(&name.as_str()));
            fields.values_mut().for_each(forget_place);
        }
        Value::Array(values) => values.iter_mut().for_each(forget_place),
        _ => {}
    }
}

/// The sessions, without times, and the conversations with their protocol, packets and bytes.
fn said(seen: &Seen) -> Vec<Value> {
    let mut pipeline = Pipeline::new(PipelineOptions::default());
    let mut events = Vec::new();
    for record in &seen.events {
        pipeline.ring_record(record, &mut events);
    }
    for (key, flow) in &seen.flows {
        pipeline.flow_ended(key, flow, FlowEndReason::Shutdown, &mut events);
    }
    pipeline.finish(&mut events);
    let mut said = Vec::new();
    for event in &events {
        let mut event = serde_json::to_value(event).unwrap();
        if event["event_type"] == "flow" {
            let flow = event["flow"].take();
            for half in ["to_server", "to_client"] {
                for name in ["packets", "bytes", "payload_bytes", "gaps", "ignored"] {
                    event[half][name] = flow[half][name].clone();
                }
            }
            for name in ["app_proto", "tunnels", "state", "midstream"] {
                event[name] = flow[name].clone();
            }
        }
        forget_place(&mut event);
        said.push(event);
    }
    said
}

#[test]
fn the_kernel_reads_each_shape_as_the_engine_does() {
    let cases = cases();
    if cases.is_empty() {
        return;
    }
    homes::stay_on_this_cpu();
    let tables = small_kernel::tables(256);
    let mut bench = TestBench::load(&TestBench::options(tables, 1 << 20)).unwrap();
    for (name, frames) in cases {
        let kernel = homes::kernel(&mut bench, &frames);
        let portable = homes::portable(tables, &frames, homes::interface(&kernel));
        assert!(!kernel.events.is_empty(), "{name}: no records");
        homes::compare(&name, &kernel, &portable);
    }
}

#[test]
fn a_mirror_gives_the_sessions_of_a_replay() -> Result<()> {
    let cases = cases();
    if cases.is_empty() {
        return Ok(());
    }
    let namespace = Namespace::create(&format!("wardtap-field-{}", process::id()))?;
    namespace.ip(&["link", "add", "a0", "type", "veth", "peer", "name", "b0"])?;
    for end in ["a0", "b0"] {
        namespace.ip(&["link", "set", end, "up"])?;
    }
    let wanted = small_kernel::options(
        namespace.name(),
        vec![InterfaceOptions {
            name: "b0".to_owned(),
            mode: None,
            inline: false,
        }],
    );
    let mut kernel = namespace.within(move || Ok(Kernel::load(&wanted)?))?;
    let mut ring = kernel.take_ring().context("no ring")?;
    let mut wire = Wire::open(&namespace, "a0")?;
    let mut sessions = 0;
    for (name, frames) in cases {
        let replayed = homes::portable(small_kernel::tables(64), &frames, 1);
        let before = kernel.counters()?[0];
        for (_, frame) in &frames {
            wire.send(frame)?;
        }
        // The namespace sends packets of its own, none of them over TCP.
        let expected = replayed.counters.get(Counter::Tcp);
        let counters = wait_for(&format!("{expected} segments of {name}"), LIMIT, || {
            let counters = kernel.counters().ok()?[0].since(&before);
            let whole = counters.get(Counter::Packets) == counters.disposed();
            (whole && counters.get(Counter::Tcp) >= expected).then_some(counters)
        })?;
        let (mut events, mut flows) = (Vec::new(), HashMap::new());
        ring.drain(usize::MAX, |record| events.push(record.to_vec()));
        kernel.flows().drain(|item| {
            if item.key.protocol == 6 {
                flows.insert(item.key, item.flow);
            }
        })?;
        let seen = said(&Seen {
            counters,
            events,
            flows,
        });
        let replayed = said(&replayed);
        sessions += seen.len();
        ensure!(
            seen == replayed,
            "{name}: on the mirror {}\nin the replay {}",
            serde_json::to_string(&seen)?,
            serde_json::to_string(&replayed)?
        );
    }
    ensure!(sessions > 60, "only {sessions} events");
    Ok(())
}
