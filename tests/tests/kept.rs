//! The kernel's table of established IPv4 flows: each flow has a place, what ends gives its place back, and the table
//! refuses what is beyond its size.

use etherparse::PacketBuilder;
use nix::{
    sched::{CpuSet, sched_getcpu, sched_setaffinity},
    unistd::Pid,
};
use sensor_common::{
    counter::Counter,
    flow::ESTABLISHED,
    packet::{TCP_RST, TCP_SYN},
};
use sensor_kernel::{SweepItem, TableSizes, TestBench, Why};

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

const MESSAGE: &[u8] = b"\x0bMSH|^~\\&|A|B|C|D|20260101||ADT^A01|1|P|2.5\rPID|1\r\x1c\r";

/// An HL7 message of a connection that was not seen before, or, `back`, the answer's acknowledgement.
fn message(number: u32, sequence: u32, back: bool) -> Vec<u8> {
    let [.., high, low] = number.to_be_bytes();
    let (client, server) = ([10, 9, high, low], [10, 8, 0, 1]);
    let (source, target, ports) = if back {
        (server, client, (2_575, 50_000))
    } else {
        (client, server, (50_000, 2_575))
    };
    let mut frame = Vec::new();
    PacketBuilder::ethernet2([2; 6], [4; 6])
        .ipv4(source, target, 64)
        .tcp(ports.0, ports.1, sequence, 1_000)
        .ack(1)
        .write(&mut frame, if back { &[] } else { MESSAGE })
        .unwrap();
    frame
}

fn established(bench: &TestBench) -> u64 {
    bench.counters().unwrap().get(Counter::FlowEstablished)
}

/// The limit is of one CPU.
fn stay_on_this_cpu() {
    let mut cpus = CpuSet::new();
    cpus.set(sched_getcpu().unwrap()).unwrap();
    sched_setaffinity(Pid::from_raw(0), &cpus).unwrap();
}

/// A bench where a CPU takes so many unproven flows in a second.
fn taking(unproven: u32) -> TestBench {
    let mut options = TestBench::options(TABLES, 1 << 20);
    options.settings.unproven = unproven;
    TestBench::load(&options).unwrap()
}

/// Flows of one forged message each take few places a second, and leave a crowded table after 20 seconds.
#[test]
fn forged_messages_hold_no_place_for_an_hour() {
    stay_on_this_cpu();
    let mut bench = taking(16);
    for second in 1..=4_u32 {
        let time = u64::from(second) * 1_000 * MILLISECOND;
        for number in 0..200 {
            let frame = message(second * 200 + number, 1, false);
            bench.run(&frame, time, 1).unwrap();
            bench.ring.drain(usize::MAX, |_| {});
        }
        if second == 2 {
            assert_eq!(established(&bench), 32, "16 a second");
            // A session that is answered has its place at once.
            for back in [false, true] {
                bench.run(&message(60_000, 1, back), time, 1).unwrap();
            }
            assert_eq!(established(&bench), 33);
        }
    }
    assert_eq!(established(&bench), u64::from(PLACES), "the table is full");
    let sweep = |bench: &mut TestBench, second: u64| {
        let mut ended = 0;
        let now = second * 1_000 * MILLISECOND;
        let mut on = |item: SweepItem| {
            // The flows of the other table are over after a minute as well.
            let there = item.flow.flags & ESTABLISHED != 0;
            ended += u32::from(there && item.why != Why::Active);
        };
        while !bench.flows.sweep(now, &mut on).unwrap().complete {}
        ended
    };
    assert_eq!(
        sweep(&mut bench, 5),
        0,
        "the first pass sees that it is crowded"
    );
    assert_eq!(sweep(&mut bench, 20), 0, "not before 20 seconds are over");
    assert_eq!(
        sweep(&mut bench, 26),
        PLACES - 1,
        "all but the answered one"
    );
}

/// A mirror of one direction: no session waits for an answer that is not to be seen.
#[test]
fn sessions_of_one_direction_are_established_too() {
    stay_on_this_cpu();
    let mut bench = taking(16);
    let length = u32::try_from(MESSAGE.len()).unwrap();
    for round in 0..2 {
        let time = u64::from(round + 1) * 1_000 * MILLISECOND;
        for number in 0..20 {
            let frame = message(number, 1 + round * length, false);
            bench.run(&frame, time, 1).unwrap();
        }
        // What found no place in this second has one with its next message.
        assert_eq!(established(&bench), if round == 0 { 16 } else { 20 });
    }
    // An hour later they are all there, each one flow: the table is not crowded.
    let mut ended = 0;
    let now = 3_500_000 * MILLISECOND;
    for _ in 0..2 {
        let mut on = |item: SweepItem| ended += u32::from(item.why != Why::Active);
        while !bench.flows.sweep(now, &mut on).unwrap().complete {}
    }
    assert_eq!(ended, 0);
    let mut packets = Vec::new();
    bench
        .flows
        .drain(|item| packets.push(item.flow.packets()))
        .unwrap();
    assert_eq!(packets, [2; 20]);
}

/// As many sessions of one direction as a mirror shows in a second, by the settings that the daemon has.
#[test]
fn many_sessions_of_one_direction_begin_in_a_second() {
    stay_on_this_cpu();
    let tables = TableSizes {
        established4: 1 << 14,
        established6: 1 << 14,
        ..TABLES
    };
    let mut options = TestBench::options(tables, 1 << 20);
    options.settings = options.settings.with_room(1 << 14, 2);
    let mut bench = TestBench::load(&options).unwrap();
    for number in 0..200 {
        let frame = message(number, 1, false);
        bench.run(&frame, 1_000 * MILLISECOND, 1).unwrap();
        bench.ring.drain(usize::MAX, |_| {});
    }
    assert_eq!(established(&bench), 200);
}
