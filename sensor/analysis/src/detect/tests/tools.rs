//! Attack tools by the shape of what they send, as captures of the real ones show it, and their benign twins.

use sensor_common::packet::protocol;
use sensor_facts::{
    finding::AttackRole,
    observation::{ArpFacts, FlowFacts, Half, What},
    setting::Span,
};

use super::{Lab, SECOND, as_it_is, host, mac, outside, set_to};

/// An SSH session: segments of the client, packets of 256 bytes or more of the server, seconds.
fn ssh(lab: &mut Lab, client: u8, segments: u32, long: u32, seconds: u64) {
    lab.flow(protocol::TCP, host(client), (host(1), 22), |facts| {
        facts.to_server.push = segments;
        facts.to_client.sizes[5] = long;
        facts.duration = seconds * SECOND.cast_unsigned();
    });
}

#[test]
fn ssh_guesses_are_counted_by_tries() {
    let mut lab = Lab::new("brute_force", |detect| {
        set_to(detect, "logins", 100_u32);
        set_to(detect, "guesses", 10_u32);
    });
    // Hydra: six tries in a connection, 23 s.
    ssh(&mut lab, 66, 12, 2, 23);
    lab.is_quiet("someone forgot his password");
    ssh(&mut lab, 66, 12, 2, 23);
    let finding = lab.finds(host(66));
    assert!(
        finding.evidence.contains("in 2 connections"),
        "{}",
        finding.evidence
    );
    for _ in 0..20 {
        // A command that is run at another host, keys that are refused, and someone who types.
        ssh(&mut lab, 67, 14, 5, 9);
        ssh(&mut lab, 68, 11, 2, 0);
        ssh(&mut lab, 69, 80, 3, 300);
    }
    lab.is_quiet("sessions, and keys that are not taken");
}

#[test]
fn one_guess_at_a_time_is_found_too() {
    let mut lab = Lab::new("brute_force", |detect| {
        set_to(detect, "guesses", 10_u32);
        set_to(detect, "guesses_within", Span::from_secs(600));
    });
    for _ in 0..9 {
        ssh(&mut lab, 66, 7, 2, 4);
        lab.wait(20);
    }
    lab.is_quiet("nine");
    ssh(&mut lab, 66, 7, 2, 4);
    assert!(lab.finds(host(66)).evidence.contains("within 181 s"));
}

#[test]
fn a_newcomer_does_not_earn_the_right_to_guess() {
    let set = |detect: &mut super::Detect| set_to(detect, "guesses", 10_u32);
    let mut lab = Lab::learnt("brute_force", set, |lab| lab.tcp(host(9), host(1), 22));
    let guess = |lab: &mut Lab, client| (0..2).for_each(|_| ssh(lab, client, 12, 2, 23));
    guess(&mut lab, 9);
    lab.is_quiet("it has used the service since the site was learnt");
    lab.flow(protocol::TCP, host(66), (host(1), 22), |facts| {
        facts.to_client.payload = 100_000;
    });
    lab.wait(2 * 3_600);
    guess(&mut lab, 66);
    lab.finds(host(66));
}

fn snmp(lab: &mut Lab, client: u8, asked: u64, answered: u64) {
    lab.flow(protocol::UDP, host(client), (host(1), 161), |facts| {
        facts.to_server.packets = asked;
        facts.to_client.packets = answered;
    });
}

#[test]
fn communities_that_are_guessed_are_requests_without_answers() {
    let mut lab = Lab::new("brute_force", |detect| {
        set_to(detect, "snmp_guesses", 30_u32);
    });
    snmp(&mut lab, 9, 500, 500);
    snmp(&mut lab, 9, 29, 0);
    lab.is_quiet("an agent that answers, and one that is off");
    snmp(&mut lab, 66, 60, 1);
    lab.finds(host(66));
}

fn echo(lab: &mut Lab, client: u8, shortest: u16, bytes: u64) {
    lab.flow(protocol::ICMP, host(client), (host(1), 0), |facts| {
        facts.icmp_type = Some(8);
        for half in [&mut facts.to_server, &mut facts.to_client] {
            (half.length_min, half.length_max) = (shortest, 1_080);
            half.bytes = bytes;
        }
    });
}

#[test]
fn an_icmp_tunnel_is_much_echo_of_changing_lengths() {
    let mut lab = Lab::new("icmp_tunnel", |detect| {
        set_to(detect, "icmp_bytes", 100_000_u64);
    });
    echo(&mut lab, 9, 1_080, 10_000_000);
    echo(&mut lab, 8, 56, 40_000);
    lab.is_quiet("a flood ping of one size, and a search for the greatest size");
    echo(&mut lab, 66, 56, 60_000);
    assert_eq!(lab.finds(host(66)).technique, "T1095");
}

fn held(lab: &mut Lab, client: u8, answer: u64) {
    lab.flow(protocol::TCP, host(client), (host(1), 80), |facts| {
        facts.duration = 24 * SECOND.cast_unsigned();
        facts.to_server.payload = 300;
        facts.to_client.payload = answer;
    });
}

#[test]
fn slow_requests_hold_many_connections_at_once() {
    let mut lab = Lab::new("slow_requests", |detect| {
        set_to(detect, "slow_connections", 50_u32);
    });
    for _ in 0..60 {
        held(&mut lab, 8, 20_000);
        held(&mut lab, 9, 0);
        lab.wait(30);
    }
    lab.is_quiet("answers, and connections one after the other");
    (0..50).for_each(|_| held(&mut lab, 66, 0));
    assert_eq!(lab.finds(host(66)).technique, "T1499.002");
}

/// The device sends images to the archive.
fn images(lab: &mut Lab, device: u8) {
    lab.associate(host(device), host(1), "CT1", "1.2.3");
    lab.request(host(device), host(1), "CT1", 0x0001, "");
    lab.tcp(host(device), host(1), 11_112);
}

