//! What hosts say of themselves in ARP, DHCP, multicast DNS and IPv6 neighbour discovery: what is made of it, what of it
//! leaves the kernel, and what a flood of it costs.

use std::net::IpAddr;

use nix::{
    sched::{CpuSet, sched_getcpu, sched_setaffinity},
    unistd::Pid,
};
use proptest::{collection::vec, prelude::*, strategy::ValueTree, test_runner::TestRunner};
use sensor_analysis::{Analysis, AnalysisOptions, Outcome};
use sensor_common::{counter::Counter, notice::PER_SECOND, packet::Layer, settings::Settings};
use sensor_facts::observation::{Asked, NeighbourFacts, RouterFacts, What};
use sensor_kernel::{TableSizes, TestBench};
use sensor_sessions::{
    capture::PortableEngine,
    inventory::{HostReport, NameSource},
    pipeline::{FlowEndReason, Pipeline, PipelineOptions},
};

mod say;

use tests::secret::Secret;

use say::{Answer, Dhcp, answers, arp, datagram, neighbour, tcp};

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
    sensor.frame(&request());
    sensor.frame(&lease(own));
    sensor.frame(&arp(1, CT, own, [10, 0, 0, 1]));
    sensor.frame(&request());
    sensor.frame(&lease(other));
    // It goes on where it was, and another claims the address by its Ethernet address.
    sensor.frame(&arp(1, CT, own, [10, 0, 0, 2]));
    sensor.frame(&arp(1, CT, other, [10, 0, 0, 3]));
    assert!(sensor.host(own).unwrap().addresses_before.is_empty());
    assert!(sensor.host(other).unwrap().addresses_before.is_empty());
}

/// What an intruder can send to become the CT: each leaves the CT where it is.
#[test]
fn nobody_becomes_another_by_dhcp() {
    let (ct, new, intruder) = ([10, 0, 0, 20], [10, 0, 0, 77], [2, 0, 0, 0, 0, 0x77]);
    let ask = |mac, transaction| {
        let dhcp = Dhcp::new(1, mac).transaction(transaction);
        dhcp.option(53, &[3]).frame()
    };
    let give = |mac, transaction, address, server: u8| {
        let dhcp = Dhcp::new(2, mac).transaction(transaction).yours(address);
        let dhcp = dhcp.option(53, &[5]).option(54, &[10, 0, 0, server]);
        dhcp.from_mac([2, 0, 0, 0, 0, server])
    };
    let take = |mac, address| arp(1, mac, address, [10, 0, 0, 1]);
    type Frames = Vec<Vec<u8>>;
    let cases: [(&str, Frames); 5] = [
        (
            "acknowledgements that nobody asked for",
            vec![
                give(intruder, 0, ct, 0x66).frame(),
                take(intruder, ct),
                give(intruder, 0, new, 0x66).frame(),
                take(intruder, new),
            ],
        ),
        (
            "the same, asked for",
            vec![
                ask(intruder, 1),
                give(intruder, 1, ct, 0x66).frame(),
                take(intruder, ct),
                ask(intruder, 2),
                give(intruder, 2, new, 0x66).frame(),
                take(intruder, new),
            ],
        ),
        (
            "the CT's address is used first, and left",
            vec![
                take(intruder, ct),
                ask(intruder, 2),
                give(intruder, 2, new, 0x66).frame(),
                take(intruder, new),
            ],
        ),
        (
            "the CT is given another address that it did not ask for, by its Ethernet address",
            vec![give(CT, 3, new, 0x66).frame(), take(CT, new)],
        ),
        (
            "someone else asks for the CT, and a relay agent is made up",
            vec![
                Dhcp::new(1, CT)
                    .transaction(4)
                    .option(53, &[3])
                    .from_mac(intruder)
                    .frame(),
                give(CT, 4, new, 0x66).relay([10, 0, 0, 254]).frame(),
                take(CT, new),
            ],
        ),
    ];
    for (name, frames) in cases {
        let mut sensor = Sensor::new();
        for frame in tcp(CT, ct) {
            sensor.frame(&frame);
        }
        sensor.end_flows();
        for frame in frames {
            sensor.time += 60 * SECOND;
            sensor.frame(&frame);
        }
        let host = sensor
            .host(ct)
            .unwrap_or_else(|| panic!("{name}: the CT vanished"));
        assert!(host.flows_opened == 1, "{name}: {host:?}");
        let new = sensor.host(new);
        assert!(
            new.is_none_or(|it| it.addresses_before.is_empty()),
            "{name}"
        );
        let seen = sensor.pipeline.take_observations();
        assert!(
            !seen
                .iter()
                .any(|one| matches!(one.what, What::Moved { .. })),
            "{name}"
        );
    }
    // A server that is known keeps its word against one that is not.
    let mut sensor = Sensor::new();
    sensor.frame(&ask(CT, 1));
    sensor.frame(&give(CT, 1, ct, 1).frame());
    sensor.frame(&take(CT, ct));
    sensor.frame(&ask(CT, 2));
    sensor.frame(&give(CT, 2, new, 0x66).frame());
    sensor.frame(&take(CT, new));
    assert!(sensor.host(new).unwrap().addresses_before.is_empty());
}

