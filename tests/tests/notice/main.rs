//! What hosts say of themselves in ARP, DHCP, multicast DNS and IPv6 neighbour discovery: what is made of it, what of it
//! leaves the kernel, and what a flood of it costs.

use std::net::IpAddr;

use sensor_common::{counter::Counter, notice::PER_SECOND, packet::Layer, settings::Settings};
use sensor_facts::observation::{Asked, What};
use sensor_kernel::TableSizes;
use sensor_sessions::{
    capture::PortableEngine,
    inventory::{HostReport, NameSource},
    pipeline::{FlowEndReason, Pipeline, PipelineOptions},
};

#[path = "../say/mod.rs"]
mod say;

mod agree;
mod dhcp;
mod neighbours;

use tests::secret::Secret;

use say::{Answer, Dhcp, answers, arp, datagram, neighbour};

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

const TRANSACTION: u32 = 0x1234_5678;
const ROGUE: [u8; 6] = [2, 0, 0, 0, 0, 0x66];

fn lease(address: [u8; 4]) -> Vec<u8> {
    let dhcp = Dhcp::new(2, CT).transaction(TRANSACTION).yours(address);
    dhcp.option(53, &[5]).option(54, &[10, 0, 0, 1]).frame()
}

fn request() -> Vec<u8> {
    let dhcp = Dhcp::new(1, CT).transaction(TRANSACTION).option(53, &[3]);
    dhcp.option(12, b"ct-room-1")
        .option(60, b"MSFT 5.0")
        .frame()
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
    // Neighbour discovery: what is in options that are of no interest, or too long for what they are.
    let words = [SECRET.as_bytes(), SECRET.as_bytes(), &[0; 2]].concat();
    let mut options = Vec::new();
    for kind in (0..=255).filter(|kind| *kind != 25) {
        options.extend([kind, 4]);
        options.extend(if kind == 3 { &[7; 30] } else { &words[..30] });
    }
    let host = neighbour::link_local(5);
    for options in options.chunks(32 * 40) {
        sensor.frame(&neighbour::router(CT, host, 1_800, options));
        sensor.frame(&neighbour::advertisement(CT, host, 0x20, options));
    }
    assert_eq!(sensor.engine.counters().get(Counter::NoticeMalformed), 1);
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

/// Those who ask hide no false server, and neighbours no false router.
#[test]
fn a_flood_of_one_kind_hides_no_other() {
    let mut sensor = Sensor::new();
    let host = neighbour::link_local(5);
    for number in 0..2_000_u32 {
        let [_, b, c, d] = number.to_be_bytes();
        sensor.time = 1_700_000_000 * SECOND + u64::from(number) * 1_000;
        sensor.frame(&Dhcp::new(1, [2, 0, 0, b, c, d]).option(53, &[1]).frame());
        sensor.frame(&neighbour::advertisement(
            [2, 0, 0, b, c, d],
            host,
            0x20,
            &[],
        ));
    }
    sensor.pipeline.take_observations();
    sensor.frame(&lease([10, 0, 0, 9]));
    sensor.frame(&neighbour::router(ROGUE, host, 1_800, &[]));
    let seen = sensor.pipeline.take_observations();
    let server = |one: &What| matches!(one, What::Dhcp(facts) if facts.asked == Asked::Unknown);
    assert!(
        seen.iter().any(|one| server(&one.what)),
        "in such a crowd someone may have asked"
    );
    let router = |one: &What| matches!(one, What::RouterAdvertisement(_));
    assert!(seen.iter().any(|one| router(&one.what)));
}
