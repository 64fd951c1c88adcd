//! Whatever one host forges, the policy contains no other: from observations through detectors to decisions.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use sensor_analysis::{Analysis, AnalysisOptions, Outcome};
use sensor_common::packet::protocol;
use sensor_facts::{
    finding::Finding,
    observation::{ArpFacts, FlowFacts, Half, Mac, Observation, What},
    time::Time,
};
use sensor_response::{
    Book,
    config::{Containment, Mode},
    policy::{ContainmentVerdict, Policy, Situation},
};

const SECOND: i64 = 1_000_000_000;
const INTRUDER: Mac = [2, 0, 0, 0, 0, 66];
/// Devices of the site; the first is the one that the intruder wants to have blocked.
const DEVICES: [u8; 4] = [50, 10, 11, 12];

/// A small generator (Knuth's MMIX constants), so that a failure can be repeated by its seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(self.0 >> 33).unwrap_or(0) % limit
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(u32::try_from(from.len()).unwrap()) as usize]
    }
}

fn address(host: u8) -> IpAddr {
    IpAddr::from([10, 1, 2, host])
}

fn mac(host: u8) -> Mac {
    [2, 0, 0, 0, 1, host]
}

fn half(packets: u64, payload: u64) -> Half {
    Half {
        packets,
        payload,
        bytes: payload + 40 * packets,
        syn: 1,
        ..Half::default()
    }
}

fn flow(
    time: i64,
    macs: [Mac; 2],
    client: SocketAddr,
    server: SocketAddr,
    both: &[Half; 2],
) -> Observation {
    let [to_server, to_client] = *both;
    Observation {
        time: Time(time),
        protocol: protocol::TCP,
        client,
        server,
        macs,
        what: What::Flow(Box::new(FlowFacts {
            id: u64::from(client.port()) << 32 | u64::try_from(time).unwrap_or(0) & 0xffff_ffff,
            over: true,
            to_server,
            to_client,
            ..FlowFacts::default()
        })),
    }
}

/// What a device does by itself: it completes handshakes.
fn routine(time: i64, host: u8, peer: u8) -> Observation {
    let (client, server) = (
        SocketAddr::new(address(host), 40_000),
        SocketAddr::new(address(peer), 104),
    );
    let half = half(6, 3_000);
    flow(time, [mac(host), mac(peer)], client, server, &[half, half])
}

/// Something that one host can send under addresses of its choice. It does not get the answers.
fn forged(random: &mut Random, time: i64) -> Observation {
    let victim = address(random.pick(&DEVICES[..2]));
    let other = address(u8::try_from(1 + random.below(250)).unwrap());
    // As client, or as a server that is said to answer.
    let (client, server) = if random.below(4) == 0 {
        (other, victim)
    } else {
        (victim, other)
    };
    let port = u16::try_from(1 + random.below(1_000)).unwrap();
    let client = SocketAddr::new(client, 50_000 + port);
    let server = SocketAddr::new(server, random.pick(&[port, 22, 104, 445, 2575, 53]));
    let empty = Half::default();
    let macs = [INTRUDER, [0; 6]];
    match random.below(6) {
        0 => Observation {
            what: What::ConnectionRefused,
            ..flow(time, macs, client, server, &[half(1, 0), empty])
        },
        // Data without a handshake, and a SYN+ACK of the real server.
        1 => flow(time, macs, client, server, &[half(40, 60_000), half(1, 0)]),
        2 => Observation {
            protocol: protocol::UDP,
            ..flow(time, macs, client, server, &[half(30, 30_000), empty])
        },
        3 => {
            let IpAddr::V4(sender) = client.ip() else {
                unreachable!("all addresses are IPv4")
            };
            Observation {
                protocol: 0,
                client: SocketAddr::new(client.ip(), 0),
                server: SocketAddr::new(other, 0),
                what: What::Arp(Box::new(ArpFacts {
                    request: random.below(2) == 0,
                    sender_mac: INTRUDER,
                    sender,
                    target: Ipv4Addr::new(10, 1, 2, u8::try_from(random.below(255)).unwrap()),
                    target_mac: [0; 6],
                    frame_mac: INTRUDER,
                    count: 1,
                })),
                ..flow(time, macs, client, server, &[empty, empty])
            }
        }
        // Whole conversations, both sides made up.
        _ => {
            let half = half(12, 5_000);
            flow(time, [INTRUDER; 2], client, server, &[half, half])
        }
    }
}

