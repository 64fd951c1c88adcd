//! What hosts say of themselves in ARP, DHCP and multicast DNS: what is made of it, what of it leaves the kernel,
//! and what a flood of it costs.

use std::net::IpAddr;

use nix::{
    sched::{CpuSet, sched_getcpu, sched_setaffinity},
    unistd::Pid,
};
use proptest::{collection::vec, prelude::*, strategy::ValueTree, test_runner::TestRunner};
use sensor_analysis::{Analysis, AnalysisOptions, Outcome};
use sensor_common::{counter::Counter, notice::PER_SECOND, packet::Layer, settings::Settings};
use sensor_facts::observation::What;
use sensor_kernel::{TableSizes, TestBench};
use sensor_sessions::{
    capture::PortableEngine,
    inventory::{HostReport, NameSource},
    pipeline::{FlowEndReason, Pipeline, PipelineOptions},
};

mod say;

use tests::secret::Secret;

use say::{Answer, Dhcp, answers, arp, datagram, tcp};

const SECRET: &str = "QZXKWJVBFGHPQX";
const SECOND: u64 = 1_000_000_000;
const TABLES: TableSizes = TableSizes {
    established4: 1_024,
    established6: 64,
    fresh4: 16_384,
    fresh6: 64,
};
const CT: [u8; 6] = [0x00, 0x12, 0x21, 1, 2, 3];

/// The engine, the pipeline and all that left the engine.
struct Sensor {
    engine: PortableEngine,
    pipeline: Pipeline,
    records: Vec<Vec<u8>>,
    time: u64,
}

impl Sensor {
    fn new() -> Self {
        Self {
            engine: PortableEngine::new(TABLES, Settings::DEFAULT),
            pipeline: Pipeline::new(PipelineOptions {
                observe: true,
                ..PipelineOptions::default()
            }),
            records: Vec::new(),
            time: 1_700_000_000 * SECOND,
        }
    }

    fn frame(&mut self, frame: &[u8]) {
        let (records, pipeline) = (&mut self.records, &mut self.pipeline);
        let mut events = Vec::new();
        let mut sink = |record: &[u8]| {
            records.push(record.to_vec());
            pipeline.ring_record(record, &mut events);
        };
        self.engine
            .process(frame, Layer::Ethernet, 0, self.time, &mut sink);
        self.time += SECOND / 1_000;
    }

    fn end_flows(&mut self) {
        let (pipeline, mut events) = (&mut self.pipeline, Vec::new());
        self.engine.drain(|key, flow, _| {
            pipeline.flow_ended(key, flow, FlowEndReason::Shutdown, &mut events);
        });
    }

    fn host(&self, address: [u8; 4]) -> Option<HostReport> {
        let address = IpAddr::from(address);
        let mut hosts = self.pipeline.hosts().into_iter();
        hosts.find(|host| host.address == address)
    }

    fn leaks(&self) -> Option<String> {
        let secret = Secret::new(SECRET);
        let mut records = self.records.iter();
        records.find_map(|record| secret.found_in(record))
    }
}

fn lease(address: [u8; 4]) -> Vec<u8> {
    Dhcp::new(2, CT).yours(address).option(53, &[5]).frame()
}

fn request() -> Vec<u8> {
    let dhcp = Dhcp::new(1, CT).option(53, &[3]);
    dhcp.option(12, b"ct-room-1")
        .option(60, b"MSFT 5.0")
        .frame()
}

