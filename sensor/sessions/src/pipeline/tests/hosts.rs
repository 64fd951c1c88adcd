//! What is remembered of hosts and flows.

use sensor_common::{
    flow::{ESTABLISHED, Flow, INITIATOR_B},
    key::FlowKey,
    layer7::Protocol,
    packet::{TCP_ACK, TCP_RST, TCP_SYN, protocol},
};
use sensor_facts::{
    event::{Body, FlowWhy},
    time::{Time, Timebase},
};

use super::{
    pdu::{ECHO, accept, request},
    wire::Wire,
};
use crate::pipeline::{FlowEndReason, Limits, Pipeline, PipelineOptions};

/// A flow of 10.0.0.`b`:`port` with 10.0.0.`a`, which opened it; one packet of 100 bytes each way.
fn flow(a: u8, b: u8, port: u16) -> (FlowKey, Flow) {
    let mut key = FlowKey {
        protocol: protocol::TCP,
        family: 4,
        ..FlowKey::EMPTY
    };
    key.addr_a[..4].copy_from_slice(&[10, 0, 0, a]);
    key.addr_b[..4].copy_from_slice(&[10, 0, 0, b]);
    key.port_a = 50_000_u16.to_be_bytes();
    key.port_b = port.to_be_bytes();
    let mut flow = Flow {
        start: 1_000,
        flags: ESTABLISHED,
        ..Flow::EMPTY
    };
    (flow.mac_a, flow.mac_b) = ([2, 0, 0, 0, 0, a], [2, 0, 0, 0, 0, b]);
    for half in &mut flow.directions {
        (half.packets, half.bytes, half.first, half.last) = (1, 100, 1_000, 2_000);
    }
    flow.directions[0].tcp_flags = TCP_SYN;
    flow.directions[1].tcp_flags = TCP_SYN | TCP_ACK;
    (key, flow)
}

#[test]
fn hosts_have_what_was_seen_of_them() {
    let mut wire = Wire::new(PipelineOptions::default());
    wire.open();
    wire.client(&request("ARCHIVE", "CT01", &[ECHO]));
    wire.server(&accept("", "", &[0]));
    let hosts = wire.pipeline.hosts();
    let host = |last: u8| {
        let address = std::net::IpAddr::from([10, 0, 0, last]);
        hosts
            .iter()
            .find(|host| host.address == address)
            .unwrap()
            .clone()
    };
    assert!(host(1).cleartext_dicom && host(1).services.is_empty());
    assert_eq!(host(1).ae_titles[0].title, "CT01");
    let title = &host(2).ae_titles[0];
    assert_eq!(title.implementation.as_deref(), Some("PACS_9"));
    assert!(title.first_seen.is_some() && title.first_seen <= title.last_seen);
    assert_eq!(
        host(2).ae_titles[0].title,
        "ARCHIVE",
        "known while the association is open"
    );
    assert_eq!(host(2).implementations[0].class_uid, "1.2.3.5");
    let caller = &host(2).callers[0];
    assert_eq!(
        (caller.title.as_str(), caller.address, caller.accepted),
        ("CT01", [10, 0, 0, 1].into(), true)
    );
    assert!(host(1).callers.is_empty(), "nobody called the client");
    wire.close();
    let before = wire.pipeline.hosts();
    wire.finish();
    let after = wire.pipeline.hosts();
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(
            (before.bytes_in, before.bytes_out),
            (after.bytes_in, after.bytes_out)
        );
        assert!(after.bytes_in > 0 && after.flows_opened + after.flows_accepted == 1);
        assert!(!after.mac_shared);
    }
    let server = after.iter().find(|host| host.flows_accepted == 1).unwrap();
    assert_eq!(server.macs, ["02:00:00:00:00:02"]);
    assert_eq!(server.services[0].port, 104);
    assert_eq!(server.services[0].app_proto.as_deref(), Some("dicom"));
}

#[test]
fn a_refused_port_is_no_service_and_a_router_s_address_is_nobody_s() {
    let mut pipeline = Pipeline::new(PipelineOptions::default());
    let mut out = Vec::new();
    for (port, flags) in [(22, TCP_SYN | TCP_ACK), (23, TCP_RST | TCP_ACK)] {
        let (key, mut flow) = flow(1, 2, port);
        flow.directions[1].tcp_flags = flags;
        pipeline.flow_ended(&key, &flow, FlowEndReason::Closed, &mut out);
    }
    // Whole conversations of two subnets for three minutes, behind one Ethernet address; those behind the other had no answer.
    for last in 3..10 {
        for (mac, port, payload) in [(254, 80, 50), (253, 81, 0)] {
            let (mut key, mut flow) = flow(1, last, port);
            key.addr_b[2] = if port == 80 { last % 2 } else { 7 };
            flow.mac_b = [2, 0, 0, 0, 0, mac];
            for half in &mut flow.directions {
                half.payload = payload;
                half.last += u64::from(last) * 30_000_000_000;
            }
            pipeline.flow_ended(&key, &flow, FlowEndReason::Idle, &mut out);
        }
    }
    let hosts = pipeline.hosts();
    let in_net = |net: u8, last: u8| {
        hosts
            .iter()
            .find(|host| host.address == std::net::IpAddr::from([10, 0, net, last]))
            .unwrap()
    };
    let host = |last: u8| in_net(0, last);
    let ports: Vec<_> = host(2)
        .services
        .iter()
        .map(|service| service.port)
        .collect();
    assert_eq!(ports, [22]);
    assert!(in_net(1, 3).mac_shared && host(4).mac_shared);
    assert!(!host(1).mac_shared && !host(2).mac_shared);
    assert!(!in_net(7, 3).mac_shared, "nobody answered");
    assert_eq!(host(1).flows_opened, 16);
}