/// No loss, and every means of containment.
fn situation<'a>(finding: &Finding, book: &'a Book) -> Situation<'a> {
    Situation {
        now: finding.time,
        book,
        loss_percent: 0.0,
        known_devices: 100,
        inline: true,
        resets: true,
    }
}

#[test]
fn ten_thousand_forged_sequences_convict_nobody() {
    let book = Book::default();
    let mut found = 0;
    for seed in 0..10_000 {
        let mut random = Random(seed);
        let mut analysis = Analysis::new(AnalysisOptions::default());
        let mut policy = Policy::new(Containment {
            mode: Mode::Automatic,
            max_rules_per_minute: 1_000,
            ..Containment::default()
        });
        let mut time = 20_000 * 86_400 * SECOND;
        for step in 0..60 {
            time += i64::from(random.below(1_000)) * 1_000_000;
            let seen = if step % 20 == 0 {
                routine(time, DEVICES[0], DEVICES[1])
            } else {
                forged(&mut random, time)
            };
            let mut out = Outcome::default();
            analysis.observe(&seen, &mut out);
            for finding in out.findings {
                found += 1;
                let decision = policy.decide(&finding, &situation(&finding, &book));
                assert_ne!(
                    decision.verdict,
                    ContainmentVerdict::Act,
                    "seed {seed}, step {step}: {finding:?} {decision:?}"
                );
            }
        }
    }
    assert!(found > 10_000, "the forgeries are found: {found}");
}

/// The counterpart: the same deeds of a device whose handshakes confirm it are acted upon.
#[test]
fn a_confirmed_device_is_convicted_by_what_it_does() {
    let book = Book::default();
    let mut analysis = Analysis::new(AnalysisOptions::default());
    let mut policy = Policy::new(Containment {
        mode: Mode::Automatic,
        ..Containment::default()
    });
    let mut time = 20_000 * 86_400 * SECOND;
    let mut acted = false;
    let intruder = SocketAddr::new(address(66), 40_000);
    let half = half(6, 3_000);
    let macs = [INTRUDER, mac(10)];
    let hello = flow(
        time,
        macs,
        intruder,
        SocketAddr::new(address(10), 22),
        &[half, half],
    );
    let refused = |time, host, port| Observation {
        what: What::ConnectionRefused,
        ..flow(
            time,
            macs,
            intruder,
            SocketAddr::new(address(host), port),
            &[half, Half::default()],
        )
    };
    let arp = |time, host| Observation {
        protocol: 0,
        what: What::Arp(Box::new(ArpFacts {
            request: true,
            sender_mac: INTRUDER,
            sender: Ipv4Addr::new(10, 1, 2, 66),
            target: Ipv4Addr::new(10, 1, 2, host),
            target_mac: [0; 6],
            frame_mac: INTRUDER,
            count: 1,
        })),
        ..flow(
            time,
            macs,
            SocketAddr::new(address(66), 0),
            SocketAddr::new(address(host), 0),
            &[Half::default(); 2],
        )
    };
    let mut all = vec![hello];
    for number in 1..120 {
        time += SECOND / 10;
        all.push(refused(time, 10, u16::from(number)));
        all.push(arp(time, number));
    }
    for seen in &all {
        let mut out = Outcome::default();
        analysis.observe(seen, &mut out);
        for finding in out.findings {
            let decision = policy.decide(&finding, &situation(&finding, &book));
            acted |= decision.verdict == ContainmentVerdict::Act;
        }
    }
    assert!(acted, "a scan and a sweep of a confirmed host");
}
