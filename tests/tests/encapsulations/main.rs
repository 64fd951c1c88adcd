//! Every encapsulation: the conversation inside is seen as it is without, in the portable engine and in the kernel; cut
//! anywhere it is counted; and what only looks like a tunnel stays the flow that it is.

mod bytes;
mod conversation;
#[path = "../homes/mod.rs"]
mod homes;
mod pieces;
#[path = "../traffic/mod.rs"]
mod traffic;
mod unreadable;
mod wrap;

use sensor_common::{
    counter::Counter,
    packet::{Layer, Tunnel},
    settings::Settings,
    unread::{self, KINDS},
};
use sensor_kernel::TestBench;
use sensor_sessions::capture::PortableEngine;
use serde_json::Value;
use tests::ability::privileged;

use conversation::{NAME, Packet, stored};
use traffic::{Seen, Sensor, small_kernel};
use wrap::{Wrap, all};

fn frames(wrap: Option<&Wrap>, v6: bool) -> Vec<Vec<u8>> {
    let wrapped = |packet: &Packet| wrap.map_or_else(|| packet.frame(), |wrap| (wrap.of)(packet));
    stored(v6).iter().map(wrapped).collect()
}

fn see(frames: &[Vec<u8>]) -> Seen {
    let mut sensor = Sensor::new();
    for frame in frames {
        sensor.frame(frame);
    }
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

#[test]
fn what_can_not_be_unwrapped_stays_its_flow_and_is_counted_by_kind() {
    for (name, frame, by, value, flow) in unreadable::cases() {
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
        let tunnels: u64 = Tunnel::COUNTERS.iter().map(|one| counters.get(*one)).sum();
        assert_eq!(tunnels, 0, "{name}");
    }
}

/// What is carried in fragments by each of them that goes over IP, and plain packets too.
fn in_pieces() -> Vec<(String, bool, Vec<Vec<u8>>)> {
    let mut all_frames = Vec::new();
    for v6 in [false, true] {
        all_frames.push(("plain".to_owned(), v6, pieces::all(&frames(None, v6))));
        for wrap in all().filter(|wrap| v6 || !wrap.v6_only) {
            let whole = frames(Some(wrap), v6);
            if matches!(whole[0][12..14], [0x08, 0] | [0x86, 0xdd]) && !wrap.tunnels.is_empty() {
                all_frames.push((wrap.name.to_owned(), v6, pieces::all(&whole)));
            }
        }
    }
    all_frames
}

/// Sessions without when they ended: a fragment comes later than a whole packet.
fn timeless(mut sessions: Vec<Value>) -> Vec<Value> {
    for session in &mut sessions {
        session.as_object_mut().unwrap().remove("timestamp");
        session["dicom"].as_object_mut().unwrap().remove("end");
    }
    sessions
}

#[test]
fn fragments_in_their_turn_lose_nothing() {
    for (name, v6, frames_of_it) in in_pieces() {
        let name = format!("{name}, IPv6 {v6}");
        let control = see(&frames(None, v6));
        let (sessions, control_flow) = said(&control);
        let seen = see(&frames_of_it);
        seen.keeps(NAME, &name);
        let (found, flow) = said(&seen);
        assert_eq!(timeless(found), timeless(sessions), "{name}");
        for half in ["to_server", "to_client"] {
            let payload = |flow: &Value| flow["flow"][half]["payload_bytes"].clone();
            assert_eq!(payload(&flow), payload(&control_flow), "{name}");
            assert_eq!(flow["flow"][half]["gaps"], 0, "{name}");
        }
        let counters = &seen.counters;
        assert!(counters.get(Counter::FragmentJoined) > 0, "{name}");
        assert_eq!(counters.get(Counter::Fragment), 0, "{name}");
        assert_eq!(counters.get(Counter::FlowCreated), 1, "{name}");
    }
}

#[test]
fn fragments_out_of_turn_are_counted() {
    let frames_of_it = pieces::all(&frames(None, false));
    // The other way round, twice, and with a stretch of each in the next.
    let mut turned = frames_of_it.clone();
    turned.reverse();
    let twice = frames_of_it
        .iter()
        .flat_map(|frame| [frame.clone(), frame.clone()]);
    let overlapping = frames_of_it.iter().map(|frame| {
        let mut frame = frame.clone();
        frame[21] = frame[21].saturating_sub(1);
        frame
    });
    for frames in [turned, twice.collect(), overlapping.collect()] {
        let counters = see(&frames).counters;
        assert!(counters.get(Counter::Fragment) > 0);
        assert_eq!(counters.get(Counter::Packets), frames.len() as u64);
    }
    // Too short for the TCP header.
    let mut tiny = frames(None, false)[0][..42].to_vec();
    tiny[16..18].copy_from_slice(&[0, 28]);
    tiny[20] = 0x20;
    assert_eq!(see(&[tiny]).counters.get(Counter::TransportMalformed), 1);
}

/// All of the above in the kernel: the same as in the portable engine.
#[test]
fn the_kernel_sees_the_same() {
    if !privileged() {
        return;
    }
    homes::stay_on_this_cpu();
    let tables = small_kernel::tables(256);
    let load = || TestBench::load(&TestBench::options(tables, 1 << 20)).unwrap();
    let run = |bench: &mut TestBench, name: &str, frames: Vec<Vec<u8>>| {
        let timed: Vec<(u64, Vec<u8>)> = (1..)
            .zip(frames)
            .map(|(number, frame)| (number * 20_000_000, frame))
            .collect();
        let kernel = homes::kernel(bench, &timed);
        let portable = homes::portable(tables, &timed, homes::interface(&kernel));
        homes::compare(name, &kernel, &portable);
        // The table of kinds is a CPU's: what earlier runs left may have taken the places.
        if bench.counters().unwrap().unread.kinds().count() < KINDS {
            for (kind, packets) in portable.counters.unread.kinds() {
                assert_eq!(kernel.counters.unread.of(kind), packets, "{name}");
            }
        }
        kernel.events.len()
    };
    let mut bench = load();
    let mut events = 0;
    for v6 in [false, true] {
        for wrap in all().filter(|wrap| v6 || !wrap.v6_only) {
            let events_of_it = run(&mut bench, wrap.name, frames(Some(wrap), v6));
            assert!(events_of_it > 2, "{}: {events_of_it} events", wrap.name);
            events += events_of_it;
        }
    }
    for (name, frame) in every_frame() {
        let longest = frame.len().min(160);
        let cut = (14..longest).map(|length| frame[..length].to_vec());
        run(&mut bench, &name, cut.collect());
    }
    for cases in unreadable::cases().chunks(KINDS / 2) {
        let mut bench = load();
        for (name, frame, ..) in cases {
            run(&mut bench, name, vec![frame.clone()]);
        }
    }
    for (name, _, frames) in in_pieces() {
        run(&mut bench, &name, frames);
    }
    println!("{events} events agree");
}
