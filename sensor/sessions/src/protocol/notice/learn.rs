//! What the inventory and the detectors learn from notices.

use std::net::IpAddr;

use sensor_facts::{
    observation::{ArpFacts, NeighbourFacts, What, is_host},
    time::Time,
};

use super::{
    dhcp::Dhcp,
    read::{Notice, Way},
};
use crate::inventory::{activity::Activity, hosts::Inventory};

/// Takes what is said on `way`; gives what the detectors should know, with who did it to whom.
pub(crate) fn learn(
    inventory: &mut Inventory,
    notice: Notice,
    way: Way,
    now: Time,
) -> Option<(Way, What)> {
    let between = |from: IpAddr, to: IpAddr| Way { from, to };
    Some(match notice {
        Notice::Arp(message) => {
            arp(inventory, &message, now);
            let ends = between(message.sender.into(), message.target.into());
            (ends, What::Arp(Box::new(message)))
        }
        Notice::Dhcp(mut message) => {
            dhcp(inventory, &mut message, way.from, now);
            (way, What::Dhcp(Box::new(message.facts)))
        }
        Notice::Neighbour(facts) => {
            neighbour(inventory, &facts, now);
            let ends = between(facts.source.into(), facts.target.into());
            (ends, What::Neighbour(Box::new(facts)))
        }
        Notice::Router(facts) => (way, What::RouterAdvertisement(Box::new(facts))),
        // A host may only name itself.
        Notice::Name(name, address) if address == way.from => {
            named(inventory, address, &name, now);
            return None;
        }
        Notice::Name(..) => return None,
    })
}

/// Takes ARP: a sender is there, and where.
fn arp(inventory: &mut Inventory, arp: &ArpFacts, now: Time) {
    let address = IpAddr::V4(arp.sender);
    // A probe claims nothing (RFC 5227 section 2.1.1), and a forged sender is no host's.
    if !is_host(address) || arp.sender_mac != arp.frame_mac {
        return;
    }
    let routed = inventory.macs.is_shared(arp.sender_mac);
    inventory.macs.owns(arp.sender_mac, address);
    inventory.follow(arp.sender_mac, address, now);
    let host = inventory.host(address, false, now);
    host.seen(now, now);
    host.mac(arp.sender_mac);
    // Only a router claims an address of its own by the Ethernet address of many.
    if routed {
        let peer = arp.target.into();
        host.activities.add(Activity::Routes, peer, None, now);
    }
}

/// Takes DHCP: names, and who is given which address.
fn dhcp(inventory: &mut Inventory, dhcp: &mut Dhcp, sender: IpAddr, now: Time) {
    let belief = inventory.leases.take(&mut dhcp.facts, sender, now);
    let known = inventory.macs.of(dhcp.facts.client_mac);
    inventory.stations.dhcp(dhcp, known, belief, now);
}

/// Takes a claim of neighbour discovery: who says to have an address is there.
fn neighbour(inventory: &mut Inventory, facts: &NeighbourFacts, now: Time) {
    let Some((address, mac)) = facts.claim() else {
        return;
    };
    let address = IpAddr::V6(address);
    if !is_host(address) || mac != facts.frame_mac {
        return;
    }
    inventory.macs.owns(mac, address);
    let host = inventory.host(address, false, now);
    host.seen(now, now);
    host.mac(mac);
}

/// Takes the name that a host gives itself.
fn named(inventory: &mut Inventory, address: IpAddr, name: &str, now: Time) {
    if is_host(address) && !name.is_empty() {
        let host = inventory.host(address, false, now);
        host.seen(now, now);
        host.name(name);
    }
}
