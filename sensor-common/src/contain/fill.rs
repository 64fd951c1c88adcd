//! What the keys of the look-ups are filled with: addresses and ports of a packet.

use super::answer::End;
use crate::{
    cpu::Cpu,
    packet::{Packet, Reach},
    rule::{HostKey, KIND_MAC, NetKey},
};

/// Sets the key of the host at `end`, or of its service there.
#[inline(always)]
pub(super) fn host_key(cpu: &mut Cpu, end: End, service: bool) {
    let (packet, key) = (&cpu.packet, &mut cpu.keys.host);
    key.address = address(packet, end);
    key.kind = packet.family;
    if service {
        key.port = port(packet, end);
        key.protocol = packet.protocol;
    } else {
        key.port = [0; 2];
        key.protocol = 0;
    }
}

/// Sets the key of the Ethernet address at `end`.
#[inline(always)]
pub(super) fn mac_key(cpu: &mut Cpu, end: End) {
    let [m0, m1, m2, m3, m4, m5] = if end == End::Source {
        cpu.packet.macs.source()
    } else {
        cpu.packet.macs.destination()
    };
    cpu.keys.host = HostKey {
        address: [m0, m1, m2, m3, m4, m5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        port: [0; 2],
        protocol: 0,
        kind: KIND_MAC,
    };
}

/// Sets the key of the subnets around the address at `end`.
#[inline(always)]
pub(super) fn net_key(cpu: &mut Cpu, end: End) {
    cpu.keys.net = NetKey {
        family: cpu.packet.family,
        address: address(&cpu.packet, end),
        pad: [0; 3],
    };
}

/// Sets the key of both addresses in order; with the service of the packet's end `service`, or without any.
#[inline(always)]
pub(super) fn pair_key(cpu: &mut Cpu, service: Option<End>) {
    let (packet, key) = (&cpu.packet, &mut cpu.keys.pair);
    packet.write_key(key);
    // A packet without ports has its addresses as they come, not in order.
    if packet.reach < Reach::Key as u8 {
        key.family = packet.family;
        if u128::from_be_bytes(key.addr_a) > u128::from_be_bytes(key.addr_b) {
            (key.addr_a, key.addr_b) = (key.addr_b, key.addr_a);
        }
    }
    let keeps_b = match service {
        None => {
            key.port_a = [0; 2];
            key.port_b = [0; 2];
            key.protocol = 0;
            return;
        }
        Some(End::Source) => packet.direction & 1 == 1,
        Some(End::Destination) => packet.direction & 1 == 0,
    };
    if keeps_b {
        key.port_a = [0; 2];
    } else {
        key.port_b = [0; 2];
    }
}

/// Sets the key of a clinical peer at the end `peer`; the service is the device's if it `serves`.
#[inline(always)]
pub(super) fn clinical_key(cpu: &mut Cpu, rule: u64, peer: End, serves: bool) {
    let (packet, key) = (&cpu.packet, &mut cpu.keys.clinical);
    let device = if peer == End::Source {
        End::Destination
    } else {
        End::Source
    };
    key.rule = rule;
    key.peer = address(packet, peer);
    key.port = port(packet, if serves { device } else { peer });
    key.protocol = packet.protocol;
    key.family = packet.family;
    key.serves = u8::from(serves);
    key.pad = [0; 3];
}

/// The packet's address at `end`, in 16 bytes.
#[inline(always)]
fn address(packet: &Packet, end: End) -> [u8; 16] {
    let b = (packet.direction & 1 == 1) == (end == End::Source);
    if packet.family == 4 {
        let address = if b {
            packet.key4.addr_b
        } else {
            packet.key4.addr_a
        };
        // As a number, so that it is stored by words.
        u128::from(u32::from_le_bytes(address)).to_le_bytes()
    } else if b {
        packet.key6.addr_b
    } else {
        packet.key6.addr_a
    }
}

#[inline(always)]
const fn port(packet: &Packet, end: End) -> [u8; 2] {
    if matches!(end, End::Source) {
        packet.source_port().to_be_bytes()
    } else {
        packet.destination_port().to_be_bytes()
    }
}
