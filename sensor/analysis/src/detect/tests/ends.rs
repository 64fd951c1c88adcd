//! What a device does with hosts elsewhere, and what it begins to offer.

use std::net::IpAddr;

use sensor_common::packet::protocol;

use super::{FlowFacts, Lab, as_it_is, host, outside, set_to};
use crate::detect::Detect;

/// Nothing of what is tested, so that a site is learnt.
fn routine(lab: &mut Lab) {
    lab.tcp(host(50), host(1), 443);
}

fn beacon(detect: &mut Detect) {
    set_to(detect, "beacon_connections", 12_u32);
}

/// Connections of 300 bytes, `interval(number)` seconds apart.
fn calls(lab: &mut Lab, to: (IpAddr, u16), count: i64, interval: impl Fn(i64) -> i64) {
    for number in 0..count {
        lab.flow(protocol::TCP, host(9), to, |facts| {
            facts.to_server.bytes = 300;
        });
        lab.wait(interval(number));
    }
}

#[test]
fn a_beacon_is_regular_and_to_someone_unknown() {
    let mut lab = Lab::learnt("beacon", beacon, routine);
    calls(&mut lab, (outside(9), 443), 11, |_| 60);
    lab.is_quiet("eleven connections");
    calls(&mut lab, (outside(9), 443), 1, |_| 60);
    let finding = lab.finds(host(9));
    assert_eq!(finding.victims, [outside(9)]);
    assert!(finding.evidence.contains("60"), "{}", finding.evidence);
}

#[test]
fn people_are_not_regular_and_time_servers_are() {
    let mut lab = Lab::learnt("beacon", beacon, routine);
    calls(&mut lab, (outside(9), 443), 40, |n| 10 + (n * n * 37) % 300);
    lab.is_quiet("a person reads pages");
    calls(&mut lab, (outside(8), 443), 40, |_| 1);
    lab.is_quiet("one piece of work");
    for _ in 0..40 {
        lab.flow(protocol::UDP, host(9), (outside(7), 123), |_| {});
        lab.flow(protocol::UDP, host(9), (outside(7), 53), |_| {});
        lab.wait(64);
    }
    lab.is_quiet("time and names are asked for regularly");

    let mut lab = Lab::learnt("beacon", beacon, |lab| {
        calls(lab, (outside(9), 443), 3, |_| 60);
    });
    calls(&mut lab, (outside(9), 443), 40, |_| 60);
    lab.is_quiet("it does so each day");
    let mut lab = Lab::new("beacon", beacon);
    calls(&mut lab, (outside(9), 443), 40, |_| 60);
    lab.is_quiet("the site is learnt");
}

/// Queries of one packet each.
fn queries(lab: &mut Lab, client: u8, count: u32, bytes: u64) {
    for _ in 0..count {
        lab.flow(protocol::UDP, host(client), (host(2), 53), |facts| {
            for half in [&mut facts.to_server, &mut facts.to_client] {
                half.packets = 1;
                half.bytes = bytes + 28;
                half.payload = bytes;
            }
        });
    }
}

#[test]
fn a_dns_tunnel_is_much_data_in_long_queries() {
    let set = |detect: &mut Detect| {
        set_to(detect, "dns_bytes", 50_000_u64);
        set_to(detect, "dns_query_long", 1_000_u64);
    };
    let mut lab = Lab::new("dns_tunnel", set);
    queries(&mut lab, 9, 249, 200);
    lab.is_quiet("49,800 bytes");
    lab.wait(300);
    queries(&mut lab, 9, 200, 200);
    lab.is_quiet("in the next five minutes");
    queries(&mut lab, 9, 60, 200);
    assert_eq!(lab.finds(host(9)).technique, "T1071.004");
    queries(&mut lab, 8, 4_000, 40);
    lab.is_quiet("many usual queries");
    let mut lab = Lab::new("dns_tunnel", set);
    queries(&mut lab, 7, 90, 1_000);
    lab.is_quiet("few long ones");
}

/// One flow that sends `out` and receives `back` megabytes.
fn send(lab: &mut Lab, to: IpAddr, out: u64, back: u64) {
    lab.flow(protocol::TCP, host(9), (to, 443), |facts| {
        facts.to_server.bytes = out * 1_000_000;
        facts.to_client.bytes = back * 1_000_000;
    });
}

#[test]
fn exfiltration_is_much_sent_to_someone_unknown() {
    let set = |detect: &mut Detect| {
        set_to(detect, "exfiltration_bytes", 100_000_000_u64);
        set_to(detect, "exfiltration_new_bytes", 100_000_000_u64);
        set_to(detect, "unusual", 6.0);
    };
    let mut lab = Lab::learnt("exfiltration", set, routine);
    send(&mut lab, outside(9), 99, 0);
    lab.is_quiet("99 MB");
    send(&mut lab, outside(8), 200, 190);
    lab.is_quiet("as much came back");
    send(&mut lab, outside(9), 2, 0);
    assert_eq!(lab.finds(host(9)).technique, "T1567.002");

    let mut lab = Lab::learnt("exfiltration", set, routine);
    send(&mut lab, host(200), 500, 0);
    assert_eq!(lab.finds(host(9)).technique, "T1041");

    let backup = |lab: &mut Lab| {
        send(lab, host(200), 500, 0);
        lab.found.retain(|one| one.technique != "T1041");
    };
    let mut lab = Lab::learnt("exfiltration", set, backup);
    send(&mut lab, host(200), 500, 0);
    lab.is_quiet("the backup of each day");
}

#[test]
fn a_new_service_is_what_a_learnt_device_never_offered() {
    let offers = |lab: &mut Lab| lab.tcp(host(50), host(1), 443);
    let mut lab = Lab::new("new_service", as_it_is);
    lab.tcp(host(50), host(1), 4_444);
    lab.is_quiet("the site is learnt");
    let mut lab = Lab::learnt("new_service", as_it_is, offers);
    offers(&mut lab);
    lab.is_quiet("as each day");
    lab.tcp(host(50), host(2), 4_444);
    lab.is_quiet("a device that is new itself");
    lab.tcp(host(50), outside(1), 4_444);
    lab.is_quiet("a host elsewhere");
    let unanswered = |facts: &mut FlowFacts| facts.to_client = super::Half::default();
    lab.flow(protocol::TCP, host(50), (host(1), 4_444), unanswered);
    lab.is_quiet("it did not answer");
    lab.tcp(host(50), host(1), 8_080);
    let usual = lab.finds(host(1));
    lab.tcp(host(50), host(1), 4_444);
    let entry = lab.finds(host(1));
    assert!(
        entry.confidence > usual.confidence,
        "a way into the device is worse"
    );
}
