//! False DHCP servers, IPv6 routers and neighbours, and who is a router.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use sensor_common::packet::protocol;
use sensor_facts::{
    infrastructure::dhcp,
    observation::{ArpFacts, Asked, DhcpFacts, Mac, NeighbourFacts, Prefix, RouterFacts, What},
    setting::Span,
};

use super::{Lab, as_it_is, host, outside, set_to};
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

fn v6(host: u16) -> Ipv6Addr {
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, host)
}

/// A neighbour advertisement of `address` from an Ethernet address to `to`.
fn advertisement(address: u16, mac: u8, to: Ipv6Addr, solicited: bool) -> NeighbourFacts {
    NeighbourFacts {
        solicitation: false,
        solicited,
        replaces: true,
        source: v6(address),
        destination: to,
        target: v6(address),
        link: Some(at(mac)),
        frame_mac: at(mac),
    }
}

fn solicitation(from: Ipv6Addr, mac: u8, target: u16) -> NeighbourFacts {
    NeighbourFacts {
        solicitation: true,
        solicited: false,
        replaces: false,
        source: from,
        destination: Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00, target),
        target: v6(target),
        link: (!from.is_unspecified()).then_some(at(mac)),
        frame_mac: at(mac),
    }
}

impl Lab {
    fn neighbour(&mut self, facts: NeighbourFacts) {
        let ends = (facts.source, facts.target);
        let end = |address: Ipv6Addr| SocketAddr::new(address.into(), 0);
        self.see(
            end(ends.0),
            end(ends.1),
            0,
            What::Neighbour(Box::new(facts)),
        );
        self.wait(1);
    }

    fn router(&mut self, facts: RouterFacts) {
        let end = |address: Ipv6Addr| SocketAddr::new(address.into(), 0);
        let to = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
        self.see(
            end(facts.source),
            end(to),
            0,
            What::RouterAdvertisement(Box::new(facts)),
        );
    }
}

#[test]
fn neighbours_that_ask_answer_and_move_are_as_they_should_be() {
    let mut lab = Lab::new("nd_spoof", as_it_is);
    for round in 0..5 {
        for number in 1..20 {
            lab.neighbour(solicitation(
                Ipv6Addr::UNSPECIFIED,
                number,
                u16::from(number),
            ));
            lab.neighbour(advertisement(number.into(), number, v6(0xffff), false));
            lab.neighbour(solicitation(v6(number.into()), number, 1));
            lab.neighbour(advertisement(1, 1, v6(number.into()), true));
        }
        lab.wait(600 * round);
    }
    // A device was replaced: the other is not seen any more.
    lab.wait(3_600);
    lab.neighbour(advertisement(9, 90, v6(0xffff), false));
    lab.neighbour(advertisement(9, 90, v6(0xffff), false));
    // Two answers to one question may be of a proxy: it takes more to say so.
    lab.neighbour(solicitation(v6(2), 2, 3));
    lab.neighbour(advertisement(3, 3, v6(2), true));
    lab.neighbour(advertisement(3, 30, v6(2), true));
    lab.is_quiet("all of it is usual");
}

#[test]
fn an_ipv6_address_at_two_ethernet_addresses_in_turn_is_spoofed() {
    let mut lab = Lab::new("nd_spoof", as_it_is);
    for mac in [9, ROGUE, 9] {
        lab.neighbour(solicitation(v6(2), 2, 9));
        lab.is_quiet("not yet");
        lab.neighbour(advertisement(9, mac, v6(2), true));
    }
    let finding = lab.finds(IpAddr::V6(v6(9)));
    assert!(finding.role.is_victim() && finding.technique == "T1557");
    for mac in ["02:00:00:00:00:42", "02:00:00:00:00:09"] {
        assert!(finding.evidence.contains(mac), "{}", finding.evidence);
    }
    // By the source of solicitations, too.
    let mut lab = Lab::new("nd_spoof", as_it_is);
    for mac in [9, ROGUE, 9] {
        lab.neighbour(solicitation(v6(9), mac, 2));
    }
    lab.finds(IpAddr::V6(v6(9)));
}