#[test]
fn a_host_of_the_internet_has_no_maker_from_the_router_s_address() {
    let mut pipeline = Pipeline::new(PipelineOptions::default());
    let mut out = Vec::new();
    let outside = [9, 9, 9, 9];
    // The router itself is asked too; one of its peers alone is not enough to know it as a router.
    for server in [[10, 0, 0, 1], outside] {
        let (mut key, mut flow) = flow(1, 2, 443);
        key.addr_b[..4].copy_from_slice(&server);
        flow.mac_b = [0x00, 0x12, 0x21, 0, 0, 1];
        flow.directions[1].tcp_flags = TCP_SYN | TCP_ACK;
        pipeline.flow_ended(&key, &flow, FlowEndReason::Closed, &mut out);
    }
    let hosts = pipeline.hosts();
    let of = |address: [u8; 4]| {
        let address = std::net::IpAddr::from(address);
        hosts.iter().find(|host| host.address == address).unwrap()
    };
    assert!(of([10, 0, 0, 1]).vendor.is_some() && !of([10, 0, 0, 1]).mac_shared);
    assert!(of(outside).vendor.is_none() && of(outside).mac_shared);
}

#[test]
fn a_flood_of_senders_evicts_no_host_that_talks() {
    let limits = Limits {
        known_hosts: 8,
        fresh_hosts: 8,
        ..Limits::default()
    };
    let mut pipeline = Pipeline::new(PipelineOptions {
        limits,
        ..PipelineOptions::default()
    });
    let mut out = Vec::new();
    let (key, known) = flow(1, 2, 104);
    pipeline.flow_ended(&key, &known, FlowEndReason::Closed, &mut out);
    for sender in 0..1_000_u16 {
        let (mut key, mut flow) = flow(1, 2, 80);
        let [high, low] = sender.to_be_bytes();
        key.addr_a[..4].copy_from_slice(&[9, 9, high, low]);
        flow.directions[1].packets = 0;
        pipeline.flow_ended(&key, &flow, FlowEndReason::Idle, &mut out);
    }
    let stats = pipeline.stats();
    assert_eq!((stats.hosts, stats.hosts_evicted), (10, 992));
    let talkers = pipeline
        .hosts()
        .iter()
        .filter(|host| host.bytes_in > 0)
        .count();
    assert!(talkers >= 2);
    assert_eq!(pipeline.recent_flows().count(), 1_001);
}

#[test]
fn flows_are_told_from_the_side_that_opened_them() {
    let offset = 1_700_000_000_000_000_000_i64;
    let options = PipelineOptions {
        timebase: Timebase {
            unix_offset_ns: offset,
        },
        interfaces: [(7, "span0".into())].into(),
        limits: Limits {
            recent_flows: 2,
            live_flows: 2,
            ..Limits::default()
        },
        ..PipelineOptions::default()
    };
    let mut pipeline = Pipeline::new(options);
    let mut out = Vec::new();
    let (key, mut flow) = flow(1, 2, 104);
    flow.flags |= INITIATOR_B;
    flow.interface = 7;
    (flow.vlan_depth, flow.vlans) = (1, [42, 0]);
    (
        flow.first_count,
        flow.first_payloads[0],
        flow.first_payloads[1],
    ) = (2, -10, 20);
    flow.directions[1].bytes = 777;
    flow.protocol = Protocol::Dicom as u8;
    pipeline.flow_active(&key, &flow, &mut out);
    assert_eq!(pipeline.live_flows().count(), 1);
    pipeline.flow_ended(&key, &flow, FlowEndReason::Idle, &mut out);
    assert_eq!(
        (
            pipeline.live_flows().count(),
            pipeline.recent_flows().count()
        ),
        (0, 1)
    );
    let [active, ended] = &out[..] else {
        panic!("{out:?}")
    };
    assert_eq!(active.flow_id, ended.flow_id);
    assert_eq!((ended.src_port, ended.dest_port), (Some(104), Some(50_000)));
    assert_eq!(
        (ended.in_iface.as_deref(), &ended.vlan[..]),
        (Some("span0"), &[42][..])
    );
    assert_eq!(ended.timestamp, Time(offset + 2_000));
    assert_eq!(ended.timestamp.to_string(), "2023-11-14T22:13:20.000002Z");
    let Body::Flow { flow: report } = &ended.body else {
        panic!()
    };
    assert_eq!(report.reason, FlowWhy::Idle);
    assert_eq!((report.to_server.bytes, report.to_client.bytes), (777, 100));
    assert_eq!(report.first_payloads, [10, -20]);
    assert_eq!(report.src_mac.as_deref(), Some("02:00:00:00:00:02"));
    for port in 1..=5 {
        let (key, flow) = self::flow(1, 2, port);
        pipeline.flow_active(&key, &flow, &mut out);
        pipeline.flow_ended(&key, &flow, FlowEndReason::Idle, &mut out);
        let (key, flow) = self::flow(3, 4, port);
        pipeline.flow_active(&key, &flow, &mut out);
    }
    assert_eq!(
        (
            pipeline.live_flows().count(),
            pipeline.recent_flows().count()
        ),
        (2, 2)
    );
    assert_eq!(pipeline.stats().live_flows_evicted, 3);
}