#[test]
fn dhcp_is_told_with_who_sent_it_and_whether_it_was_asked_for() {
    let mut sensor = Sensor::new();
    sensor.frame(&request());
    sensor.frame(&lease([10, 0, 0, 20]));
    let routers = Dhcp::new(2, CT).option(53, &[5]).yours([10, 0, 0, 9]);
    let routers = routers.option(3, &[10, 0, 0, 0x66]).option(6, &[8; 8]);
    // What begins with padding is read too.
    let mut padded = Dhcp::new(2, CT).from_mac(ROGUE);
    for _ in 0..100 {
        padded = padded.option(200, b"");
    }
    sensor.frame(&routers.from_mac(ROGUE).frame());
    sensor.frame(&padded.option(53, &[5]).frame());
    let seen = sensor.pipeline.take_observations();
    let told: Vec<_> = seen
        .iter()
        .filter_map(|one| match &one.what {
            What::Dhcp(facts) => Some(facts),
            _ => None,
        })
        .collect();
    assert_eq!(told.len(), 4);
    assert_eq!((told[0].reply, told[0].kind), (false, 3));
    assert_eq!((told[0].frame_mac, told[0].transaction), (CT, TRANSACTION));
    assert_eq!(
        (told[1].asked, told[1].server),
        (Asked::Yes, Some([10, 0, 0, 1].into()))
    );
    assert_eq!((told[2].asked, told[2].frame_mac), (Asked::No, ROGUE));
    assert_eq!(
        told[2].routers,
        [std::net::Ipv4Addr::from([10, 0, 0, 0x66])]
    );
    assert_eq!(told[2].name_servers.len(), 2);
    assert_eq!((told[3].kind, told[3].asked), (5, Asked::No));
}

/// Neighbours and routers that were told.
fn neighbours(sensor: &mut Sensor) -> (Vec<NeighbourFacts>, Vec<RouterFacts>) {
    let (mut neighbours, mut routers) = (Vec::new(), Vec::new());
    for one in sensor.pipeline.take_observations() {
        match one.what {
            What::Neighbour(facts) => neighbours.push(*facts),
            What::RouterAdvertisement(facts) => routers.push(*facts),
            _ => {}
        }
    }
    (neighbours, routers)
}

#[test]
fn neighbours_and_routers_are_told_with_who_sent_it() {
    let (mac, host) = (CT, neighbour::link_local(9));
    let mut sensor = Sensor::new();
    let link = neighbour::link(2, mac);
    sensor.frame(&neighbour::advertisement(mac, host, 0x20, &link));
    let ask = neighbour::solicitation(
        mac,
        host,
        neighbour::link_local(1),
        &neighbour::link(1, mac),
    );
    sensor.frame(&ask);
    let options = [
        neighbour::link(1, ROGUE),
        vec![5, 1, 0, 0, 0, 0, 5, 220],
        neighbour::prefix([0x20; 16], 7_200),
        neighbour::dns(&[[0x20; 16], host]),
    ];
    // Long enough that a reader of few steps would not come to its end.
    let filler = [&[200, 1][..], &[0; 6]].concat().repeat(150);
    let router = neighbour::router(ROGUE, host, 1_800, &[filler, options.concat()].concat());
    assert!(router.len() < 1_514);
    sensor.frame(&router);
    let (told, routers) = neighbours(&mut sensor);
    let [announced, asked] = &told[..] else {
        panic!("{told:?}");
    };
    assert!(announced.replaces && !announced.solicited && announced.link == Some(mac));
    assert_eq!(announced.claim(), Some((host.into(), mac)));
    assert_eq!(asked.claim(), Some((host.into(), mac)));
    let [router] = &routers[..] else {
        panic!("{routers:?}");
    };
    assert_eq!((router.lifetime, router.frame_mac), (1_800, ROGUE));
    assert_eq!(router.link, Some(ROGUE));
    assert_eq!(
        (router.prefixes[0].length, router.prefixes[0].valid),
        (64, 7_200)
    );
    assert_eq!(router.name_servers.len(), 2);
    let known = sensor.pipeline.hosts();
    let known = known.iter().find(|one| one.address == IpAddr::from(host));
    assert_eq!(known.unwrap().macs, ["00:12:21:01:02:03"]);
    assert_eq!(sensor.engine.counters().get(Counter::NoticeMalformed), 0);
}

