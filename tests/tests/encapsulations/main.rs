//! Every encapsulation: the conversation inside is seen as it is without, in the portable engine and in the kernel; cut
//! anywhere it is counted; and what only looks like a tunnel stays the flow that it is.

mod bytes;
mod conversation;
#[path = "../homes/mod.rs"]
mod homes;
#[path = "../traffic/mod.rs"]
mod traffic;
mod wrap;

use sensor_common::{
    counter::Counter,
    packet::{Layer, Tunnel, unread},
    settings::Settings,
};
use sensor_kernel::TestBench;
use sensor_sessions::capture::PortableEngine;
use serde_json::Value;
use tests::ability::privileged;

use bytes::{ethernet, ip4, join, over_gre, over_udp};
use conversation::{NAME, Packet, stored};
pub(crate) use traffic::dicom;
use traffic::{Seen, Sensor, small_kernel};
use wrap::{Wrap, all};

fn frames(wrap: Option<&Wrap>, v6: bool) -> Vec<Vec<u8>> {
    let wrapped = |packet: &Packet| wrap.map_or_else(|| packet.frame(), |wrap| (wrap.of)(packet));
    stored(v6).iter().map(wrapped).collect()
}

fn see(frames: &[Vec<u8>]) -> Seen {
    let mut sensor = Sensor::new();
    frames.iter().for_each(|frame| sensor.frame(frame));
    sensor.end()
}

/// The last flow event and all DICOM events, without what an encapsulation changes.
fn said(seen: &Seen) -> (Vec<Value>, Value) {
    let mut events: Vec<Value> = seen
        .events
        .iter()
        .map(|event| serde_json::from_str(event).unwrap())
        .collect();
    let mut flow = Value::Null;
    let mut sessions = Vec::new();
    for event in &mut events {
        match event["event_type"].as_str().unwrap() {
            "flow" => flow = event.clone(),
            "dicom" => {
                event.as_object_mut().unwrap().remove("vlan");
                sessions.push(event.clone());
            }
            _ => {}
        }
    }
    (sessions, flow)
}

/// The flow without its tunnels and tags.
fn bare(flow: &Value) -> Value {
    let mut flow = flow.clone();
    flow.as_object_mut().unwrap().remove("vlan");
    flow["flow"].as_object_mut().unwrap().remove("tunnels");
    for mac in ["src_mac", "dest_mac"] {
        flow["flow"].as_object_mut().unwrap().remove(mac);
    }
    flow
}

/// What an authentication header or extension headers add to a packet is of the packet.
fn same_lengths(flow: &mut Value, control: &Value) {
    for half in ["to_server", "to_client"] {
        for name in [
            "bytes",
            "length_min",
            "length_max",
            "length_squares",
            "sizes",
        ] {
            flow["flow"][half][name] = control["flow"][half][name].clone();
        }
    }
}

#[test]
fn what_is_inside_is_seen_as_without() {
    for v6 in [false, true] {
        let control = see(&frames(None, v6));
        let (sessions, control_flow) = said(&control);
        assert!(!sessions.is_empty(), "the control has a session");
        for wrap in all().filter(|wrap| v6 || !wrap.v6_only) {
            let name = format!("{}, IPv6 {v6}", wrap.name);
            let seen = see(&frames(Some(wrap), v6));
            seen.keeps(NAME, &name);
            let (found, flow) = said(&seen);
            assert_eq!(found, sessions, "{name}");
            let tunnels: Vec<Value> = Tunnel::ALL
                .iter()
                .filter(|tunnel| wrap.tunnels.contains(tunnel))
                .map(|tunnel| tunnel.name().into())
                .collect();
            let listed = flow["flow"]["tunnels"].as_array().cloned();
            assert_eq!(listed.unwrap_or_default(), tunnels, "{name}");
            let vlans: Vec<Value> = wrap.vlans.iter().map(|id| (*id).into()).collect();
            let listed = flow["vlan"].as_array().cloned();
            assert_eq!(listed.unwrap_or_default(), vlans, "{name}");
            let mut flow = bare(&flow);
            if wrap.name.contains("header") {
                same_lengths(&mut flow, &control_flow);
            }
            assert_eq!(flow, bare(&control_flow), "{name}");
            let counters = &seen.counters;
            let packets = counters.get(Counter::Packets);
            assert_eq!(counters.get(Counter::InFlow), packets, "{name}");
            assert_eq!(counters.get(Counter::FlowCreated), 1, "{name}");
            for tunnel in wrap.tunnels {
                assert_eq!(counters.get(tunnel.counter()), packets, "{name}");
            }
        }
    }
}

