//! Scans, sweeps, guessing, spreading, floods, spoofing.

use sensor_common::packet::protocol;
use sensor_facts::setting::Span;

use super::{FlowFacts, Lab, as_it_is, host, outside, set_to};
use crate::detect::Detect;

fn scan(detect: &mut Detect) {
    set_to(detect, "scan_targets", 20_u32);
    set_to(detect, "scan_within", Span::from_secs(60));
    set_to(detect, "scan_ports", 1_000_u32);
}

#[test]
fn a_scan_is_many_refused_targets_in_a_short_time() {
    let mut lab = Lab::new("scan", scan);
    for port in 1..=19 {
        lab.refused(host(9), host(1), port);
    }
    lab.is_quiet("one less than a scan");
    lab.refused(host(9), host(1), 20);
    let finding = lab.finds(host(9));
    assert_eq!(finding.victims, [host(1)]);
    assert_eq!(finding.technique, "T1046");
    // What its file names as features explains it.
    let explains = |part: &str| {
        finding
            .features
            .iter()
            .any(|one| one.feature.starts_with(part))
    };
    assert!(explains("failed"), "{finding:?}");
}

#[test]
fn refusals_are_no_scan_if_they_are_slow_or_of_one_target_or_were_had() {
    let mut lab = Lab::new("scan", scan);
    for port in 1..=40 {
        lab.refused(host(9), host(1), port);
        lab.wait(30);
    }
    lab.is_quiet("two a minute");
    for _ in 0..200 {
        lab.refused(host(8), host(1), 104);
    }
    lab.is_quiet("a server is away and its client tries again");
    for port in 1..=100 {
        lab.tcp(host(7), host(1), port);
    }
    lab.is_quiet("all were answered");
}

#[test]
fn a_slow_scan_is_many_refused_targets_that_are_not_used() {
    let slow = |detect: &mut Detect| {
        scan(detect);
        set_to(detect, "slow_within", Span::from_secs(6 * 3_600));
    };
    let mut lab = Lab::new("scan", slow);
    for port in 1..=20 {
        lab.is_quiet("not yet");
        lab.refused(host(9), host(1), port);
        lab.wait(300);
    }
    assert!(lab.finds(host(9)).evidence.contains("within 5701 s"));
    let use_all = |lab: &mut Lab| (1..=30).for_each(|port| lab.tcp(host(9), host(1), port));
    let mut lab = Lab::learnt("scan", slow, use_all);
    for port in 1..=30 {
        lab.refused(host(9), host(1), port);
        lab.wait(300);
    }
    lab.is_quiet("a server that it uses is away");
}

#[test]
fn a_scan_by_udp_is_datagrams_without_answers() {
    let mut lab = Lab::new("scan", scan);
    let unanswered = |facts: &mut FlowFacts| facts.to_client = super::Half::default();
    for number in 1..=20 {
        lab.flow(protocol::UDP, host(9), (host(number), 161), unanswered);
    }
    assert_eq!(lab.finds(host(9)).victim_count, 20);
    for number in 1..=30 {
        lab.flow(protocol::UDP, host(8), (host(number), 161), |_| {});
    }
    lab.is_quiet("a manager whose devices answer");
    for number in 1..=30 {
        lab.flow(protocol::UDP, host(7), (host(number), 68), unanswered);
    }
    lab.is_quiet("a DHCP server");
}

#[test]
fn web_servers_that_can_not_be_reached_are_no_scan() {
    let mut lab = Lab::new("scan", scan);
    for number in 1..=20 {
        lab.refused(host(9), outside(number), 443);
    }
    lab.is_quiet("the site lost its way to the outside");
    for number in 1..=20 {
        lab.refused(host(8), host(number), 443);
    }
    lab.finds(host(8));
}