/// RFC 4861 sections 6.1.2, 7.1.1 and 7.1.2 say what receivers discard; it says nothing to the sensor either.
#[test]
fn what_receivers_of_neighbour_discovery_discard_is_not_told() {
    let host = neighbour::link_local(9);
    let good = [
        neighbour::advertisement(CT, host, 0x20, &neighbour::link(2, CT)),
        neighbour::solicitation(CT, host, host, &neighbour::link(1, CT)),
        neighbour::router(CT, host, 1_800, &neighbour::prefix([0x20; 16], 7_200)),
    ];
    type Break = fn(&mut Vec<u8>);
    let breaks: [(&str, Break); 6] = [
        ("a router passed it on", |frame| frame[21] = 254),
        ("the checksum", |frame| frame[neighbour::START + 2] ^= 1),
        ("the code", |frame| frame[neighbour::START + 1] = 1),
        ("an option without a length", |frame| {
            let at = frame.len()
                - if frame[neighbour::START] == 134 {
                    31
                } else {
                    7
                };
            frame[at] = 0;
        }),
        ("an option that is longer than the message", |frame| {
            let at = frame.len()
                - if frame[neighbour::START] == 134 {
                    31
                } else {
                    7
                };
            frame[at] = 9;
        }),
        ("half an option", |frame| {
            frame.truncate(frame.len() - 4);
            frame[19] -= 4;
        }),
    ];
    for frame in &good {
        let mut sensor = Sensor::new();
        sensor.frame(frame);
        let (told, routers) = neighbours(&mut sensor);
        assert_eq!(told.len() + routers.len(), 1);
        for (name, change) in breaks {
            let mut frame = frame.clone();
            change(&mut frame);
            if name != "the checksum" {
                neighbour::correct(&mut frame);
            }
            let mut sensor = Sensor::new();
            sensor.frame(&frame);
            assert_eq!(neighbours(&mut sensor), (vec![], vec![]), "{name}");
            assert_eq!(
                sensor.engine.counters().get(Counter::NoticeMalformed),
                1,
                "{name}"
            );
        }
    }
    let global = [0x20; 16];
    let group = neighbour::ALL;
    for (name, frame) in [
        (
            "a router by a global address",
            neighbour::router(CT, global, 1_800, &[]),
        ),
        (
            "a group is nobody's",
            neighbour::advertisement(CT, group, 0x20, &[]),
        ),
        (
            "an answer to all",
            neighbour::advertisement(CT, host, 0x60, &[]),
        ),
    ] {
        let mut sensor = Sensor::new();
        sensor.frame(&frame);
        assert_eq!(neighbours(&mut sensor), (vec![], vec![]), "{name}");
        assert_eq!(
            sensor.engine.counters().get(Counter::NoticeMalformed),
            1,
            "{name}"
        );
    }
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

/// The kernel reads what anyone may send as the portable engine does.
#[test]
fn the_kernel_and_the_portable_engine_agree_on_broken_messages() {
    let mut cpus = CpuSet::new();
    cpus.set(sched_getcpu().unwrap()).unwrap();
    sched_setaffinity(Pid::from_raw(0), &cpus).unwrap();
    let mut bench = TestBench::load(&TestBench::options(TABLES, 1 << 20)).unwrap();
    let host = neighbour::link_local(9);
    let options = [
        neighbour::link(1, CT),
        neighbour::prefix([0x20; 16], 7_200),
        neighbour::dns(&[[0x20; 16], host, host, host]),
    ];
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
        neighbour::advertisement(CT, host, 0x60, &neighbour::link(2, CT)),
        neighbour::solicitation(CT, host, host, &neighbour::link(1, CT)),
        neighbour::router(CT, host, 1_800, &options.concat()),
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
        // Otherwise nearly all would be refused for their checksum.
        if seed >= 4 && cut % 4 > 0 {
            neighbour::correct(&mut frame);
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