#[test]
fn each_kind_of_tunnel_is_among_them() {
    for tunnel in Tunnel::ALL {
        assert!(
            all().any(|wrap| wrap.tunnels.contains(tunnel)),
            "{tunnel:?} is wrapped nowhere"
        );
    }
}

/// A name for each frame of the cases, and the frame.
fn every_frame() -> Vec<(String, Vec<u8>)> {
    let mut all_frames = Vec::new();
    for v6 in [false, true] {
        for wrap in all().filter(|wrap| v6 || !wrap.v6_only) {
            let longest = frames(Some(wrap), v6).into_iter().max_by_key(Vec::len);
            all_frames.push((wrap.name.to_owned(), longest.unwrap()));
        }
        all_frames.push(("too deep".to_owned(), wrap::too_deep(&stored(v6)[0])));
    }
    all_frames
}

#[test]
fn cut_anywhere_it_is_counted() {
    for (name, frame) in every_frame() {
        let mut engine = PortableEngine::new(small_kernel::tables(64), Settings::DEFAULT);
        for length in 0..frame.len().min(420) {
            for layer in [Layer::Ethernet, Layer::Ip] {
                engine.process(&frame[..length], layer, 0, 0, &mut |_: &[u8]| {});
            }
            let counters = engine.counters();
            assert_eq!(
                counters.get(Counter::Packets),
                counters.disposed(),
                "{name}, cut at {length}"
            );
        }
    }
}

#[test]
fn any_byte_may_be_wrong() {
    for (name, frame) in every_frame() {
        let mut engine = PortableEngine::new(small_kernel::tables(64), Settings::DEFAULT);
        for at in 0..frame.len().min(420) {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut frame = frame.clone();
                frame[at] = value;
                engine.process(&frame, Layer::Ethernet, 0, 0, &mut |_: &[u8]| {});
            }
        }
        let counters = engine.counters();
        assert_eq!(
            counters.get(Counter::Packets),
            counters.disposed(),
            "{name}"
        );
    }
}

#[test]
fn one_tunnel_too_many_is_counted() {
    let deep = stored(false).iter().map(wrap::too_deep).collect::<Vec<_>>();
    let seen = see(&deep);
    let counters = &seen.counters;
    assert_eq!(counters.get(Counter::TunnelDepth), deep.len() as u64);
    assert_eq!(counters.get(Counter::FlowCreated), 0);
}