#[test]
fn an_address_that_is_taken_from_another_unasked_is_spoofed() {
    for solicited in [false, true] {
        let mut lab = Lab::new("nd_spoof", as_it_is);
        lab.neighbour(solicitation(v6(9), 9, 2));
        lab.is_quiet("it is its own");
        let mut forged = advertisement(9, ROGUE, v6(2), solicited);
        // From a third Ethernet address, and from an address of nobody.
        (forged.frame_mac, forged.source) = (at(67), v6(0x777));
        lab.neighbour(forged);
        let finding = lab.finds(IpAddr::V6(v6(9)));
        assert!(finding.role.is_victim());
        assert!(
            finding.evidence.contains("02:00:00:00:00:43"),
            "{}",
            finding.evidence
        );
    }
}

#[test]
fn who_refuses_every_address_that_others_try_is_found() {
    let mut lab = Lab::new("nd_spoof", |detect| {
        set_to(detect, "nd_spoof_refused", 3_u32)
    });
    for number in 1..=3 {
        lab.is_quiet("two may be a copied device");
        lab.neighbour(solicitation(
            Ipv6Addr::UNSPECIFIED,
            number,
            u16::from(number),
        ));
        lab.neighbour(advertisement(number.into(), ROGUE, v6(0xffff), false));
    }
    let finding = lab.finds(IpAddr::V6(v6(3)));
    assert!(
        finding
            .evidence
            .contains("02:00:00:00:00:42 said of 3 addresses")
    );
}

/// An advertisement of the router `host` with the prefix 2001:db8:`prefix`::/64.
fn router(host: u8, prefix: u16) -> RouterFacts {
    RouterFacts {
        source: v6(host.into()),
        hop_limit: 64,
        flags: 0,
        lifetime: 1_800,
        link: Some(at(host)),
        prefixes: vec![Prefix {
            address: Ipv6Addr::new(0x2001, 0xdb8, prefix, 0, 0, 0, 0, 0),
            length: 64,
            valid: 86_400,
        }],
        name_servers: Vec::new(),
        frame_mac: at(host),
    }
}

#[test]
fn routers_of_the_learning_time_are_no_attack() {
    let mut lab = Lab::new("rogue_ra", as_it_is);
    lab.router(router(1, 7));
    let first = lab.finds(IpAddr::V6(v6(1)));
    assert!(first.confidence < 0.5, "a hint, until it is known");
    // Its spare announces the same network.
    lab.router(router(2, 7));
    assert!(lab.finds(IpAddr::V6(v6(2))).confidence < 0.5);
    for day in 0..super::LEARNT {
        lab.at(day, 9);
        lab.router(router(1, 7));
        lab.router(router(2, 7));
    }
    lab.at(super::LEARNT, 10);
    lab.router(router(1, 7));
    lab.router(router(2, 7));
    lab.is_quiet("they are known");
    lab.router(router(ROGUE, 7));
    let finding = lab.finds(IpAddr::V6(v6(ROGUE.into())));
    assert!(finding.confidence >= 0.8 && !finding.role.is_victim());
    for part in ["02:00:00:00:00:42", "1800 s", "2001:db8:7::/64"] {
        assert!(finding.evidence.contains(part), "{}", finding.evidence);
    }
}

#[test]
fn a_router_that_says_otherwise_than_the_others_is_found_at_once() {
    let other_prefix = router(ROGUE, 8);
    let mut other_dns = router(ROGUE, 7);
    other_dns.name_servers = vec![v6(ROGUE.into())];
    let mut before_all = router(ROGUE, 7);
    before_all.flags = 0x08;
    for rogue in [other_prefix, other_dns, before_all] {
        let mut lab = Lab::new("rogue_ra", as_it_is);
        lab.router(router(1, 7));
        lab.found();
        lab.router(rogue);
        assert!(lab.finds(IpAddr::V6(v6(ROGUE.into()))).confidence >= 0.5);
    }
    // The first of all, where there was none for half an hour.
    let mut lab = Lab::new("rogue_ra", as_it_is);
    lab.tcp(host(1), host(2), 443);
    lab.wait(1_801);
    lab.router(router(ROGUE, 8));
    assert!(lab.finds(IpAddr::V6(v6(ROGUE.into()))).confidence >= 0.5);
}

