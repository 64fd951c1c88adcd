//! The kernel's table of established IPv4 flows: each flow has a place, what ends gives its place back, and the table
//! refuses what is beyond its size.

use etherparse::PacketBuilder;
use sensor_common::{
    counter::Counter,
    packet::{TCP_RST, TCP_SYN},
};
use sensor_kernel::{TableSizes, TestBench};

const PLACES: u32 = 64;
const TABLES: TableSizes = TableSizes {
    established4: PLACES,
    established6: 64,
    fresh4: 1_024,
    fresh6: 64,
};
const MILLISECOND: u64 = 1_000_000;

/// A segment of a connection whose numbers begin with `isn` on both sides.
fn frame(number: u32, isn: u32, back: bool, flags: u8) -> Vec<u8> {
    let [.., high, low] = number.to_be_bytes();
    let (client, server) = ([10, 9, high, low], [10, 8, 0, 1]);
    let (source, target, ports) = if back {
        (server, client, (104, 50_000))
    } else {
        (client, server, (50_000, 104))
    };
    // The SYN takes the number before that of everything else.
    let sequence = isn + u32::from(flags & TCP_SYN == 0);
    let segment = PacketBuilder::ethernet2([2; 6], [4; 6])
        .ipv4(source, target, 64)
        .tcp(ports.0, ports.1, sequence, 1_000);
    let segment = match flags {
        TCP_SYN => segment.syn(),
        TCP_RST => segment.rst(),
        _ => segment.ack(isn + 1),
    };
    let mut frame = Vec::new();
    segment.write(&mut frame, &[]).unwrap();
    frame
}

/// A packet each way: the flow is established then, if there is room.
fn talk(bench: &mut TestBench, number: u32, isn: u32, time: u64) {
    for back in [false, true] {
        bench.run(&frame(number, isn, back, 0), time, 1).unwrap();
    }
}

#[test]
fn places_come_back() {
    let mut bench = TestBench::load(&TestBench::options(TABLES, 1 << 16)).unwrap();
    for round in 1..=5 {
        let time = round * 1_000 * MILLISECOND;
        // Other flows each time, and some more than there are places.
        let base = u32::try_from(round).unwrap() * 1_000;
        for number in base..base + PLACES + 8 {
            talk(&mut bench, number, 0, time);
        }
        let counters = bench.counters().unwrap();
        let established = counters.get(Counter::FlowEstablished);
        assert_eq!(established, round * u64::from(PLACES));
        assert!(counters.get(Counter::EstablishRefused) >= round * 8);
        // Every packet finds its flow, by a hint or without: twice as many packets in the same flows.
        let created = counters.get(Counter::FlowCreated);
        for number in base..base + PLACES + 8 {
            talk(&mut bench, number, 0, time + MILLISECOND);
        }
        let now = bench.counters().unwrap().get(Counter::FlowCreated);
        assert_eq!(now, created);
        let mut packets = Vec::new();
        let stats = bench.flows.drain(|item| packets.push(item.flow.packets()));
        assert_eq!(stats.unwrap().removed, u64::from(PLACES) + 8);
        assert!(packets.iter().all(|count| *count == 4), "{packets:?}");
    }
}

#[test]
fn a_new_connection_gives_the_old_ones_place_back() {
    let mut bench = TestBench::load(&TestBench::options(TABLES, 1 << 16)).unwrap();
    let rounds = 10 * PLACES;
    for round in 0..rounds {
        let time = u64::from(round + 1) * 100 * MILLISECOND;
        let isn = round * 1_000;
        bench.run(&frame(1, isn, false, TCP_SYN), time, 1).unwrap();
        talk(&mut bench, 1, isn, time + MILLISECOND);
        let end = time + 2 * MILLISECOND;
        bench.run(&frame(1, isn, false, TCP_RST), end, 1).unwrap();
        bench.ring.drain(usize::MAX, |_| {});
    }
    let counters = bench.counters().unwrap();
    assert_eq!(counters.get(Counter::FlowReplaced), u64::from(rounds) - 1);
    assert_eq!(
        counters.get(Counter::FlowEstablished),
        u64::from(rounds),
        "{} were refused",
        counters.get(Counter::EstablishRefused)
    );
    assert_eq!(counters.get(Counter::EstablishRefused), 0);
    assert_eq!(bench.flows.drain(|_| {}).unwrap().removed, 1);
}

/// A flood of SYNs pushes its own entries out before their time: some of them are reported all the same.
#[test]
fn attempts_in_a_crowded_table_are_reported_before_their_time() {
    let mut bench = TestBench::load(&TestBench::options(TABLES, 1 << 16)).unwrap();
    let mut reported = Vec::new();
    let mut number = 0;
    for pass in 1..=4 {
        let time = pass * 1_000 * MILLISECOND;
        for _ in 0..2 * TABLES.fresh4 {
            number += 1;
            bench
                .run(&frame(number, 0, false, TCP_SYN), time, 1)
                .unwrap();
        }
        let now = time + 500 * MILLISECOND;
        let mut count = 0;
        while !bench.flows.sweep(now, |_| count += 1).unwrap().complete {}
        reported.push(count);
    }
    // The first pass finds that it is crowded.
    assert_eq!(reported[0], 0, "{reported:?}");
    assert!(
        reported[1..].iter().all(|count| *count > 200),
        "{reported:?}"
    );
}
