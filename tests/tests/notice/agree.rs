//! The kernel beside the portable engine.

use nix::{
    sched::{CpuSet, sched_getcpu, sched_setaffinity},
    unistd::Pid,
};
use proptest::{collection::vec, prelude::*, strategy::ValueTree, test_runner::TestRunner};
use sensor_common::{counter::Counter, packet::Layer, settings::Settings};
use sensor_kernel::TestBench;
use sensor_sessions::capture::PortableEngine;

use super::{
    CT, SECOND, TABLES, lease, request,
    say::{Answer, answers, arp, datagram, neighbour},
};

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
