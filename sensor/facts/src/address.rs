//! The addresses of a conversation, and how connections are named.

use std::{
    borrow::Cow,
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

use sensor_common::{
    flow::{self, Flow},
    key::FlowKey,
    packet::protocol,
};

/// The endpoints of a conversation, the side that opened it first, and what names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// [`flow_id`].
    pub flow_id: u64,
    /// The side that opened it.
    pub src_ip: IpAddr,
    /// Its port; none where the protocol has none (ICMP, fragments).
    pub src_port: Option<u16>,
    /// The other side.
    pub dest_ip: IpAddr,
    /// Its port.
    pub dest_port: Option<u16>,
    /// IP protocol number.
    pub protocol: u8,
    /// True if endpoint B of the key opened it.
    pub initiator_b: bool,
    /// Interface of the first packet.
    pub in_iface: Option<Arc<str>>,
    /// VLAN ids of the first packet.
    pub vlan: Vec<u16>,
    /// Ethernet addresses that packets of source and destination come from, zero where unknown.
    pub macs: [[u8; 6]; 2],
    // Type and code as the key holds them.
    icmp: Option<(u16, u16)>,
    fragments: bool,
}

/// The addresses of endpoints A and B.
#[must_use]
pub fn addresses(key: &FlowKey) -> (IpAddr, IpAddr) {
    (
        address(&key.addr_a, key.family),
        address(&key.addr_b, key.family),
    )
}

fn address(bytes: &[u8; 16], family: u8) -> IpAddr {
    let [a, b, c, d, ..] = *bytes;
    if family == 4 {
        IpAddr::from([a, b, c, d])
    } else {
        IpAddr::V6(Ipv6Addr::from(*bytes))
    }
}

impl Conversation {
    /// The conversation of `key` that began at `start`.
    #[must_use]
    pub fn new(key: &FlowKey, start: u64, initiator_b: bool) -> Self {
        let (a, b) = addresses(key);
        let ports = (
            u16::from_be_bytes(key.port_a),
            u16::from_be_bytes(key.port_b),
        );
        let (src_ip, dest_ip) = if initiator_b { (b, a) } else { (a, b) };
        let (src, dest) = if initiator_b {
            (ports.1, ports.0)
        } else {
            ports
        };
        let has_ports = matches!(key.protocol, protocol::TCP | protocol::UDP | protocol::SCTP)
            && ports != (0, 0);
        let is_icmp = matches!(key.protocol, protocol::ICMP | protocol::ICMP6);
        Self {
            flow_id: flow_id(key, start),
            src_ip,
            src_port: has_ports.then_some(src),
            dest_ip,
            dest_port: has_ports.then_some(dest),
            protocol: key.protocol,
            initiator_b,
            in_iface: None,
            vlan: Vec::new(),
            macs: [[0; 6]; 2],
            icmp: is_icmp.then_some((src, dest)),
            fragments: false,
        }
    }

    /// The conversation of a flow entry.
    #[must_use]
    pub fn of_flow(key: &FlowKey, flow: &Flow) -> Self {
        let mut this = Self::new(key, flow.start, flow.flags & flow::INITIATOR_B != 0);
        this.vlan = flow.vlan_ids().collect();
        this.fragments = flow.flags & flow::FRAGMENTS != 0;
        this.macs = flow.client_and_server_macs().into();
        this
    }

    /// The other side opened it, as better evidence shows.
    pub fn turn(&mut self) {
        self.macs.reverse();
        std::mem::swap(&mut self.src_ip, &mut self.dest_ip);
        std::mem::swap(&mut self.src_port, &mut self.dest_port);
        self.initiator_b = !self.initiator_b;
    }

    /// The protocol's name as events have it.
    #[must_use]
    pub fn proto(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self.protocol {
            protocol::TCP => "TCP",
            protocol::UDP => "UDP",
            protocol::ICMP => "ICMP",
            protocol::ICMP6 => "IPv6-ICMP",
            protocol::SCTP => "SCTP",
            protocol::GRE => "GRE",
            other => return Cow::Owned(other.to_string()),
        })
    }

    /// ICMP type and code of the flow's first packet; of a query the code is always 0 and left out.
    #[must_use]
    pub fn icmp(&self) -> Option<(u16, u16)> {
        self.icmp
    }

    /// Community ID version 1 with seed 0; none for fragments without ports.
    #[must_use]
    pub fn community_id(&self) -> Option<String> {
        if self.fragments {
            return None;
        }
        let ports = self.src_port.zip(self.dest_port).or(self.icmp);
        community_id(self.src_ip, self.dest_ip, ports, self.protocol)
    }
}

