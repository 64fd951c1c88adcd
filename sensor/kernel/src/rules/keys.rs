//! From targets to the keys that packets are looked up by.

use std::net::IpAddr;

use ipnet::IpNet;
use pnet::util::MacAddr;
use sensor_common::{
    key::FlowKey,
    rule::{ClinicalKey, HostKey, KIND_MAC, NetKey, tables},
};
use sensor_facts::target::{ClinicalPeer, Protected, Service, Target};

/// A key in one of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum TableKey {
    /// A host or a service of it.
    Host(HostKey),
    /// Two hosts, with ports or without.
    Pair(FlowKey),
    /// A subnet: length of the key's prefix in bits, and the key.
    Net(u32, NetKey),
}

impl TableKey {
    /// Of a target in canonical form.
    pub(super) fn of(target: &Target) -> Self {
        match *target {
            Target::Flow { transport, a, b } => Self::Pair(pair(
                (a.ip(), a.port()),
                (b.ip(), b.port()),
                transport.number(),
            )),
            Target::Pair { a, b, service } => {
                let (port, protocol) =
                    service.map_or((0, 0), |service| (service.port, service.transport.number()));
                Self::Pair(pair((a, 0), (b, port), protocol))
            }
            Target::Service { address, service } => Self::Host(host(address, Some(service))),
            Target::Device { address } => Self::Host(host(address, None)),
            Target::Mac { mac } => Self::Host(ethernet(mac)),
            Target::Subnet { subnet } => net(subnet),
        }
    }

    /// Of an entry of the never-block list.
    pub(super) fn of_protected(what: &Protected) -> Self {
        match *what {
            Protected::Device { address } => Self::Host(host(address, None)),
            Protected::Mac { mac } => Self::Host(ethernet(mac)),
            Protected::Subnet { subnet } => net(subnet),
        }
    }

    /// The bit of the rules that it belongs to.
    pub(super) const fn table(&self) -> u32 {
        match self {
            Self::Host(key) if key.kind == KIND_MAC => tables::MACS,
            Self::Host(key) if key.protocol != 0 => tables::SERVICES,
            Self::Host(_) => tables::DEVICES,
            Self::Pair(key) if key.protocol == 0 => tables::PAIRS,
            Self::Pair(key) if is_zero(key.port_a) || is_zero(key.port_b) => tables::PAIR_SERVICES,
            Self::Pair(_) => tables::FLOWS,
            Self::Net(..) => tables::NETS,
        }
    }

    /// The bit of the never-block list that it belongs to.
    pub(super) const fn protected_table(&self) -> u32 {
        match self {
            Self::Host(key) if key.kind == KIND_MAC => tables::PROTECTED_MACS,
            Self::Host(_) | Self::Pair(_) => tables::PROTECTED_HOSTS,
            Self::Net(..) => tables::PROTECTED_NETS,
        }
    }
}

const fn is_zero(port: [u8; 2]) -> bool {
    port[0] == 0 && port[1] == 0
}

/// A peer that rule `rule` lets through.
pub(super) fn clinical(rule: u64, peer: &ClinicalPeer) -> ClinicalKey {
    let (family, address) = bytes(peer.peer);
    ClinicalKey {
        rule,
        peer: address,
        port: peer.service.port.to_be_bytes(),
        protocol: peer.service.transport.number(),
        family,
        serves: u8::from(peer.serves),
        pad: [0; 3],
    }
}

/// The family, and the address with zero bytes after it.
fn bytes(address: IpAddr) -> (u8, [u8; 16]) {
    match address {
        IpAddr::V4(address) => {
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&address.octets());
            (4, bytes)
        }
        IpAddr::V6(address) => (6, address.octets()),
    }
}

fn host(address: IpAddr, service: Option<Service>) -> HostKey {
    let (kind, address) = bytes(address);
    HostKey {
        address,
        port: service.map_or(0, |service| service.port).to_be_bytes(),
        protocol: service.map_or(0, |service| service.transport.number()),
        kind,
    }
}

fn ethernet(mac: MacAddr) -> HostKey {
    let mut address = [0; 16];
    address[..6].copy_from_slice(&<[u8; 6]>::from(mac));
    HostKey {
        address,
        port: [0; 2],
        protocol: 0,
        kind: KIND_MAC,
    }
}

fn net(subnet: IpNet) -> TableKey {
    let (family, address) = bytes(subnet.network());
    TableKey::Net(
        NetKey::prefix(subnet.prefix_len()),
        NetKey {
            family,
            address,
            pad: [0; 3],
        },
    )
}

/// Ends in the order of flow keys: by address, then by port, as big-endian bytes.
fn pair(a: (IpAddr, u16), b: (IpAddr, u16), protocol: u8) -> FlowKey {
    let end = |(address, port): (IpAddr, u16)| (bytes(address), port);
    let (mut a, mut b) = (end(a), end(b));
    if (a.0.1, a.1) > (b.0.1, b.1) {
        std::mem::swap(&mut a, &mut b);
    }
    FlowKey {
        addr_a: a.0.1,
        addr_b: b.0.1,
        port_a: a.1.to_be_bytes(),
        port_b: b.1.to_be_bytes(),
        protocol,
        family: a.0.0,
        pad: [0; 2],
    }
}
