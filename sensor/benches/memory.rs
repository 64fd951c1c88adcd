//! What devices and flows take of the daemon's memory, by counting what is allocated, and how long the work
//! takes that goes over all of them. Run by `cargo xtask bench`.
#![expect(
    clippy::cast_precision_loss,
    reason = "what is shown has one or two decimals"
)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    error::Error,
    net::{IpAddr, SocketAddr},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use etherparse::PacketBuilder;
use sensor_analysis::{Analysis, AnalysisOptions, Outcome};
use sensor_common::{flow::SNAPSHOT_FROM, packet::Layer, settings::Settings};
use sensor_facts::{
    observation::{FlowFacts, Half, Observation, What},
    time::Time,
};
use sensor_kernel::TableSizes;
use sensor_sessions::{
    capture::PortableEngine,
    pipeline::{FlowEndReason, Pipeline, PipelineOptions},
};

const SECOND: i64 = 1_000_000_000;
const HOUR: i64 = 3_600 * SECOND;
const DEVICES: u32 = 10_000;
const FLOWS: u32 = 100_000;
/// Peers and services of each device.
const PEERS: u32 = 10;
/// Hours in which each device does something: all blocks of four hours have their 14 windows then.
const HOURS: i64 = 24 * 7;

/// Counts the bytes that are allocated.
struct Counting;

static ALLOCATED: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all is left to the system's allocator; counting touches nothing of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        ALLOCATED.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocated() -> usize {
    ALLOCATED.load(Ordering::Relaxed)
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("\nMemory of the daemon (bytes allocated):\n");
    devices()?;
    flows()?;
    Ok(())
}

fn host(number: u32) -> IpAddr {
    IpAddr::from((0x0a00_0000 + number).to_be_bytes())
}

/// A connection of a device to its peer `peer`.
fn connection(id: u64, time: i64, device: u32, peer: u32) -> Observation {
    let half = Half {
        packets: 10,
        bytes: 1_000 + u64::from(device % 977),
        payload: 500,
        syn: 1,
        ..Half::default()
    };
    let facts = FlowFacts {
        id,
        over: true,
        to_server: half,
        to_client: half,
        ..FlowFacts::default()
    };
    // Peers are other devices of the site.
    let server = (device + 1 + 7 * peer) % DEVICES;
    Observation {
        time: Time(time),
        protocol: 6,
        client: SocketAddr::new(host(device), 50_000),
        server: SocketAddr::new(host(server), 443),
        macs: [[0; 6]; 2],
        what: What::Flow(Box::new(facts)),
    }
}

