//! What the inventory and the detectors learn from notices.

use std::net::IpAddr;

use sensor_facts::{
    observation::{ArpFacts, What, is_host},
    time::Time,
};

use super::{dhcp::Dhcp, read::Notice};
use crate::inventory::{activity::Activity, hosts::Inventory};

/// Takes what the host at `sender` says; gives what the detectors should know, with who did it to whom.
pub(crate) fn learn(
    inventory: &mut Inventory,
    notice: Notice,
    sender: IpAddr,
    now: Time,
) -> Option<(IpAddr, IpAddr, What)> {
    match notice {
        Notice::Arp(message) => {
            arp(inventory, &message, now);
            let (client, server) = (message.sender.into(), message.target.into());
            return Some((client, server, What::Arp(Box::new(message))));
        }
        Notice::Dhcp(message) => dhcp(inventory, &message, now),
        // A host may only name itself.
        Notice::Name(name, address) if address == sender => named(inventory, address, &name, now),
        Notice::Name(..) => {}
    }
    None
}

/// Takes ARP: a sender is there, and where.
fn arp(inventory: &mut Inventory, arp: &ArpFacts, now: Time) {
    let address = IpAddr::V4(arp.sender);
    // A probe claims nothing (RFC 5227 section 2.1.1), and a forged sender is no host's.
    if !is_host(address) || arp.sender_mac != arp.frame_mac {
        return;
    }
    let routed = inventory.macs.is_shared(arp.sender_mac);
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
fn dhcp(inventory: &mut Inventory, dhcp: &Dhcp, now: Time) {
    let known = inventory.macs.of(dhcp.mac);
    inventory.stations.dhcp(dhcp, known, now);
}

/// Takes the name that a host gives itinventory.
fn named(inventory: &mut Inventory, address: IpAddr, name: &str, now: Time) {
    if is_host(address) && !name.is_empty() {
        let host = inventory.host(address, false, now);
        host.seen(now, now);
        host.name(name);
    }
}
