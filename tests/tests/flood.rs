//! Promise 5: a flood of spoofed flows replaces only itself. Ten million one-packet flows run against a
//! thousand live DICOM and HL7 connections, in the kernel's own tables.
//!
//! The program is the bench's: the sensor, before which each frame's source address is raised by one. So many flows
//! are one call into the kernel, which waits for a grace period of RCU in each call of several runs.

use std::{collections::HashMap, fs, path::Path};

use etherparse::PacketBuilder;
use sensor_common::{counter::Counter, flow::Flow, key::FlowKey, layer7::Protocol};
use sensor_kernel::{Place, TableSizes, TestBench};

const CLINICAL: u32 = 1_000;
const FLOOD: u32 = 10_000_000;
/// Flows of the flood in a millisecond.
const RATE: u32 = 1_000;
/// Flows of the flood between the times at which connections say something.
const BATCH: u32 = 50_000;
/// Connections that do so at each time: each connection twice in all.
const SPEAKERS: u32 = 2 * CLINICAL / (FLOOD / BATCH);
const MILLISECOND: u64 = 1_000_000;

const HL7: &[u8] = b"\x0bMSH|^~\\&|A|B|C|D|20260101||ADT^A01|1|P|2.5\rPID|1\r\x1c\r";

/// A connection of a clinical device, as far as the sensor sees it.
struct Connection {
    address: [u8; 4],
    port: u16,
    sequence: u32,
    packets: u64,
}

impl Connection {
    fn new(number: u32) -> Self {
        let [_, _, high, low] = number.to_be_bytes();
        Self {
            address: [10, 77, high, low],
            port: 40_000 + u16::try_from(number).unwrap(),
            sequence: number * 1_000,
            packets: 0,
        }
    }

    fn send(&mut self, bench: &mut TestBench, time: u64, payload: &[u8]) {
        let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
            .ipv4(before(self.address), [10, 88, 0, 1], 64)
            .tcp(self.port, 11_112, self.sequence, 1_000)
            .ack(1);
        let mut frame = Vec::new();
        builder.write(&mut frame, payload).unwrap();
        bench.run(&frame, time, 1).unwrap();
        self.sequence += u32::try_from(payload.len()).unwrap();
        self.packets += 1;
    }
}

/// When a connection is opened: only one direction is seen, of which a CPU takes 16 a second among the established flows.
fn opened(number: u32) -> u64 {
    u64::from(number / 16 + 1) * 1_000 * MILLISECOND
}

/// The address that the program makes `address` of.
fn before(address: [u8; 4]) -> [u8; 4] {
    (u32::from_be_bytes(address) - 1).to_be_bytes()
}

fn payload(number: u32) -> Vec<u8> {
    if number.is_multiple_of(2) {
        association_request()
    } else {
        HL7.to_vec()
    }
}

fn association_request() -> Vec<u8> {
    let mut body = vec![0, 1, 0, 0];
    body.extend(format!("{:<16}{:<16}", "ARCHIVE", "MODALITY1").bytes());
    body.extend([0; 32]);
    body.extend(b"\x10\x00\x00\x151.2.840.10008.3.1.1.1");
    let mut pdu = vec![1, 0];
    pdu.extend(u32::try_from(body.len()).unwrap().to_be_bytes());
    pdu.extend(body);
    pdu
}

#[test]
fn ten_million_spoofed_flows_evict_no_clinical_flow() {
    let tables = TableSizes {
        established4: 4_096,
        established6: 64,
        fresh4: 65_536,
        fresh6: 64,
    };
    let object = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bpf/wardtap-bench.bpf.o");
    let object =
        fs::read(object).expect("the bench's object: run `cargo xtask build --kernel-only`");
    let options = TestBench::options(tables, 1 << 20);
    let mut bench =
        TestBench::load_from(&object, "sensor_new_flow", &options, Place::Mirror).unwrap();
    let mut connections: Vec<_> = (0..CLINICAL).map(Connection::new).collect();
    for (number, connection) in (0..).zip(&mut connections) {
        connection.send(&mut bench, opened(number), &payload(number));
    }

    let mut flood = Vec::new();
    PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
        .ipv4([0; 4], [10, 88, 0, 1], 64)
        .udp(53, 53)
        .write(&mut flood, &[0; 18])
        .unwrap();
    let mut time = opened(CLINICAL);
    for batch in 0..FLOOD / BATCH {
        time += u64::from(BATCH / RATE) * MILLISECOND;
        // The sources are 172.0.0.0 and up: none of the clinical devices'.
        let source = (0xac00_0000_u32 + batch * BATCH).to_be_bytes();
        flood[26..30].copy_from_slice(&before(source));
        bench.run(&flood, time, BATCH).unwrap();
        for speaker in batch * SPEAKERS..(batch + 1) * SPEAKERS {
            let index = speaker % CLINICAL;
            connections[index as usize].send(&mut bench, time, &payload(index));
        }
        bench.ring.drain(usize::MAX, |_| {});
    }

    let counters = bench.counters().unwrap();
    assert_eq!(
        counters.get(Counter::Packets),
        counters.disposed(),
        "each packet has one disposition"
    );
    assert_eq!(
        counters.get(Counter::FlowCreated),
        u64::from(FLOOD + CLINICAL)
    );
    assert_eq!(counters.get(Counter::FlowEstablished), u64::from(CLINICAL));
    assert_eq!(counters.get(Counter::FlowReplaced), 0);

    let mut live: HashMap<FlowKey, Flow> = HashMap::new();
    let stats = bench.flows.drain(|item| {
        live.insert(item.key, item.flow);
    });
    let removed = stats.unwrap().removed;
    assert!(
        removed <= 4_096 + 65_536,
        "the tables hold {removed} flows, more than their size"
    );
    for (number, connection) in (0..).zip(&connections) {
        let [a, b] = [connection.address, [10, 88, 0, 1]];
        let flow = live
            .iter()
            .find(|(key, _)| key.addr_a[..4] == a && key.addr_b[..4] == b)
            .map_or_else(
                || panic!("connection {number} was evicted"),
                |(_, flow)| flow,
            );
        let protocol = if number % 2 == 0 {
            Protocol::Dicom
        } else {
            Protocol::Hl7
        };
        assert_eq!(flow.protocol(), protocol, "of connection {number}");
        assert_eq!(flow.packets(), connection.packets, "of connection {number}");
        assert_eq!(
            flow.start,
            opened(number),
            "connection {number} was made anew"
        );
    }
    println!(
        "{FLOOD} spoofed flows against {CLINICAL} clinical ones: {removed} entries left, {} evicted",
        counters.get(Counter::FlowCreated) - removed
    );
}