/// Devices with a week's history.
fn devices() -> Result<(), Box<dyn Error>> {
    let before = allocated();
    let mut analysis = Analysis::new(AnalysisOptions::default());
    let mut out = Outcome::default();
    let (mut id, begin) = (0, Instant::now());
    for hour in 0..HOURS {
        for device in 0..DEVICES {
            let peer = (device + u32::try_from(hour)?) % PEERS;
            let time = 20_003 * 24 * HOUR + hour * HOUR + i64::from(device) * 300_000_000;
            id += 1;
            analysis.observe(&connection(id, time, device, peer), &mut out);
            out.findings.clear();
            out.alerts.clear();
        }
    }
    let taken = begin.elapsed();
    let all = allocated() - before;
    let own = analysis.baselines().memory();
    let devices = u64::from(DEVICES);
    println!(
        "{DEVICES} devices, {PEERS} servers and {PEERS} clients each, a full history: {} in all, {} a device; baselines by their own account {} a device",
        megabytes(all),
        all as u64 / devices,
        own as u64 / devices
    );
    println!(
        "analysis of {id} flows took {:.2} s, {:.0} flows/s",
        taken.as_secs_f64(),
        id as f64 / taken.as_secs_f64()
    );
    let now = Time(20_003 * 24 * HOUR + HOURS * HOUR);
    let begin = Instant::now();
    let census = analysis.baselines().census(now);
    let counted = begin.elapsed();
    let folder = std::env::temp_dir().join(format!("wardtap-memory-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let begin = Instant::now();
    analysis.save(&folder)?;
    let saved = begin.elapsed();
    let size = std::fs::metadata(folder.join("baseline.bin"))?.len();
    let begin = Instant::now();
    let again = Analysis::open(&folder, AnalysisOptions::default());
    let read = begin.elapsed();
    std::fs::remove_dir_all(&folder)?;
    assert_eq!(again.baselines().len(), usize::try_from(DEVICES)?);
    println!(
        "of {} devices: census {:.1} ms, written in {:.0} ms ({}), read in {:.0} ms",
        census.learnt + census.learning + census.frozen,
        milliseconds(counted),
        milliseconds(saved),
        megabytes(usize::try_from(size)?),
        milliseconds(read)
    );
    Ok(())
}

/// Flows that go on, as the pipeline has them, and what is left of them when they are over; the entries themselves
/// are in the kernel.
fn flows() -> Result<(), Box<dyn Error>> {
    let tables = TableSizes::default();
    let mut engine = PortableEngine::new(tables, Settings::DEFAULT);
    let mut records: Vec<Vec<u8>> = Vec::new();
    for flow in 0..FLOWS {
        for frame in frames(flow)? {
            let time = 20_003 * 24 * u64::try_from(HOUR)? + u64::from(flow) * 1_000;
            engine.process(&frame, Layer::Ethernet, 0, time, &mut |record: &[u8]| {
                records.push(record.to_vec());
            });
        }
    }
    let before = allocated();
    let mut pipeline = Pipeline::new(PipelineOptions {
        observe: true,
        flow_events: false,
        ..PipelineOptions::default()
    });
    let mut events = Vec::new();
    for record in &records {
        pipeline.ring_record(record, &mut events);
        events.clear();
    }
    let running = allocated() - before;
    println!(
        "{FLOWS} flows that go on, {} hosts: {} in the pipeline, {} a flow",
        pipeline.stats().hosts,
        megabytes(running),
        running / usize::try_from(FLOWS)?
    );
    let before = allocated();
    let mut analysis = Analysis::new(AnalysisOptions::default());
    let mut out = Outcome::default();
    engine.drain(|key, flow, _| {
        pipeline.flow_ended(key, flow, FlowEndReason::Closed, &mut events);
        events.clear();
        for seen in pipeline.observations().drain(..) {
            analysis.observe(&seen, &mut out);
            out.findings.clear();
            out.alerts.clear();
        }
    });
    println!(
        "when they are over: {} more in analysis and look-back, {} devices",
        megabytes(allocated().saturating_sub(before)),
        analysis.baselines().len()
    );
    Ok(())
}

/// Handshake of a flow, and segments until the kernel tells of it for the first time.
fn frames(flow: u32) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let [_, _, high, low] = (flow % 5_000).to_be_bytes();
    let (client, server) = (
        [10, 20, high, low],
        [10, 30, 0, u8::try_from(flow % 200)? + 1],
    );
    let port = u16::try_from(20_000 + flow / 5_000)?;
    let macs = ([2, 0, 0, 1, high, low], [2, 0, 0, 2, 0, server[3]]);
    let out = |sequence| {
        PacketBuilder::ethernet2(macs.0, macs.1)
            .ipv4(client, server, 64)
            .tcp(port, 443, sequence, 1_000)
    };
    let back = PacketBuilder::ethernet2(macs.1, macs.0)
        .ipv4(server, client, 64)
        .tcp(443, port, 1, 1_000);
    let mut all = vec![Vec::new(); usize::try_from(SNAPSHOT_FROM)?];
    out(1).syn().write(&mut all[0], &[])?;
    back.syn().ack(2).write(&mut all[1], &[])?;
    for (frame, sequence) in all[2..].iter_mut().zip((2..).step_by(5)) {
        out(sequence).ack(2).write(frame, b"hello")?;
    }
    Ok(all)
}

fn megabytes(bytes: usize) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
