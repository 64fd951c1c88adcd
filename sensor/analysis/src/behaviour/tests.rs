use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use sensor_common::packet::protocol;
use sensor_facts::{
    observation::{FlowFacts, Half, Observation, What},
    time::Time,
};

use super::{Behaviour, Counts, Judged, Measure, Prior, WINDOW};
use crate::baseline::Delta;

/// Windows of a device that make a past.
const PAST: i64 = 400;

fn host(last: u8) -> IpAddr {
    IpAddr::from([10, 0, 0, last])
}

fn flow(window: i64, client: IpAddr, server: IpAddr, bytes: u64, answered: bool) -> Observation {
    let half = |packets| Half {
        packets,
        payload: packets,
        syn: u16::from(packets > 0),
        bytes,
        ..Half::EMPTY
    };
    Observation {
        time: Time(window * WINDOW + 1),
        protocol: protocol::TCP,
        client: SocketAddr::new(client, 40_000),
        server: SocketAddr::new(server, 104),
        macs: [[0; 6]; 2],
        what: What::Flow(Box::new(FlowFacts {
            over: true,
            to_server: half(10),
            to_client: half(if answered { 10 } else { 0 }),
            ..FlowFacts::default()
        })),
    }
}

fn see(behaviour: &mut Behaviour, seen: &Observation, bytes: u64) {
    let delta = Delta {
        to_server: bytes,
        to_client: bytes,
        first: true,
        outside: false,
    };
    behaviour.observe(seen, Some(delta), |_| false);
}

/// A window in which each of these devices sends so many bytes; what became of them.
fn window(behaviour: &mut Behaviour, number: i64, devices: &[u8], bytes: u64) -> Vec<Judged> {
    for device in devices {
        let seen = flow(number, host(*device), host(200), bytes, true);
        see(behaviour, &seen, bytes);
    }
    let due = behaviour.due(Time((number + 1) * WINDOW), usize::MAX);
    let mut judged: Vec<Judged> = due
        .into_iter()
        .filter_map(|one| behaviour.close(one))
        .collect();
    judged.retain(|one| devices.iter().any(|device| host(*device) == one.device));
    for one in &judged {
        behaviour.keep(one);
    }
    judged
}

fn surprise(judged: &Judged, measure: Measure) -> f64 {
    let found = judged.surprises.iter().find(|one| one.measure == measure);
    found.map_or(0.0, |one| one.discounted)
}

/// A folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let name = format!("wardtap-behaviour-{name}-{}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn practised(devices: &[u8]) -> Behaviour {
    let mut behaviour = Behaviour::new(1_000);
    for number in 0..PAST {
        window(&mut behaviour, number, devices, 1_000);
    }
    behaviour
}

#[test]
fn what_a_device_never_did_is_surprising_and_what_it_does_again_is_not() {
    let mut behaviour = practised(&[1, 2, 3]);
    let usual = &window(&mut behaviour, PAST, &[1], 1_000)[0];
    assert!(surprise(usual, Measure::BytesOut) < 0.1, "{usual:?}");
    let great = &window(&mut behaviour, PAST + 1, &[1], 50_000_000)[0];
    assert!(surprise(great, Measure::BytesOut) > 2.5, "{great:?}");
    assert!(surprise(great, Measure::Flows) < 0.1);
    assert_eq!(great.surprises[0].measure, Measure::BytesOut);
    assert!(great.surprises[0].usual < 2_000);
    for number in 2..60 {
        window(&mut behaviour, PAST + number, &[1], 50_000_000);
    }
    let again = &window(&mut behaviour, PAST + 60, &[1], 50_000_000)[0];
    assert!(surprise(again, Measure::BytesOut) < 1.2, "{again:?}");
}

#[test]
fn what_many_do_at_once_is_less_surprising() {
    let all: Vec<u8> = (1..=40).collect();
    let mut behaviour = practised(&all);
    let judged = window(&mut behaviour, PAST, &all, 50_000_000);
    let of = |device: u8| {
        let one = judged.iter().find(|one| one.device == host(device));
        let mut surprises = one.into_iter().flat_map(|one| &one.surprises);
        let sent = surprises.find(|one| one.measure == Measure::BytesOut);
        sent.map_or(0.0, |one| one.raw - one.discounted)
    };
    // The first is not in a crowd yet.
    assert!(of(1) < 1e-9, "{}", of(1));
    assert!(of(40) > 1.3, "{}", of(40));
}

#[test]
fn nothing_is_learned_of_a_suspect() {
    let mut behaviour = practised(&[1, 2, 3]);
    behaviour.distrust(host(1), Time((PAST + 1_000) * WINDOW));
    let first = surprise(
        &window(&mut behaviour, PAST, &[1], 50_000_000)[0],
        Measure::BytesOut,
    );
    for number in 1..100 {
        window(&mut behaviour, PAST + number, &[1], 50_000_000);
    }
    let last = &window(&mut behaviour, PAST + 100, &[1], 50_000_000)[0];
    assert!((surprise(last, Measure::BytesOut) - first).abs() < 1e-9);
}