#[test]
fn a_device_is_followed_when_dhcp_gives_it_another_address() {
    let (old, new) = ([10, 0, 0, 20], [10, 0, 0, 77]);
    let mut sensor = Sensor::new();
    sensor.frame(&request());
    sensor.frame(&lease(old));
    sensor.frame(&arp(1, CT, old, [10, 0, 0, 1]));
    for frame in tcp(CT, old) {
        sensor.frame(&frame);
    }
    sensor.end_flows();
    sensor.frame(&request());
    sensor.frame(&lease(new));
    // Until it is used, the lease is only paper.
    assert!(sensor.host(new).is_none());
    sensor.frame(&arp(1, CT, new, [10, 0, 0, 1]));

    let host = sensor.host(new).unwrap();
    assert!(sensor.host(old).is_none());
    assert_eq!(host.addresses_before[0].address, IpAddr::from(old));
    assert_eq!(host.names[0].name, "ct-room-1");
    assert_eq!(host.names[0].source, NameSource::Dhcp);
    assert_eq!(host.vendor_class.as_deref(), Some("MSFT 5.0"));
    assert_eq!(host.vendor.as_deref(), Some("B.Braun Melsungen AG"));
    assert!(!host.mac_shared && host.flows_opened == 1);

    // What was learnt goes along.
    let mut analysis = Analysis::new(AnalysisOptions::default());
    let mut out = Outcome::default();
    let seen = sensor.pipeline.take_observations();
    assert!(
        seen.iter()
            .any(|one| matches!(one.what, What::Moved { .. }))
    );
    for one in &seen {
        analysis.observe(one, &mut out);
    }
    let known = |address: [u8; 4]| analysis.baselines().device(address.into());
    assert!(known(old).is_none());
    assert!(!known(new).unwrap().items().is_empty());
}

#[test]
fn a_lease_that_was_made_up_moves_nobody() {
    let (own, other) = ([10, 0, 0, 20], [10, 0, 0, 66]);
    let mut sensor = Sensor::new();
    sensor.frame(&lease(own));
    sensor.frame(&arp(1, CT, own, [10, 0, 0, 1]));
    sensor.frame(&lease(other));
    // It goes on where it was, and another claims the address by its Ethernet address.
    sensor.frame(&arp(1, CT, own, [10, 0, 0, 2]));
    sensor.frame(&arp(1, CT, other, [10, 0, 0, 3]));
    assert!(sensor.host(own).unwrap().addresses_before.is_empty());
    assert!(sensor.host(other).unwrap().addresses_before.is_empty());
}

#[test]
fn a_host_is_known_by_the_name_that_it_gives_itself_alone() {
    let mut sensor = Sensor::new();
    let own = Answer::address(&["echo-3", "local"], [10, 0, 0, 9]);
    let other = Answer::address(&["pacs", "local"], [10, 0, 0, 10]);
    sensor.frame(&datagram(
        [10, 0, 0, 9],
        5_353,
        5_353,
        &answers(&[own, other]),
    ));
    let names = sensor.host([10, 0, 0, 9]).unwrap().names;
    assert_eq!(names.len(), 1);
    assert_eq!(
        (names[0].name.as_str(), names[0].source),
        ("echo-3", NameSource::Mdns)
    );
    assert!(sensor.host([10, 0, 0, 10]).is_none());
}

/// Promise 1, for what is not of a session: names of people are in DHCP and multicast DNS too, where users
/// name their devices and services.
#[test]
fn nothing_leaves_but_what_is_listed() {
    let mut sensor = Sensor::new();
    let mut dhcp = Dhcp::new(1, CT).option(53, &[1]).legacy_names(SECRET);
    for code in (1..=254).filter(|code| ![12, 50, 53, 60].contains(code)) {
        dhcp = dhcp.option(code, SECRET.as_bytes());
        // A datagram has so many bytes at most.
        if code % 60 == 0 {
            sensor.frame(&dhcp.frame());
            dhcp = Dhcp::new(1, CT).option(53, &[1]);
        }
    }
    sensor.frame(&dhcp.frame());
    let before = sensor.records.len();
    assert_eq!(before, 4, "each message was told");
    let named = |kind| Answer::new(&[SECRET, "_ipp", "_tcp", "local"], kind, SECRET.as_bytes());
    let mut all: Vec<_> = [12, 16, 33, 47, 255].into_iter().map(named).collect();
    // The rest of the name of an address, and an address of a wrong length.
    all.push(Answer::address(&["printer", SECRET], [10, 0, 0, 5]));
    all.push(Answer::new(&["printer"], 1, SECRET.as_bytes()));
    sensor.frame(&datagram([10, 0, 0, 5], 5_353, 5_353, &answers(&all)));
    assert_eq!(sensor.records.len(), before + 1);
    // A question, and names that go round in circles.
    let mut question = answers(&[Answer::address(&[SECRET], [10, 0, 0, 5])]);
    question[2] = 0;
    sensor.frame(&datagram([10, 0, 0, 5], 5_353, 5_353, &question));
    let mut circle = answers(&[]);
    circle[7] = 1;
    circle.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 10, 0, 0, 5]);
    sensor.frame(&datagram([10, 0, 0, 5], 5_353, 5_353, &circle));
    assert_eq!(sensor.leaks(), None);
}

