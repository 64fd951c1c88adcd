//! Flows that go on when rules come: their packets take a short cut, which asks for rules too.

use std::net::Ipv4Addr;

use etherparse::PacketBuilder;
use sensor_common::rule::RuleState;
use sensor_facts::{
    rule::Scope,
    target::{Service, Target, Transport},
};
use sensor_kernel::{RuleOrder, TestBench};
use tests::ability::privileged;

use super::TABLES;

const A: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const B: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const PORTS: (u16, u16) = (50_000, 8_000);
const SERVICE: Service = Service {
    transport: Transport::Tcp,
    port: PORTS.1,
};
const MACS: [[u8; 6]; 2] = [[2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]];
/// More than the payload sizes that a flow keeps, so that nothing but numbers change.
const BEFORE: usize = 40;

/// A connection from A to B whose ends speak in turns.
struct Connection {
    bench: TestBench,
    time: u64,
    sequences: [u32; 2],
}

impl Connection {
    /// Whether the next segment of an end passes. What is dropped comes again.
    fn next(&mut self, from: usize, macs: [[u8; 6]; 2]) -> bool {
        let (ends, ports) = ([A.octets(), B.octets()], [PORTS.0, PORTS.1]);
        let to = 1 - from;
        let mut frame = Vec::new();
        PacketBuilder::ethernet2(macs[from], macs[to])
            .ipv4(ends[from], ends[to], 64)
            .tcp(ports[from], ports[to], self.sequences[from], 1_000)
            .ack(1)
            .write(&mut frame, &[0x55; 30])
            .unwrap();
        self.time += 20_000_000;
        self.bench.set_time(self.time).unwrap();
        let passes = self.bench.passes(&frame).unwrap();
        self.sequences[from] += if passes { 30 } else { 0 };
        passes
    }

    fn both(&mut self) -> [bool; 2] {
        [self.next(0, MACS), self.next(1, MACS)]
    }

    fn put(&mut self, id: u64, target: &Target) {
        self.bench
            .rules
            .put(&RuleOrder {
                id,
                target,
                scope: Scope::All,
                state: RuleState::Enabled,
                sticky: false,
                expires: u64::MAX,
                clinical: &[],
            })
            .unwrap();
        self.bench.rules.beat(self.time, u64::MAX / 2).unwrap();
    }
}

#[test]
fn a_rule_stops_a_flow_that_goes_on() {
    if !privileged() {
        return;
    }
    let mut connection = Connection {
        bench: TestBench::load_inline(&TestBench::options(TABLES, 1 << 20)).unwrap(),
        time: 1_000_000_000,
        sequences: [1; 2],
    };
    let mac = |of: [u8; 6]| Target::Mac { mac: of.into() };
    let (a, b) = (A.into(), B.into());
    let targets = [
        Target::Flow {
            transport: Transport::Tcp,
            a: (A, PORTS.0).into(),
            b: (B, PORTS.1).into(),
        },
        Target::Pair {
            a,
            b,
            service: None,
        },
        Target::Pair {
            a,
            b,
            service: Some(SERVICE),
        },
        Target::Service {
            address: b,
            service: SERVICE,
        },
        Target::Device { address: a },
        Target::Device { address: b },
        mac(MACS[0]),
        mac(MACS[1]),
        Target::Subnet {
            subnet: "10.0.0.0/30".parse().unwrap(),
        },
    ];
    // With another's rule beside, the flow keeps that none means it.
    let other = Target::Device {
        address: [10, 9, 9, 9].into(),
    };
    connection.put(2, &other);
    for target in targets {
        for _ in 0..BEFORE {
            assert_eq!(connection.both(), [true; 2], "before {target:?}");
        }
        connection.put(1, &target);
        assert_eq!(connection.both(), [false; 2], "{target:?}");
        connection.bench.rules.remove(1).unwrap();
    }

    // What comes from another station is another's, whichever part of the address is new.
    for stranger in [[2, 0, 0, 0, 0, 9], [6, 0, 0, 0, 0, 1]] {
        connection.put(1, &mac(stranger));
        for _ in 0..BEFORE {
            assert_eq!(connection.both(), [true; 2]);
        }
        for macs in [[stranger, MACS[1]], [MACS[0], stranger]] {
            assert!(!connection.next(0, macs), "{macs:?}");
        }
        assert_eq!(connection.both(), [true; 2]);
        connection.bench.rules.remove(1).unwrap();
    }
}