#[test]
fn made_up_addresses_are_no_devices_of_the_budget() {
    let mut behaviour = practised(&[1, 2, 3]);
    let before = behaviour.actors.proven();
    for number in 0..50_u8 {
        let forged = IpAddr::from([10, 1, 0, number]);
        let seen = flow(PAST, forged, host(200), 60, false);
        see(&mut behaviour, &seen, 60);
    }
    assert_eq!(behaviour.actors.proven(), before);
}

#[test]
fn a_noisy_site_needs_more_and_an_attack_does_not_make_it_noisy() {
    let devices: Vec<u8> = (1..=30).collect();
    let mut behaviour = practised(&devices);
    let calm = behaviour.threshold(10.0);
    let judged = |number: i64, device: u8, score: f64| Judged {
        device: host(device),
        begin: Time((PAST + 12 * number) * WINDOW),
        score,
        surprises: Vec::new(),
        windows: 400,
    };
    // Two devices that are attacked for a day, and are suspected.
    for device in 1..3 {
        behaviour.distrust(host(device), Time(i64::MAX));
    }
    for hour in 0..24 {
        for device in 1..3 {
            behaviour.keep(&judged(hour, device, 9.0));
        }
    }
    assert!((behaviour.threshold(10.0) - calm).abs() < 1e-9);
    for hour in 24..48 {
        for device in &devices[3..] {
            behaviour.keep(&judged(hour, *device, 9.0));
        }
    }
    let noisy = behaviour.threshold(10.0);
    assert!((noisy - 3.0 * calm).abs() < 1e-9, "{calm}, {noisy}");
}

#[test]
fn what_was_learned_survives_a_restart() {
    let folder = folder("kept");
    let mut before = practised(&[1, 2, 3]);
    before.save(&folder).expect("it is written");
    let mut after = Behaviour::open(&folder, 1_000);
    let judged = |behaviour: &mut Behaviour| window(behaviour, PAST, &[1], 50_000_000).remove(0);
    let (before, after) = (judged(&mut before), judged(&mut after));
    assert_eq!(before.windows, after.windows);
    std::fs::remove_dir_all(&folder).expect("it goes away");
    // The peer is no news after the restart either.
    assert_eq!(before.surprises, after.surprises);
}

#[test]
fn a_damaged_file_counts_as_empty() {
    let folder = folder("damaged");
    practised(&[1]).save(&folder).expect("it is written");
    let path = folder.join("behaviour.bin");
    let bytes = std::fs::read(&path).expect("it is there");
    std::fs::write(&path, &bytes[..bytes.len() / 2]).expect("it is cut");
    let mut behaviour = Behaviour::open(&folder, 1_000);
    let judged = &window(&mut behaviour, PAST, &[1], 1_000)[0];
    assert_eq!(judged.windows, 0);
    std::fs::remove_dir_all(&folder).expect("it goes away");
}

#[test]
fn what_a_first_day_is_like_elsewhere_counts_only_beside_own_windows() {
    let mut behaviour = Behaviour::new(1_000);
    let counts = Counts {
        windows: 50_000,
        counts: vec![(Measure::Flows as usize, 3, 40_000)],
    };
    behaviour.set_prior(Prior::of(&counts));
    assert_eq!(behaviour.windows(), 0);
    let first = &window(&mut behaviour, 0, &[1], 1_000)[0];
    // One connection is ordinary there; what it sent is not, and is no terabyte.
    assert!(surprise(first, Measure::Flows) < 0.2, "{first:?}");
    assert!(surprise(first, Measure::BytesOut) > 2.5, "{first:?}");
    assert!(first.surprises.iter().all(|one| one.usual < 1_000));
    let own = behaviour.all.windows();
    assert_eq!(behaviour.windows(), 11 * own);
}

#[test]
fn the_budget_counts_hours_that_reach_it_and_those_that_twice_as_much_would_add() {
    let mut behaviour = practised(&[1, 2, 3]);
    let (once, twice) = (behaviour.threshold(1.0), behaviour.threshold(2.0));
    assert!(twice < once);
    let judged = |device: u8, score: f64| Judged {
        device: host(device),
        begin: Time((PAST + 1) * WINDOW),
        score,
        surprises: Vec::new(),
        windows: 400,
    };
    for (device, score) in [(1, once), (2, twice), (3, twice - 0.1)] {
        behaviour.spend(&judged(device, score), 1.0, 0.0);
    }
    let spent = behaviour.spending(1.0);
    assert_eq!((spent.reached, spent.twice), (1, 1));
    assert!(spent.allowed < 0.01, "{spent:?}");
    // Below the least score nothing counts.
    behaviour.spend(&judged(3, once), 1.0, once + 1.0);
    assert_eq!(behaviour.spending(1.0).reached, 1);
}