/// Community ID version 1 with seed 0 (<https://github.com/corelight/community-id-spec>).
///
/// `ports` are source and destination; for ICMP type and code, or type and the type that answers it;
/// none for protocols without ports. None where the specification has no id: ports are missing, or
/// the families differ.
#[must_use]
pub fn community_id(
    source: IpAddr,
    destination: IpAddr,
    ports: Option<(u16, u16)>,
    ip_protocol: u8,
) -> Option<String> {
    let (source_port, destination_port) = ports.unzip();
    community_id::calculate_community_id(
        0,
        source,
        destination,
        source_port,
        destination_port,
        ip_protocol,
        false,
    )
    .ok()
}

/// A stable name of the connection of `key` that began at `start`, below 2^53: FNV-1a over both, mixed
/// by the finaliser of `SplitMix64` (Steele et al., OOPSLA 2014).
#[must_use]
pub fn flow_id(key: &FlowKey, start: u64) -> u64 {
    let (rest, start) = ([key.protocol, key.family], start.to_le_bytes());
    let parts: [&[u8]; 6] = [
        &key.addr_a,
        &key.addr_b,
        &key.port_a,
        &key.port_b,
        &rest,
        &start,
    ];
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for part in parts {
        for byte in part {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (hash ^ (hash >> 31)) & ((1 << 53) - 1)
}

/// An Ethernet address as text; none for the zero address, which stands for unknown.
#[must_use]
pub fn mac_text(mac: [u8; 6]) -> Option<String> {
    if mac == [0; 6] {
        return None;
    }
    let digit = |value: u8| b"0123456789abcdef"[usize::from(value & 15)];
    let mut text = [b':'; 17];
    for (pair, byte) in text.chunks_mut(3).zip(mac) {
        pair[0] = digit(byte >> 4);
        pair[1] = digit(byte);
    }
    str::from_utf8(&text).ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ethernet_addresses() {
        let text = mac_text([0x00, 0x1b, 0xa0, 0xff, 0x09, 0xf0]);
        assert_eq!(text.as_deref(), Some("00:1b:a0:ff:09:f0"));
        assert_eq!(mac_text([0; 6]), None);
    }

    /// Stored events and alerts name flows by it. The value is of an implementation in Python.
    #[test]
    fn a_flow_keeps_its_name_over_versions() {
        let address = |start: [u8; 4]| std::array::from_fn(|at| *start.get(at).unwrap_or(&0));
        let key = FlowKey {
            addr_a: address([10, 1, 0, 1]),
            addr_b: address([10, 2, 0, 1]),
            port_a: 104_u16.to_be_bytes(),
            port_b: 40_000_u16.to_be_bytes(),
            protocol: protocol::TCP,
            family: 4,
            pad: [0; 2],
        };
        assert_eq!(flow_id(&key, 1_000_000_007), 4_647_414_995_947_143);
    }

    /// Values of the specification's baseline.
    #[test]
    fn community_ids_are_those_of_the_specification() {
        let cases = [
            (
                "128.232.110.120",
                "66.35.250.204",
                Some((34855, 80)),
                6,
                "1:LQU9qZlK+B5F3KDmev6m5PMibrg=",
            ),
            (
                "66.35.250.204",
                "128.232.110.120",
                Some((80, 34855)),
                6,
                "1:LQU9qZlK+B5F3KDmev6m5PMibrg=",
            ),
            (
                "192.168.1.52",
                "8.8.8.8",
                Some((54585, 53)),
                17,
                "1:d/FP5EW3wiY1vCndhwleRRKHowQ=",
            ),
            (
                "192.168.0.89",
                "192.168.0.1",
                Some((8, 0)),
                1,
                "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=",
            ),
            (
                "192.168.0.1",
                "192.168.0.89",
                Some((0, 8)),
                1,
                "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=",
            ),
            // Destination unreachable has no answer: it keeps its order.
            (
                "1.2.3.4",
                "5.6.7.8",
                Some((11, 0)),
                1,
                "1:f/YiSyWqczrTgfUCZlBUnvHRcPk=",
            ),
            (
                "1.2.3.4",
                "5.6.7.8",
                None,
                46,
                "1:ikv3kmf89luf73WPz1jOs49S768=",
            ),
        ];
        for (source, destination, ports, protocol, expected) in cases {
            let (source, destination) = (source.parse().unwrap(), destination.parse().unwrap());
            let id = community_id(source, destination, ports, protocol);
            assert_eq!(id.as_deref(), Some(expected), "{source} to {destination}");
        }
    }
}
