//! Ways out of the site and into a device: reverse shells, tunnels, beacons, backdoors.

use sensor_common::packet::protocol;
use sensor_facts::observation::FlowFacts;

use super::{Lab, SECOND, as_it_is, host, outside, set_to};

/// Each day: two workstations use the web, the first also a service of its own outside.
fn routine(lab: &mut Lab) {
    for client in [8, 9] {
        lab.tcp(host(client), outside(1), 443);
        lab.tcp(host(client), host(1), 443);
    }
    lab.tcp(host(8), outside(2), 5_223);
    lab.flow(protocol::UDP, host(8), (host(2), 53), |_| {});
}

#[test]
fn a_service_outside_that_nobody_used_is_a_way_out() {
    let mut lab = Lab::learnt("way_out", as_it_is, routine);
    lab.tcp(host(9), outside(3), 443);
    lab.tcp(host(9), outside(3), 5_223);
    lab.tcp(host(9), host(3), 4_444);
    lab.tcp(host(9), outside(3), 51_000);
    lab.is_quiet("the web, what another uses, a host of the site, a port that is new each time");
    lab.tcp(host(9), outside(3), 4_444);
    let shell = lab.finds(host(9));
    assert_eq!(
        (shell.technique.as_str(), shell.victims[0]),
        ("T1571", outside(3))
    );
    lab.tcp(host(8), outside(3), 4_444);
    let second = lab.finds(host(8));
    assert!(second.confidence < 0.5, "others begin to use it too");
    lab.tcp(host(66), outside(3), 22);
    assert_eq!(lab.finds(host(66)).technique, "T1572");
}

/// A shell: messages of the client and of the server, the client's bytes, and how long it lasts in seconds.
fn shell(messages: [u32; 2], bytes: u64, seconds: u64) -> impl Fn(&mut FlowFacts) {
    move |facts| {
        facts.to_server.push = messages[0];
        facts.to_client.push = messages[1];
        facts.to_server.payload = bytes;
        facts.duration = seconds * SECOND.cast_unsigned();
    }
}

#[test]
fn who_types_at_a_service_that_was_never_offered_uses_a_backdoor() {
    let mut lab = Lab::learnt("backdoor", as_it_is, |lab| {
        lab.tcp(host(20), host(1), 443);
        lab.tcp(host(9), host(20), 8_000);
        lab.tcp(host(8), host(1), 22);
    });
    let to = (host(20), 4_444);
    lab.flow(
        protocol::TCP,
        host(66),
        (host(20), 8_000),
        shell([4, 4], 40, 8),
    );
    lab.flow(protocol::TCP, host(66), to, shell([4, 4], 4_000, 8));
    lab.flow(protocol::TCP, host(66), to, shell([400, 400], 4_000, 2));
    lab.flow(protocol::TCP, host(66), to, shell([40, 2], 400, 60));
    lab.flow(
        protocol::TCP,
        host(8),
        (host(20), 22),
        shell([40, 40], 400, 60),
    );
    lab.is_quiet(
        "a service that it offers, long or fast messages, no answers, and an administrator",
    );
    lab.flow(protocol::TCP, host(66), to, shell([4, 3], 12, 8));
    let finding = lab.finds(host(66));
    assert_eq!(finding.victims, [host(20)]);
    assert!(
        finding.evidence.contains("4 short messages"),
        "{}",
        finding.evidence
    );
}

#[test]
fn a_newcomer_does_not_earn_the_right_to_a_beacon() {
    let mut lab = Lab::learnt("beacon", as_it_is, routine);
    for _ in 0..11 {
        lab.tcp(host(66), outside(3), 8_443);
        lab.tcp(host(67), outside(3), 443);
        lab.tcp(host(68), outside(3), 5_223);
        lab.wait(3_600);
    }
    lab.tcp(host(67), outside(3), 443);
    lab.tcp(host(68), outside(3), 5_223);
    lab.is_quiet("eleven; and services that others use, which newcomers ask regularly too");
    lab.tcp(host(66), outside(3), 8_443);
    lab.finds(host(66));
}

#[test]
fn an_upload_by_a_service_that_the_device_never_used() {
    let upload = |facts: &mut FlowFacts| facts.to_server.bytes = 30_000_000;
    let mut lab = Lab::learnt("exfiltration", as_it_is, |lab| {
        routine(lab);
        lab.flow(protocol::TCP, host(9), (host(1), 445), upload);
    });
    lab.flow(protocol::TCP, host(9), (outside(3), 443), upload);
    lab.is_quiet("it uses this service outside each day");
    lab.flow(protocol::TCP, host(9), (outside(4), 22), upload);
    let finding = lab.finds(host(9));
    assert!(
        finding
            .evidence
            .contains("was not seen to use such a service"),
        "{}",
        finding.evidence
    );
}

/// DNS queries of a client to a server, of so many bytes each.
fn queries(lab: &mut Lab, client: u8, server: u8, count: u64, bytes: u64) {
    lab.flow(protocol::UDP, host(client), (host(server), 53), |facts| {
        for half in [&mut facts.to_server, &mut facts.to_client] {
            half.packets = count;
            half.payload = count * bytes;
            half.bytes = count * (bytes + 28);
        }
    });
}

#[test]
fn a_tunnel_by_dns_is_its_clients_not_the_resolvers() {
    let mut lab = Lab::new("dns_tunnel", |detect| {
        set_to(detect, "dns_queries", 100_u32);
        set_to(detect, "dns_query_long", 120_u64);
    });
    queries(&mut lab, 9, 2, 500, 50);
    queries(&mut lab, 8, 2, 90, 160);
    queries(&mut lab, 7, 2, 200, 100);
    lab.is_quiet("short names, few queries, and names of middling length without much data");
    // iodine: 197 queries of 164 bytes in half a minute, which the resolver asks on.
    queries(&mut lab, 2, 3, 197, 164);
    let resolver = lab.finds(host(2));
    assert!(resolver.confidence < 0.5, "{}", resolver.evidence);
    queries(&mut lab, 66, 2, 197, 164);
    let client = lab.finds(host(66));
    assert!(client.confidence > 0.6 && client.victims.is_empty());
}

#[test]
fn long_echo_to_the_outside_is_no_ping() {
    let mut lab = Lab::new("icmp_tunnel", as_it_is);
    let echo = |lab: &mut Lab, server, packets: u64, length: u16| {
        lab.flow(protocol::ICMP, host(66), (server, 0), |facts| {
            facts.icmp_type = Some(8);
            for half in [&mut facts.to_server, &mut facts.to_client] {
                (half.length_min, half.length_max) = (length, length);
                (half.packets, half.bytes) = (packets, packets * u64::from(length));
            }
        });
    };
    echo(&mut lab, host(1), 400, 1_228);
    echo(&mut lab, outside(1), 10_000, 84);
    echo(&mut lab, outside(2), 20, 1_228);
    lab.is_quiet("within the site, a flood of usual pings, and a test of a line");
    echo(&mut lab, outside(3), 400, 1_228);
    assert_eq!(lab.finds(host(66)).technique, "T1095");
}
