//! Scans and sweeps that are not made of connections.

use sensor_common::packet::{TCP_ACK, TCP_FIN, TCP_PSH, TCP_RST, TCP_URG, protocol};
use sensor_facts::{
    observation::{FlowFacts, Half},
    setting::Span,
};

use super::{Lab, as_it_is, host, set_to};

/// One segment with these flags, and the answer.
fn probe(flags: u8, answer: u8) -> impl Fn(&mut FlowFacts) {
    move |facts| {
        let half = |tcp_flags| Half {
            packets: 1,
            bytes: 40,
            tcp_flags,
            ..Half::default()
        };
        facts.midstream = true;
        facts.to_server = half(flags);
        facts.to_client = if answer == 0 {
            Half::default()
        } else {
            half(answer)
        };
    }
}

#[test]
fn segments_that_no_connection_has_are_a_scan() {
    let set = |detect: &mut _| set_to(detect, "scan_odd", 5_u32);
    for flags in [0, TCP_FIN, TCP_FIN | TCP_PSH | TCP_URG] {
        let mut lab = Lab::new("scan", set);
        for port in 1..=4 {
            lab.flow(protocol::TCP, host(66), (host(1), port), probe(flags, 0));
        }
        for port in 1..=100 {
            lab.flow(
                protocol::TCP,
                host(9),
                (host(1), port),
                probe(TCP_ACK, TCP_RST),
            );
            lab.flow(
                protocol::TCP,
                host(8),
                (host(1), port),
                probe(TCP_FIN | TCP_ACK, TCP_ACK),
            );
            lab.flow(protocol::UDP, host(7), (host(1), port), probe(0, TCP_ACK));
        }
        lab.is_quiet("four, and what connections have");
        lab.flow(
            protocol::TCP,
            host(66),
            (host(1), 5),
            probe(flags, TCP_RST | TCP_ACK),
        );
        let finding = lab.finds(host(66));
        assert_eq!(finding.victims, [host(1)]);
        assert!(
            finding.evidence.contains("to 5 ports"),
            "{}",
            finding.evidence
        );
        // Where the ports tell the wrong client.
        let mut lab = Lab::new("scan", set);
        for port in 1..=5 {
            lab.flow(protocol::TCP, host(1), (host(66), port), |facts| {
                probe(flags, TCP_RST)(facts);
                std::mem::swap(&mut facts.to_server, &mut facts.to_client);
            });
        }
        assert_eq!(lab.finds(host(66)).victims, [host(1)]);
    }
}

#[test]
fn tcp_in_tiny_fragments_is_a_scan() {
    let fragments = |lab: &mut Lab, client: u8, number: u8, count: u64, length: u16| {
        lab.flow(number, host(client), (host(1), 0), |facts| {
            facts.fragments = true;
            facts.to_server.packets = count;
            facts.to_server.length_max = length;
        });
    };
    let mut lab = Lab::new("scan", |detect| set_to(detect, "scan_fragments", 20_u32));
    fragments(&mut lab, 7, protocol::TCP, 19, 28);
    fragments(&mut lab, 8, protocol::TCP, 500, 1_500);
    fragments(&mut lab, 9, protocol::UDP, 500, 28);
    lab.is_quiet("few, long ones, and the ends of datagrams");
    fragments(&mut lab, 66, protocol::TCP, 20, 28);
    lab.finds(host(66));
}

#[test]
fn a_slow_scan_of_one_host_is_known_by_its_ports() {
    let mut lab = Lab::new("scan", |detect| {
        set_to(detect, "scan_targets", 20_u32);
        set_to(detect, "scan_ports", 8_u32);
        set_to(detect, "slow_within", Span::from_secs(3_600));
    });
    for port in 0..8 {
        for other in 1..=3 {
            lab.refused(host(9), host(other), 1_000 + port % 4);
        }
        lab.is_quiet("seven ports, and four ports of three hosts that went away");
        lab.refused(host(66), host(1), 100 + port);
        lab.wait(15);
    }
    let finding = lab.finds(host(66));
    assert!(
        finding.evidence.contains("8 different ports within 106 s"),
        "{}",
        finding.evidence
    );
}

#[test]
fn echo_to_all_hosts_at_once_is_a_sweep() {
    let all = "ff02::1".parse().unwrap();
    let ask = |lab: &mut Lab, client: u8| {
        lab.flow(protocol::ICMP6, host(client), (all, 0), |facts| {
            facts.icmp_type = Some(128);
            facts.to_client = Half::default();
        });
    };
    let mut lab = Lab::learnt("sweep", as_it_is, |lab| ask(lab, 9));
    ask(&mut lab, 9);
    lab.is_quiet("a monitoring system that always did");
    ask(&mut lab, 66);
    assert_eq!(lab.finds(host(66)).technique, "T1018");
}