#[test]
fn a_clinical_device_that_talks_to_the_outside_for_the_first_time() {
    let mut lab = Lab::learnt("first_outside", as_it_is, |lab| {
        images(lab, 20);
        images(lab, 21);
        lab.tcp(host(21), outside(1), 443);
        lab.tcp(host(9), host(1), 443);
    });
    lab.tcp(host(21), outside(2), 443);
    lab.tcp(host(9), outside(3), 443);
    lab.tcp(host(20), host(3), 443);
    lab.is_quiet("one that does, one that is not clinical, and a host of the site");
    lab.tcp(host(20), outside(4), 4_444);
    assert_eq!(lab.finds(host(20)).victims, [outside(4)]);
}

#[test]
fn remote_access_from_device_to_device() {
    let mut lab = Lab::learnt("device_access", as_it_is, |lab| {
        images(lab, 20);
        images(lab, 21);
        images(lab, 22);
        lab.tcp(host(22), host(20), 22);
        lab.tcp(host(9), host(1), 22);
    });
    lab.tcp(host(22), host(21), 22);
    lab.tcp(host(9), host(20), 22);
    lab.is_quiet("one from which others are administered, and an administrator");
    lab.tcp(host(21), host(20), 22);
    assert_eq!(lab.finds(host(21)).victims, [host(20)]);
}

fn upload(facts: &mut FlowFacts) {
    facts.to_server.bytes = 50_000_000;
}

#[test]
fn an_upload_is_judged_by_the_device_that_sends_it() {
    let mut lab = Lab::learnt("exfiltration", as_it_is, |lab| {
        lab.tcp(host(9), host(1), 443);
        lab.tcp(host(8), outside(1), 443);
        lab.flow(protocol::TCP, host(8), (host(1), 445), upload);
    });
    lab.flow(protocol::TCP, host(8), (outside(2), 443), upload);
    lab.is_quiet("it talks to the outside, and sends as much each day");
    lab.flow(protocol::TCP, host(9), (outside(2), 443), upload);
    let finding = lab.finds(host(9));
    assert!(
        finding
            .evidence
            .contains("was not seen to talk to the outside")
    );
}

#[test]
fn what_is_read_of_a_share_and_written_back_is_judged_by_what_is_usual() {
    let share = |lab: &mut Lab, client: u8, written: u64, read: u64| {
        lab.flow(protocol::TCP, host(client), (host(1), 445), |facts| {
            facts.to_server.bytes = written;
            facts.to_client.bytes = read;
        });
    };
    let mut lab = Lab::learnt("share_rewrite", as_it_is, |lab| {
        for _ in 0..12 {
            share(lab, 8, 40_000_000, 40_000_000);
            share(lab, 9, 100_000, 300_000);
            share(lab, 10, 100_000, 300_000);
            lab.rest();
        }
    });
    share(&mut lab, 8, 60_000_000, 60_000_000);
    share(&mut lab, 10, 100_000, 90_000_000);
    lab.is_quiet("a machine that converts images, and one that reads");
    share(&mut lab, 9, 20_000_000, 20_000_000);
    assert_eq!(lab.finds(host(9)).technique, "T1486");
}

fn answers(lab: &mut Lab, from: u8, port: u16, client: u8) {
    lab.flow(protocol::UDP, host(client), (host(from), port), |facts| {
        facts.to_server = Half::default();
        facts.to_client.packets = 1;
    });
}

#[test]
fn who_begins_to_answer_questions_asked_of_all_is_found() {
    let mut lab = Lab::learnt("new_answerer", as_it_is, |lab| {
        (10..14).for_each(|client| answers(lab, 1, 5_355, client));
    });
    (10..20).for_each(|client| answers(&mut lab, 1, 5_355, client));
    (0..2).for_each(|_| answers(&mut lab, 2, 5_355, 10));
    (0..9).for_each(|_| answers(&mut lab, 3, 53, 10));
    lab.is_quiet("a server that always did, two answers, and a DNS server");
    (10..13).for_each(|client| answers(&mut lab, 66, 5_355, client));
    assert_eq!(lab.finds(host(66)).technique, "T1557.001");
    (10..13).for_each(|client| answers(&mut lab, 67, 547, client));
    assert_eq!(lab.finds(host(67)).technique, "T1557.003");
}

#[test]
fn an_attacker_is_named_by_the_traffic_of_its_ethernet_address() {
    let mut lab = Lab::new("arp_spoof", as_it_is);
    for known in [1, 20, 66] {
        lab.tcp(host(known), host(30), 443);
    }
    let claims = |lab: &mut Lab, who: u8| {
        let [std::net::IpAddr::V4(sender), std::net::IpAddr::V4(target)] = [host(1), host(20)]
        else {
            return;
        };
        let arp = ArpFacts {
            request: false,
            sender_mac: mac(host(who)),
            sender,
            target,
            target_mac: mac(host(20)),
            frame_mac: mac(host(who)),
            count: 1,
        };
        let end = |address| std::net::SocketAddr::new(address, 0);
        lab.see(end(host(1)), end(host(20)), 0, What::Arp(Box::new(arp)));
        lab.wait(1);
    };
    for who in [1, 66, 1, 66] {
        claims(&mut lab, who);
    }
    let finding = lab.finds(host(66));
    assert_eq!(finding.role, AttackRole::Suspect);
    assert_eq!(finding.victims.first(), Some(&host(1)));
    assert!(
        finding.evidence.contains("by its own traffic"),
        "{}",
        finding.evidence
    );
    // The address that is attacked proves nothing of who attacks.
    assert_eq!(finding.origin, sensor_facts::finding::Origin::Unconfirmed);
}
