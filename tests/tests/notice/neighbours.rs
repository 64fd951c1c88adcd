//! IPv6 neighbours and routers.

use std::net::IpAddr;

use sensor_common::counter::Counter;
use sensor_facts::observation::{NeighbourFacts, RouterFacts, What};

use super::{CT, ROGUE, Sensor, say::neighbour};

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

/// The frame tells nothing, and is counted as malformed.
fn is_malformed(frame: &[u8], name: &str) {
    let mut sensor = Sensor::new();
    sensor.frame(frame);
    assert_eq!(neighbours(&mut sensor), (vec![], vec![]), "{name}");
    let malformed = sensor.engine.counters().get(Counter::NoticeMalformed);
    assert_eq!(malformed, 1, "{name}");
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
type Break = fn(&mut Vec<u8>);

#[test]
fn what_receivers_of_neighbour_discovery_discard_is_not_told() {
    let host = neighbour::link_local(9);
    let good = [
        neighbour::advertisement(CT, host, 0x20, &neighbour::link(2, CT)),
        neighbour::solicitation(CT, host, host, &neighbour::link(1, CT)),
        neighbour::router(CT, host, 1_800, &neighbour::prefix([0x20; 16], 7_200)),
    ];
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
            is_malformed(&frame, name);
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
        is_malformed(&frame, name);
    }
}
