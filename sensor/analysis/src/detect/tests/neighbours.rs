//! Forged IPv6 neighbours and routers.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use sensor_facts::observation::{Mac, NeighbourFacts, Prefix, RouterFacts, What};

use super::{Lab, as_it_is, host, set_to};

const ROGUE: u8 = 66;

fn at(number: u8) -> Mac {
    [2, 0, 0, 0, 0, number]
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
    // A proxy answers beside the one who has the address, and replaces nothing (RFC 4861 section 7.2.8).
    lab.neighbour(solicitation(v6(2), 2, 3));
    lab.neighbour(advertisement(3, 3, v6(2), true));
    let mut proxy = advertisement(3, 30, v6(2), true);
    proxy.replaces = false;
    lab.neighbour(proxy);
    lab.is_quiet("all of it is usual");
}

#[test]
fn who_answers_in_the_place_of_another_is_named_by_its_own_questions() {
    let mut lab = Lab::new("nd_spoof", as_it_is);
    // Each tries its address out before it uses it, as Linux does.
    for (address, mac) in [(3, 3), (2, 2), (0x66, ROGUE)] {
        lab.neighbour(solicitation(Ipv6Addr::UNSPECIFIED, mac, address));
    }
    lab.wait(60);
    lab.neighbour(solicitation(v6(2), 2, 3));
    lab.neighbour(advertisement(3, 3, v6(2), true));
    lab.is_quiet("the right answer");
    // parasite6 answers all questions.
    lab.neighbour(advertisement(3, ROGUE, v6(2), true));
    let finding = lab.finds(IpAddr::V6(v6(0x66)));
    assert_eq!(finding.victims.first(), Some(&IpAddr::V6(v6(3))));
    assert!(
        finding.evidence.contains("by its own neighbour discovery"),
        "{}",
        finding.evidence
    );
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
        set_to(detect, "nd_spoof_refused", 3_u32);
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

/// An advertisement of the router `host` whose prefix `2001:db8:…::/64` has this number.
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

#[test]
fn a_flood_of_routers_is_one_finding_that_accuses_none() {
    let mut lab = Lab::new("rogue_ra", |detect| {
        set_to(detect, "rogue_ra_routers", 8_u32);
    });
    for number in 0..100 {
        lab.router(router(100 + number, u16::from(number)));
    }
    let found = lab.found();
    let many = found
        .iter()
        .filter(|one| one.evidence.contains("forged sources"));
    assert!(many.clone().all(|one| one.role.is_victim()) && many.count() > 0);
    assert!(found.len() < 16, "{}", found.len());
}