#[test]
fn a_flood_is_bounded_and_counted() {
    let mut sensor = Sensor::new();
    let start = sensor.time;
    for number in 0..20_000_u32 {
        let [_, b, c, d] = number.to_be_bytes();
        sensor.frame(&arp(1, [2, 0, 0, b, c, d], [10, b, c, d], [10, 0, 0, 1]));
        sensor.frame(&Dhcp::new(1, [2, 0, 0, b, c, d]).option(53, &[1]).frame());
        sensor.time = start + u64::from(number) * 100_000;
    }
    let counters = sensor.engine.counters();
    // All of DHCP is one flow, which is told now and then.
    let told = sensor
        .records
        .iter()
        .filter(|record| record[1] == 3)
        .count();
    let seconds = 3;
    let most = (PER_SECOND[0] + PER_SECOND[1]) as usize * seconds;
    assert!(told <= most && told >= most / 2, "{told}");
    assert_eq!(
        counters.get(Counter::NoticeWithheld),
        40_000 - told as u64,
        "told, or counted as not told"
    );
    assert_eq!(counters.get(Counter::ChunkEvents), told as u64);
}

/// The kernel reads what anyone may send as the portable engine does.
#[test]
fn the_kernel_and_the_portable_engine_agree_on_broken_messages() {
    let mut cpus = CpuSet::new();
    cpus.set(sched_getcpu().unwrap()).unwrap();
    sched_setaffinity(Pid::from_raw(0), &cpus).unwrap();
    let mut bench = TestBench::load(&TestBench::options(TABLES, 1 << 20)).unwrap();
    let seeds = [
        request(),
        lease([10, 0, 0, 9]),
        datagram(
            [10, 0, 0, 9],
            5_353,
            5_353,
            &answers(&[
                Answer::new(&["a", "b"], 16, b"text"),
                Answer::address(&["echo-3", "local"], [10, 0, 0, 9]),
                Answer::new(&["echo-3", "local"], 28, &[7; 16]),
            ]),
        ),
        arp(2, CT, [10, 0, 0, 9], [10, 0, 0, 1]),
    ];
    let change = (
        0..seeds.len(),
        vec((14..400_usize, any::<u8>()), 0..4),
        0..64_usize,
    );
    let mut runner = TestRunner::deterministic();
    let mut engine = PortableEngine::new(TABLES, Settings::DEFAULT);
    let mut told = 0;
    for number in 0..20_000_u64 {
        let (seed, changes, cut) = change.new_tree(&mut runner).unwrap().current();
        let mut frame = seeds[seed].clone();
        for (at, byte) in changes {
            if let Some(place) = frame.get_mut(at) {
                *place = byte;
            }
        }
        if cut < 8 {
            frame.truncate(frame.len().saturating_sub(cut * 7).max(14));
        }
        let time = number * SECOND / 100;
        bench.run(&frame, time, 1).unwrap();
        let mut ours = Vec::new();
        let mut theirs = Vec::new();
        // Where it came in is the kernel's affair.
        let take = |all: &mut Vec<Vec<u8>>, record: &[u8]| {
            let mut record = record.to_vec();
            record[4..8].fill(0);
            if record[1] == 3 {
                all.push(record);
            }
        };
        bench
            .ring
            .drain(usize::MAX, |record| take(&mut theirs, record));
        engine.process(&frame, Layer::Ethernet, 0, time, &mut |record: &[u8]| {
            take(&mut ours, record);
        });
        assert_eq!(theirs, ours, "number {number}: {frame:?}");
        told += ours.len();
    }
    let counters = bench.counters().unwrap();
    for counter in Counter::ALL {
        assert_eq!(
            counters.get(*counter),
            engine.counters().get(*counter),
            "{}",
            counter.label()
        );
    }
    let malformed = counters.get(Counter::NoticeMalformed);
    println!("20,000 messages: {told} told, {malformed} malformed; the homes agree");
    assert!(told > 1_000 && malformed > 100);
}