#[test]
fn probing_is_many_short_connections_to_one_service_that_is_new() {
    let set = |detect: &mut Detect| {
        set_to(detect, "probes", 30_u32);
        set_to(detect, "probes_within", Span::from_secs(10));
    };
    let mut lab = Lab::new("probe", set);
    (0..29).for_each(|_| lab.tcp(host(9), host(1), 8_080));
    lab.is_quiet("29");
    lab.wait(60);
    for _ in 0..60 {
        lab.tcp(host(9), host(1), 8_080);
        lab.wait(1);
    }
    lab.is_quiet("one a second");
    for number in 1..=60 {
        lab.tcp(host(8), host(number), 8_080);
    }
    lab.is_quiet("many servers");
    (0..30).for_each(|_| lab.tcp(host(7), host(1), 8_080));
    assert_eq!(lab.finds(host(7)).victims, [host(1)]);

    // 40 within seconds may be a page; five a second for a minute are none.
    let set_minute = |detect: &mut Detect| set_to(detect, "probes_minute", 300_u32);
    let mut lab = Lab::new("probe", set_minute);
    for second in 0..60 {
        lab.is_quiet(if second < 59 { "not yet" } else { "299" });
        (0..5).for_each(|_| lab.tcp(host(66), host(1), 80));
        lab.wait(i64::from(second < 59));
    }
    assert!(lab.finds(host(66)).confidence > 0.6);

    let mut lab = Lab::learnt("probe", set, |lab| lab.tcp(host(9), host(1), 8_080));
    (0..200).for_each(|_| lab.tcp(host(9), host(1), 8_080));
    lab.is_quiet("a service that it uses");
}

fn ping(lab: &mut Lab, number: u8) {
    lab.flow(protocol::ICMP, host(9), (host(number), 0), |facts| {
        facts.icmp_type = Some(8);
    });
}

#[test]
fn a_sweep_is_echo_to_many_unknown_hosts() {
    let set = |detect: &mut Detect| {
        set_to(detect, "sweep_hosts", 15_u32);
        set_to(detect, "sweep_within", Span::from_secs(60));
    };
    let mut lab = Lab::new("sweep", set);
    (101..115).for_each(|number| ping(&mut lab, number));
    lab.is_quiet("fourteen hosts");
    ping(&mut lab, 115);
    assert_eq!(lab.finds(host(9)).technique, "T1018");

    // The monitoring system asks the same hosts each day.
    let mut lab = Lab::new("sweep", set);
    for day in 0..2 {
        lab.at(day, 9);
        for number in 101..140 {
            ping(&mut lab, number);
            lab.wait(30);
        }
    }
    lab.is_quiet("slowly");
    (101..140).for_each(|number| ping(&mut lab, number));
    lab.is_quiet("all of them are known");
}

fn logins(detect: &mut Detect) {
    set_to(detect, "logins", 6_u32);
    set_to(detect, "logins_within", Span::from_secs(60));
}

#[test]
fn guessing_is_many_short_logins() {
    let mut lab = Lab::new("brute_force", logins);
    (0..5).for_each(|_| lab.tcp(host(9), host(1), 22));
    lab.is_quiet("five");
    lab.tcp(host(9), host(1), 22);
    assert_eq!(lab.finds(host(9)).technique, "T1110");
    for _ in 0..60 {
        lab.flow(protocol::TCP, host(8), (host(1), 22), |facts| {
            facts.to_client.payload = 100_000;
        });
        lab.tcp(host(7), host(1), 443);
    }
    lab.is_quiet("sessions in which work is done, and no login service");
}

#[test]
fn who_is_known_may_log_in_more_often() {
    let mut lab = Lab::learnt("brute_force", logins, |lab| lab.tcp(host(9), host(1), 22));
    (0..59).for_each(|_| lab.tcp(host(9), host(1), 22));
    lab.is_quiet("a script");
    lab.tcp(host(9), host(1), 22);
    lab.finds(host(9));
}

#[test]
fn spreading_is_remote_access_of_many_new_hosts() {
    let set = |detect: &mut Detect| {
        set_to(detect, "fan_out_hosts", 5_u32);
        set_to(detect, "fan_out_within", Span::from_secs(600));
    };
    let mut lab = Lab::new("fan_out", set);
    (1..=4).for_each(|number| lab.tcp(host(66), host(number), 445));
    (1..=40).for_each(|_| lab.tcp(host(66), host(1), 445));
    (1..=40).for_each(|number| lab.tcp(host(66), host(number), 443));
    lab.is_quiet("four servers, and the web");
    lab.refused(host(66), host(5), 445);
    let finding = lab.finds(host(66));
    assert_eq!(finding.technique, "T1021.002");
    assert_eq!(finding.victim_count, 5);

    let mut lab = Lab::learnt("fan_out", set, |lab| {
        for number in 1..=10 {
            lab.tcp(host(9), host(number), 445);
            lab.wait(300);
        }
    });
    (1..=10).for_each(|number| lab.tcp(host(9), host(number), 445));
    lab.is_quiet("servers that it uses");
}

