//! Forged Ethernet sources and redirects.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use sensor_common::packet::protocol;
use sensor_facts::observation::Half;

use super::{Lab, as_it_is, host, set_to};

/// Nothing is said back.
fn unanswered(lab: &mut Lab, client: u8) {
    lab.flow(protocol::UDP, host(client), (host(1), 9), |facts| {
        facts.to_client = Half::default();
    });
}

#[test]
fn very_many_new_ethernet_addresses_are_forged() {
    let set = |detect: &mut _| set_to(detect, "mac_flood_addresses", 100_u32);
    let mut lab = Lab::learnt("mac_flood", set, |lab| {
        (10..=200).for_each(|client| lab.tcp(host(client), host(1), 443));
    });
    (10..=200).for_each(|client| unanswered(&mut lab, client));
    for new in 0..=99 {
        lab.sender = Some([2, 7, 7, 7, 7, new]);
        lab.tcp(host(5), host(1), 443);
    }
    lab.is_quiet("known ones, and new ones that get answers");
    for new in 0..=99 {
        lab.is_quiet("not yet");
        lab.sender = Some([2, 8, 8, 8, 8, new]);
        unanswered(&mut lab, 5);
    }
    let finding = lab.finds(IpAddr::V4(Ipv4Addr::BROADCAST));
    assert!(finding.role.is_victim() && finding.evidence.contains("forged"));
}

/// A redirect to a host in the name of a router.
fn redirect(lab: &mut Lab, router: IpAddr, kind: u16, number: u8, to: u8) {
    lab.flow(number, router, (host(to), 0), |facts| {
        facts.icmp_type = Some(kind);
        facts.to_client = Half::default();
    });
}

#[test]
fn redirects_come_from_routers() {
    let routine = |lab: &mut Lab| redirect(lab, host(1), 5, protocol::ICMP, 20);
    let mut lab = Lab::learnt("redirect", as_it_is, routine);
    redirect(&mut lab, host(1), 5, protocol::ICMP, 21);
    redirect(&mut lab, host(66), 3, protocol::ICMP, 21);
    lab.is_quiet("a router that always did, and another message");
    lab.tcp(host(66), host(3), 443);
    lab.sender = Some(super::mac(host(66)));
    redirect(&mut lab, host(1), 5, protocol::ICMP, 22);
    let finding = lab.finds(host(66));
    assert_eq!(finding.victims, [host(1), host(22)]);
}

#[test]
fn a_redirect_from_an_address_that_no_router_redirects_from_accuses_nobody() {
    let mut lab = Lab::learnt("redirect", as_it_is, |lab| lab.tcp(host(9), host(1), 443));
    let router = IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1));
    redirect(&mut lab, router, 137, protocol::ICMP6, 20);
    let finding = lab.finds(host(20));
    assert!(finding.role.is_victim(), "{}", finding.evidence);
}
