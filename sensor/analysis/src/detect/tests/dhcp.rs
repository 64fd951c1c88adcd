//! False DHCP servers, and who uses up the addresses of a real one.

use std::net::{Ipv4Addr, SocketAddr};

use sensor_facts::{
    infrastructure::dhcp,
    observation::{ArpFacts, Asked, DhcpFacts, Mac, What},
    setting::Span,
};

use super::{Lab, as_it_is, host, set_to};
use crate::detect::Detect;

const CLIENT: Mac = [2, 0, 0, 0, 1, 1];
const ROGUE: u8 = 66;

fn at(number: u8) -> Mac {
    [2, 0, 0, 0, 0, number]
}

fn v4(host: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 77, 1, host)
}

/// What the server `host` answers to the client, from its own Ethernet address; the client had asked.
fn answer(kind: u8, host: u8, transaction: u32) -> DhcpFacts {
    DhcpFacts {
        reply: true,
        kind,
        transaction,
        client_mac: CLIENT,
        client: Ipv4Addr::UNSPECIFIED,
        yours: v4(200),
        relay: Ipv4Addr::UNSPECIFIED,
        requested: None,
        server: Some(v4(host)),
        routers: vec![v4(host)],
        name_servers: Vec::new(),
        frame_mac: at(host),
        asked: Asked::Yes,
    }
}

impl Lab {
    fn dhcp(&mut self, facts: DhcpFacts) {
        let ends = if facts.reply {
            (facts.server.unwrap_or(v4(250)), Ipv4Addr::BROADCAST)
        } else {
            (Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST)
        };
        let end = |address: Ipv4Addr| SocketAddr::new(address.into(), 0);
        self.see(end(ends.0), end(ends.1), 0, What::Dhcp(Box::new(facts)));
    }

    /// A client asks for an address and the server gives it.
    fn lease(&mut self, server: u8, transaction: u32) {
        self.dhcp(answer(dhcp::OFFER, server, transaction));
        self.dhcp(answer(dhcp::ACK, server, transaction));
    }
}

#[test]
fn an_acknowledgement_that_nobody_asked_for_is_of_a_false_server() {
    let mut lab = Lab::new("rogue_dhcp", as_it_is);
    for kind in [dhcp::ACK, dhcp::OFFER, dhcp::NAK, 0] {
        let mut facts = answer(kind, ROGUE + kind, 7);
        facts.asked = Asked::No;
        lab.dhcp(facts);
        let finding = lab.finds(host(ROGUE + kind));
        assert!(
            finding
                .evidence
                .contains(&format!("02:00:00:00:00:{:02x}", ROGUE + kind))
        );
        assert_eq!(finding.technique, "T1557.003");
        assert!(!finding.role.is_victim() && finding.confidence >= 0.5);
        assert_eq!(finding.victims, [host(200)]);
    }
    // In a crowd of clients nobody knows whether someone asked.
    let mut facts = answer(dhcp::ACK, 70, 7);
    facts.asked = Asked::Unknown;
    lab.dhcp(facts);
    lab.is_quiet("it may have been asked");
}

#[test]
fn a_server_that_answers_what_it_was_asked_is_one() {
    let mut lab = Lab::new("rogue_dhcp", as_it_is);
    for transaction in 0..5 {
        lab.lease(1, transaction);
        lab.wait(600);
    }
    let mut refusal = answer(dhcp::NAK, 1, 9);
    refusal.yours = Ipv4Addr::UNSPECIFIED;
    lab.dhcp(refusal);
    let mut settings = answer(dhcp::ACK, 1, 10);
    (settings.yours, settings.client) = (Ipv4Addr::UNSPECIFIED, v4(200));
    lab.dhcp(settings);
    // It is known, so what it says by itself or on a way past the sensor says nothing.
    let mut unasked = answer(dhcp::ACK, 1, 11);
    unasked.asked = Asked::No;
    lab.dhcp(unasked);
    lab.is_quiet("the site's server");
}

#[test]
fn a_second_server_beside_the_known_one_is_found_at_once() {
    let mut lab = Lab::new("rogue_dhcp", as_it_is);
    lab.lease(1, 1);
    lab.wait(60);
    lab.dhcp(answer(dhcp::OFFER, 1, 2));
    lab.is_quiet("not yet");
    lab.dhcp(answer(dhcp::OFFER, ROGUE, 2));
    let finding = lab.finds(host(ROGUE));
    assert!(
        finding
            .evidence
            .contains("10.77.1.1 had answered in the same transaction")
    );
    // It goes first.
    let mut lab = Lab::new("rogue_dhcp", as_it_is);
    lab.lease(1, 1);
    lab.dhcp(answer(dhcp::ACK, ROGUE, 2));
    let finding = lab.finds(host(ROGUE));
    assert!(
        finding
            .evidence
            .contains("in a network in which 10.77.1.1 gives out addresses")
    );
}