fn half_open(facts: &mut FlowFacts) {
    facts.to_server.payload = 0;
    facts.to_server.packets = 1;
    facts.to_client.payload = 0;
}

#[test]
fn a_flood_is_many_clients_that_do_not_follow_up() {
    let set = |detect: &mut Detect| set_to(detect, "flood_clients", 100_u32);
    let mut lab = Lab::new("flood", set);
    (1..=99).for_each(|n| lab.flow(protocol::TCP, outside(n), (host(1), 443), half_open));
    lab.is_quiet("99 clients");
    lab.flow(protocol::TCP, outside(100), (host(1), 443), half_open);
    let finding = lab.finds(host(1));
    assert!(finding.role.is_victim(), "the server is not the suspect");
    (1..=200).for_each(|n| lab.tcp(outside(n), host(2), 443));
    lab.is_quiet("a busy server");
    (1..=200).for_each(|_| lab.flow(protocol::TCP, host(9), (host(3), 443), half_open));
    lab.is_quiet("one client");
    // t50 sends SYNs that carry a few bytes.
    (1..=100).for_each(|n| {
        lab.flow(protocol::TCP, outside(n), (host(4), 2_575), |facts| {
            half_open(facts);
            facts.to_server.payload = 12;
        });
    });
    lab.finds(host(4));
}

#[test]
fn a_flood_of_one_client_is_many_connections_left_half_open() {
    let mut lab = Lab::new("flood", |detect| set_to(detect, "flood_clients", 100_u32));
    for _ in 0..299 {
        lab.flow(protocol::TCP, host(9), (host(1), 104), half_open);
    }
    lab.is_quiet("one less");
    lab.flow(protocol::TCP, host(9), (host(1), 104), half_open);
    assert_eq!(lab.finds(host(9)).technique, "T1499.001");
}

#[test]
fn answers_that_nobody_asked_for_are_a_flood() {
    let mut lab = Lab::new("flood", |detect| set_to(detect, "flood_clients", 100_u32));
    let answers = |lab: &mut Lab, asked: bool| {
        for number in 1..=100 {
            lab.flows += 1;
            let port = lab.port();
            let mut facts = FlowFacts {
                id: lab.flows,
                over: true,
                ..FlowFacts::default()
            };
            facts.to_client.packets = 10;
            facts.to_client.bytes = 10_000;
            facts.to_server.packets = u64::from(asked);
            let what = super::What::Flow(Box::new(facts));
            let server = (outside(number), 161).into();
            lab.see((host(5), port).into(), server, protocol::UDP, what);
        }
    };
    answers(&mut lab, true);
    lab.is_quiet("each was asked for");
    answers(&mut lab, false);
    assert!(lab.finds(host(5)).role.is_victim());
}

#[test]
fn spoofing_is_an_address_at_two_ethernet_addresses_in_turn() {
    let at = |lab: &mut Lab, address: u8, mac: u8| {
        lab.sender = Some([2, 0, 0, 0, 9, mac]);
        lab.tcp(host(address), host(1), 443);
        lab.wait(10);
    };
    let mut lab = Lab::new("arp_spoof", as_it_is);
    at(&mut lab, 20, 1);
    at(&mut lab, 20, 2);
    lab.is_quiet("a device was replaced");
    at(&mut lab, 20, 1);
    let finding = lab.finds(host(20));
    assert!(
        finding.role.is_victim(),
        "whose address it is is not the suspect"
    );

    let mut lab = Lab::new("arp_spoof", as_it_is);
    for _ in 0..4 {
        for router in [101, 102] {
            for client in 30..40 {
                let client = std::net::IpAddr::from([10, 77, 2 + client % 3, client]);
                lab.sender = Some([2, 0, 0, 0, 9, router]);
                lab.tcp(client, host(1), 443);
                lab.wait(20);
            }
        }
    }
    lab.is_quiet("two routers carry the traffic of all");
}