#[test]
fn who_advertises_in_the_name_of_a_router_makes_it_a_victim() {
    for lifetime in [0, 1_800] {
        let mut lab = Lab::new("rogue_ra", as_it_is);
        lab.router(router(1, 7));
        lab.found();
        let mut forged = router(1, 7);
        (forged.frame_mac, forged.lifetime) = (at(ROGUE), lifetime);
        lab.router(forged);
        let finding = lab.finds(IpAddr::V6(v6(1)));
        assert!(finding.role.is_victim(), "the router did nothing");
        for mac in ["02:00:00:00:00:42", "02:00:00:00:00:01"] {
            assert!(finding.evidence.contains(mac), "{}", finding.evidence);
        }
    }
}

/// Someone searches by ARP for hosts that are not there.
fn search(lab: &mut Lab) {
    for number in 100..140 {
        arp(lab, true, ROGUE, ROGUE, number);
        lab.wait(1);
    }
    lab.wait(3);
    arp(lab, true, ROGUE, ROGUE, 10);
}

fn arp(lab: &mut Lab, request: bool, mac: u8, sender: u8, target: u8) {
    let what = What::Arp(Box::new(ArpFacts {
        request,
        sender_mac: at(mac),
        sender: v4(sender),
        target: v4(target),
        target_mac: [0; 6],
        frame_mac: at(mac),
        count: 1,
    }));
    let end = |host: u8| SocketAddr::new(v4(host).into(), 0);
    lab.see(end(sender), end(target), 0, what);
}

#[test]
fn packets_with_made_up_sources_make_no_router() {
    let mut plain = Lab::new("sweep", as_it_is);
    search(&mut plain);
    let expected = plain.finds(host(ROGUE));
    assert!(
        expected.evidence.contains("02:00:00:00:00:42"),
        "{}",
        expected.evidence
    );
    type Trick = fn(&mut Lab);
    let tricks: [(&str, Trick); 4] = [
        ("datagrams, whether answered or not", |lab| {
            for number in 0..100 {
                lab.sender = Some(at(ROGUE));
                lab.flow(protocol::UDP, outside(number), (host(1), 53), |_| {});
                lab.wait(3);
            }
        }),
        ("connections that nobody completed", |lab| {
            for number in 0..100 {
                lab.sender = Some(at(ROGUE));
                lab.flow(protocol::TCP, outside(number), (host(1), 443), |facts| {
                    facts.to_client.payload = 0;
                });
                lab.wait(3);
            }
        }),
        ("whole connections, all at once", |lab| {
            for number in 0..4 {
                lab.sender = Some(at(ROGUE));
                lab.flow(protocol::TCP, outside(number), (host(1), 443), |_| {});
            }
        }),
        ("addresses that are his", |lab| {
            for number in 200..220 {
                arp(lab, true, ROGUE, number, 1);
                lab.sender = Some(at(ROGUE));
                lab.flow(protocol::TCP, host(number), (host(1), 443), |_| {});
                lab.wait(10);
            }
        }),
    ];
    for (name, trick) in tricks {
        let mut lab = Lab::new("sweep", as_it_is);
        trick(&mut lab);
        search(&mut lab);
        let finding = lab.finds(host(ROGUE));
        assert!(
            (finding.confidence - expected.confidence).abs() < 1e-9,
            "{name}: {finding:?}"
        );
    }
    // A router, which others search through.
    let mut lab = Lab::new("sweep", as_it_is);
    for number in 0..20 {
        let client = IpAddr::from([10, 77, 2 + number % 3, number]);
        lab.sender = Some(at(ROGUE));
        lab.flow(protocol::TCP, client, (host(1), 443), |_| {});
        lab.wait(10);
    }
    search(&mut lab);
    assert!(lab.finds(host(ROGUE)).confidence < 0.5);
}