/// What has a tunnel's port or type and nothing that can be read in it, and what it is counted as.
fn unreadable() -> Vec<(&'static str, Vec<u8>, unread::By, u16, bool)> {
    use unread::By;
    let p = &stored(false)[0];
    let lldp = ethernet(0x88cc, &[0; 60]);
    let secret = [&[0x55; 80][..], b"nothing of a tunnel"].concat();
    let datagram = |port: u16, payload: &[u8]| over_udp(port, &[], payload);
    let mut all = vec![
        (
            "MACsec",
            ethernet(0x88e5, &[0x2c; 80]),
            By::EtherType,
            0x88e5,
            false,
        ),
        ("LLDP", lldp.clone(), By::EtherType, 0x88cc, false),
        (
            "a type nobody knows",
            ethernet(0x9999, &[0x45; 80]),
            By::EtherType,
            0x9999,
            false,
        ),
        (
            "spanning tree",
            join(&[&bytes::OUTER_MACS, &[0, 38, 0x42, 0x42, 3], &[0; 45]]),
            By::Llc,
            0x4242,
            false,
        ),
        (
            "PPP with LCP",
            ethernet(0x8864, &[0x11, 0, 0, 1, 0, 8, 0xc0, 0x21, 9, 0, 0, 6]),
            By::Ppp,
            0xc021,
            false,
        ),
        (
            "MPLS with a channel",
            ethernet(0x8847, &[0, 0, 0x11, 64, 0x10, 0, 0, 7, 9, 9, 9, 9]),
            By::Mpls,
            0x10,
            false,
        ),
        (
            "LLDP in VXLAN",
            over_udp(4_789, &[8, 0, 0, 0, 0, 0, 1, 0], &lldp),
            By::UdpPort,
            4_789,
            true,
        ),
        (
            "VXLAN without its bit",
            over_udp(4_789, &[0; 8], &p.frame()),
            By::UdpPort,
            4_789,
            true,
        ),
        (
            "GENEVE version 1",
            over_udp(6_081, &[0x40, 0, 0x65, 0x58, 0, 0, 0, 0], &p.frame()),
            By::UdpPort,
            6_081,
            true,
        ),
        (
            "GENEVE with another type",
            over_udp(6_081, &[0, 0, 0x88, 0xcc, 0, 0, 0, 0], &p.frame()),
            By::UdpPort,
            6_081,
            true,
        ),
        (
            "encrypted CAPWAP",
            over_udp(5_247, &[1, 0, 0, 0], &secret),
            By::UdpPort,
            5_247,
            true,
        ),
        (
            "a control message of GTP",
            over_udp(2_152, &[0x32, 1, 0, 4, 0, 0, 0, 0, 0, 1, 0, 0], &[]),
            By::UdpPort,
            2_152,
            true,
        ),
        (
            "GRE of source routing",
            over_gre(0x4000, 0x0800, &[0; 8], &p.ip),
            By::Gre,
            0x0800,
            true,
        ),
        (
            "GRE with another type",
            over_gre(0, 0x88cc, &[], &[0; 40]),
            By::Gre,
            0x88cc,
            true,
        ),
        (
            "IP in IP of no version",
            ethernet(0x0800, &ip4(4, &[0x95; 60])),
            By::Ip,
            4,
            true,
        ),
        (
            "IP in IP longer than its packet",
            ethernet(0x0800, &ip4(4, &p.ip[..30])),
            By::Ip,
            4,
            true,
        ),
    ];
    for port in [
        1_701, 2_152, 3_544, 4_789, 4_790, 5_072, 5_247, 6_081, 7_932, 8_472, 37_008,
    ] {
        all.push((
            "something else",
            datagram(port, &secret),
            By::UdpPort,
            port,
            true,
        ));
        all.push(("nothing", datagram(port, &[]), By::UdpPort, port, true));
    }
    all
}

#[test]
fn what_can_not_be_unwrapped_stays_its_flow_and_is_counted_by_kind() {
    for (name, frame, by, value, flow) in unreadable() {
        let name = format!("{name}, {value}");
        let seen = see(&[frame]);
        let counters = &seen.counters;
        assert_eq!(counters.unread.of(unread::kind(by, value)), 1, "{name}");
        let (not_ip, in_flow) = (counters.get(Counter::NotIp), counters.get(Counter::InFlow));
        assert_eq!(
            (not_ip, in_flow),
            (u64::from(!flow), u64::from(flow)),
            "{name}"
        );
        assert_eq!(counters.get(Counter::TunnelUnread), in_flow, "{name}");
        let tunnels: u64 = Counter::TUNNELS.iter().map(|one| counters.get(*one)).sum();
        assert_eq!(tunnels, 0, "{name}");
    }
}

/// All of the above in the kernel: the same as in the portable engine.
#[test]
fn the_kernel_sees_the_same() {
    if !privileged() {
        return;
    }
    homes::stay_on_this_cpu();
    let tables = small_kernel::tables(256);
    let mut bench = TestBench::load(&TestBench::options(tables, 1 << 20)).unwrap();
    let mut run = |name: &str, frames: Vec<Vec<u8>>| {
        let timed: Vec<(u64, Vec<u8>)> = (1..)
            .zip(frames)
            .map(|(number, frame)| (number * 20_000_000, frame))
            .collect();
        let kernel = homes::kernel(&mut bench, &timed);
        let portable = homes::portable(tables, &timed, homes::interface(&kernel));
        homes::compare(name, &kernel, &portable);
        for (kind, packets) in portable.counters.unread.kinds() {
            assert_eq!(kernel.counters.unread.of(kind), packets, "{name}");
        }
        kernel.events.len()
    };
    let mut events = 0;
    for v6 in [false, true] {
        for wrap in all().filter(|wrap| v6 || !wrap.v6_only) {
            let events_of_it = run(wrap.name, frames(Some(wrap), v6));
            assert!(events_of_it > 2, "{}: {events_of_it} events", wrap.name);
            events += events_of_it;
        }
    }
    for (name, frame) in every_frame() {
        let longest = frame.len().min(160);
        let cut = (14..longest).map(|length| frame[..length].to_vec());
        run(&name, cut.collect());
    }
    for (name, frame, ..) in unreadable() {
        run(name, vec![frame]);
    }
    println!("{events} events agree");
}