#[test]
fn a_server_after_the_learning_is_new_and_that_of_the_learning_is_not() {
    let mut transaction = 0;
    let mut lab = Lab::learnt("rogue_dhcp", as_it_is, |lab| {
        transaction += 1;
        lab.lease(1, transaction);
    });
    lab.lease(1, 100);
    lab.is_quiet("it was there in the learning time");
    let mut other = answer(dhcp::ACK, ROGUE, 101);
    other.yours = Ipv4Addr::new(10, 78, 1, 5);
    lab.dhcp(other);
    assert!(lab.finds(host(ROGUE)).confidence >= 0.8);
}

#[test]
fn who_speaks_in_the_name_of_a_server_makes_it_a_victim() {
    let mut lab = Lab::new("rogue_dhcp", as_it_is);
    lab.lease(1, 1);
    let mut forged = answer(dhcp::ACK, 1, 2);
    forged.frame_mac = at(ROGUE);
    lab.dhcp(forged.clone());
    let finding = lab.finds(host(1));
    assert!(finding.role.is_victim(), "the server did nothing");
    for mac in ["02:00:00:00:00:42", "02:00:00:00:00:01"] {
        assert!(finding.evidence.contains(mac), "{}", finding.evidence);
    }
    // An address that talks to others is not made a false server either.
    let mut lab = Lab::new("rogue_dhcp", as_it_is);
    lab.tcp(host(20), host(1), 443);
    let mut framed = answer(dhcp::ACK, 20, 3);
    (framed.asked, framed.frame_mac) = (Asked::No, at(ROGUE));
    lab.dhcp(framed);
    assert!(lab.finds(host(20)).role.is_victim());
}

#[test]
fn relay_agents_are_as_they_should_be() {
    let mut lab = Lab::new("rogue_dhcp", as_it_is);
    lab.lease(1, 1);
    // The same server by relay agents of other networks: another Ethernet address, and other addresses.
    for net in 2..6 {
        let mut relayed = answer(dhcp::ACK, 1, u32::from(net));
        relayed.relay = Ipv4Addr::new(10, 77, net, 254);
        relayed.yours = Ipv4Addr::new(10, 77, net, 9);
        relayed.frame_mac = at(net);
        lab.dhcp(relayed);
    }
    // And what is renewed past a router.
    let mut renewed = answer(dhcp::ACK, 1, 20);
    renewed.client = v4(200);
    renewed.frame_mac = at(254);
    lab.dhcp(renewed);
    lab.is_quiet("one server");
}

fn ask(client: Mac, frame: Mac) -> DhcpFacts {
    DhcpFacts {
        reply: false,
        client_mac: client,
        frame_mac: frame,
        server: None,
        yours: Ipv4Addr::UNSPECIFIED,
        routers: Vec::new(),
        asked: Asked::Unknown,
        ..answer(dhcp::DISCOVER, 1, 5)
    }
}

#[test]
fn using_up_addresses_is_many_clients_that_never_asked_before() {
    let set = |detect: &mut Detect| {
        set_to(detect, "dhcp_starvation_clients", 60_u32);
        set_to(detect, "dhcp_starvation_from_one", 10_u32);
        set_to(detect, "dhcp_starvation_within", Span::from_secs(60));
    };
    let mut lab = Lab::new("dhcp_starvation", set);
    lab.lease(1, 1);
    for number in 0..59 {
        lab.dhcp(ask(at(number), at(number)));
    }
    lab.is_quiet("59 clients");
    lab.dhcp(ask(at(59), at(59)));
    assert!(
        lab.finds(host(1)).role.is_victim(),
        "the server's addresses"
    );
    // All of these come again after a loss of power.
    lab.wait(7_200);
    for number in 0..60 {
        lab.dhcp(ask(at(number), at(number)));
    }
    lab.is_quiet("they are known");
    for number in 100..110 {
        lab.is_quiet("not yet");
        lab.dhcp(ask(at(number), at(ROGUE)));
    }
    assert!(lab.finds(host(1)).evidence.contains("02:00:00:00:00:42"));
    let mut lab = Lab::new("dhcp_starvation", set);
    for number in 0..50 {
        let mut relayed = ask(at(number), at(254));
        relayed.relay = v4(254);
        lab.dhcp(relayed);
    }
    lab.is_quiet("a relay agent asks for many");
}

/// A server that is starved asks by ARP for each address before it offers it: it is the victim, not one who sweeps.
#[test]
fn a_dhcp_server_that_tries_addresses_out_is_no_sweeper() {
    let ask_for_many = |lab: &mut Lab, from: u8, serves: bool| {
        for number in 100..140 {
            if serves {
                lab.lease(from, u32::from(number));
            }
            let arp = ArpFacts {
                request: true,
                sender_mac: at(from),
                sender: v4(from),
                target: v4(number),
                target_mac: [0; 6],
                frame_mac: at(from),
                count: 1,
            };
            let end = |address: Ipv4Addr| SocketAddr::new(address.into(), 0);
            let ends = (end(v4(from)), end(v4(number)));
            lab.see(ends.0, ends.1, 0, What::Arp(Box::new(arp)));
            lab.wait(1);
        }
        lab.wait(5);
        lab.tcp(host(1), host(2), 443);
    };
    let mut lab = Lab::new("sweep", as_it_is);
    ask_for_many(&mut lab, 1, true);
    lab.is_quiet("the server");
    ask_for_many(&mut lab, ROGUE, false);
    lab.finds(host(ROGUE));
}
