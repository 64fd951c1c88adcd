//! Who is taken for a router.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use sensor_common::packet::protocol;
use sensor_facts::observation::{ArpFacts, Mac, What};

use super::{Lab, as_it_is, host, outside};

const ROGUE: u8 = 66;

fn at(number: u8) -> Mac {
    [2, 0, 0, 0, 0, number]
}

fn v4(host: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 77, 1, host)
}

/// Someone searches by ARP for hosts that are not there.
fn search(lab: &mut Lab) {
    for number in 100..140 {
        arp(lab, true, ROGUE, ROGUE, number);
        lab.wait(1);
    }
    lab.wait(3);
    arp(lab, true, ROGUE, ROGUE, 10);
}

fn arp(lab: &mut Lab, request: bool, mac: u8, sender: u8, target: u8) {
    let what = What::Arp(Box::new(ArpFacts {
        request,
        sender_mac: at(mac),
        sender: v4(sender),
        target: v4(target),
        target_mac: [0; 6],
        frame_mac: at(mac),
        count: 1,
    }));
    let end = |host: u8| SocketAddr::new(v4(host).into(), 0);
    lab.see(end(sender), end(target), 0, what);
}

type Trick = fn(&mut Lab);

#[test]
fn packets_with_made_up_sources_make_no_router() {
    let mut plain = Lab::new("sweep", as_it_is);
    search(&mut plain);
    let expected = plain.finds(host(ROGUE));
    assert!(
        expected.evidence.contains("02:00:00:00:00:42"),
        "{}",
        expected.evidence
    );
    let tricks: [(&str, Trick); 4] = [
        ("datagrams, whether answered or not", |lab| {
            for number in 0..100 {
                lab.sender = Some(at(ROGUE));
                lab.flow(protocol::UDP, outside(number), (host(1), 53), |_| {});
                lab.wait(3);
            }
        }),
        ("connections that nobody completed", |lab| {
            for number in 0..100 {
                lab.sender = Some(at(ROGUE));
                lab.flow(protocol::TCP, outside(number), (host(1), 443), |facts| {
                    facts.to_client.payload = 0;
                });
                lab.wait(3);
            }
        }),
        ("whole connections, all at once", |lab| {
            for number in 0..4 {
                lab.sender = Some(at(ROGUE));
                lab.flow(protocol::TCP, outside(number), (host(1), 443), |_| {});
            }
        }),
        ("addresses that are his", |lab| {
            for number in 200..220 {
                arp(lab, true, ROGUE, number, 1);
                lab.sender = Some(at(ROGUE));
                lab.flow(protocol::TCP, host(number), (host(1), 443), |_| {});
                lab.wait(10);
            }
        }),
    ];
    for (name, trick) in tricks {
        let mut lab = Lab::new("sweep", as_it_is);
        trick(&mut lab);
        search(&mut lab);
        let finding = lab.finds(host(ROGUE));
        assert!(
            (finding.confidence - expected.confidence).abs() < 1e-9,
            "{name}: {finding:?}"
        );
    }
    // A router, which others search through.
    let mut lab = Lab::new("sweep", as_it_is);
    for number in 0..20 {
        let client = IpAddr::from([10, 77, 2 + number % 3, number]);
        lab.sender = Some(at(ROGUE));
        lab.flow(protocol::TCP, client, (host(1), 443), |_| {});
        lab.wait(10);
    }
    search(&mut lab);
    assert!(lab.finds(host(ROGUE)).confidence < 0.5);
}
