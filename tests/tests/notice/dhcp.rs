//! Devices that DHCP gives another address, and those who say that it did.

use std::net::IpAddr;

use sensor_analysis::{Analysis, AnalysisOptions, Outcome};
use sensor_facts::observation::{Asked, What};
use sensor_sessions::inventory::NameSource;

use super::{
    CT, ROGUE, SECOND, Sensor, TRANSACTION, lease, request,
    say::{Dhcp, arp, tcp},
};

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
type Frames = Vec<Vec<u8>>;

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
        dhcp.sent_by([2, 0, 0, 0, 0, server])
    };
    let take = |mac, address| arp(1, mac, address, [10, 0, 0, 1]);
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
                    .sent_by(intruder)
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
    let mut padded = Dhcp::new(2, CT).sent_by(ROGUE);
    for _ in 0..100 {
        padded = padded.option(200, b"");
    }
    sensor.frame(&routers.sent_by(ROGUE).frame());
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
