//! The two ends of a flow: what each offers and uses.

use std::{borrow::Cow, net::IpAddr};

use sensor_common::{
    flow::{self, Flow, Half},
    key::FlowKey,
    layer7::Protocol,
    packet::{TCP_ACK, TCP_SYN, protocol},
};
use sensor_facts::{address::addresses, observation::is_host};

use super::report::{Service, ServiceUse};

/// One side of a flow.
pub(super) struct End<'a> {
    pub(super) address: IpAddr,
    pub(super) mac: [u8; 6],
    pub(super) port: u16,
    pub(super) peer: (IpAddr, u16),
    pub(super) sent: &'a Half,
    pub(super) received: &'a Half,
    pub(super) opened: bool,
}

pub(super) fn ends<'a>(key: &FlowKey, flow: &'a Flow) -> [End<'a>; 2] {
    let (a, b) = addresses(key);
    let b_opened = flow.flags & flow::INITIATOR_B != 0;
    let [from_a, from_b] = &flow.directions;
    [
        End {
            address: a,
            mac: flow.mac_a,
            port: u16::from_be_bytes(key.port_a),
            peer: (b, u16::from_be_bytes(key.port_b)),
            sent: from_a,
            received: from_b,
            opened: !b_opened,
        },
        End {
            address: b,
            mac: flow.mac_b,
            port: u16::from_be_bytes(key.port_b),
            peer: (a, u16::from_be_bytes(key.port_a)),
            sent: from_b,
            received: from_a,
            opened: b_opened,
        },
    ]
}

/// True if this end was asked and answered as a service does: TCP by SYN with ACK or by payload, the
/// others by a packet.
fn offers(ip_protocol: u8, end: &End<'_>) -> bool {
    if end.opened || end.received.packets == 0 || end.port == 0 {
        return false;
    }
    match ip_protocol {
        protocol::TCP => {
            // SYN and ACK both seen is SYN+ACK, since a responder sends no bare SYN.
            end.sent.tcp_flags & (TCP_SYN | TCP_ACK) == TCP_SYN | TCP_ACK || end.sent.payload > 0
        }
        protocol::UDP | protocol::SCTP => true,
        _ => false,
    }
}

/// The service that this end offers.
pub(super) fn offered(ip_protocol: u8, end: &End<'_>, app: Protocol) -> Option<Service> {
    offers(ip_protocol, end).then(|| Service {
        proto: Cow::Borrowed(proto_name(ip_protocol)),
        port: end.port,
        app_proto: app.name().map(Cow::Borrowed),
    })
}

/// The service of another that this end uses; none where there are no ports.
pub(super) fn used(ip_protocol: u8, end: &End<'_>, app: Protocol) -> Option<ServiceUse> {
    let (address, port) = end.peer;
    let has_ports = matches!(ip_protocol, protocol::TCP | protocol::UDP | protocol::SCTP);
    // A reset is no service.
    let served = ip_protocol != protocol::TCP
        || end.received.tcp_flags & TCP_SYN != 0
        || end.received.payload > 0;
    (has_ports && port != 0 && served && is_host(address)).then(|| ServiceUse {
        address,
        proto: Cow::Borrowed(proto_name(ip_protocol)),
        port,
        app_proto: app.name().map(Cow::Borrowed),
    })
}

fn proto_name(ip_protocol: u8) -> &'static str {
    match ip_protocol {
        protocol::UDP => "UDP",
        protocol::SCTP => "SCTP",
        _ => "TCP",
    }
}
