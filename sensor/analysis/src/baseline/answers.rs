//! Answers to questions that are asked of all hosts of a link.

use std::net::{IpAddr, SocketAddr};

use sensor_common::packet::protocol;
use sensor_facts::{
    observation::{FlowFacts, Observation, is_host},
    target::Service,
};

use super::Fact;

/// `NetBIOS` names (RFC 1002), `DHCPv6` (RFC 8415), LLMNR (RFC 4795): the question goes to everyone or to a group, the answer to
/// one host.
const ASKED_OF_ALL: [u16; 3] = [137, 547, 5_355];

/// Who answers, to whom, in how many packets, where a flow is such answers: nothing is sent the other way.
pub(crate) fn answers_to_all(
    seen: &Observation,
    facts: &FlowFacts,
) -> Option<(SocketAddr, SocketAddr, u64)> {
    // Who is the client of an answer without a question, the ports may say the other way round.
    let (from, to, packets) = match (facts.to_server.packets, facts.to_client.packets) {
        (0, packets) => (seen.server, seen.client, packets),
        (packets, 0) => (seen.client, seen.server, packets),
        _ => return None,
    };
    let is = seen.protocol == protocol::UDP
        && ASKED_OF_ALL.contains(&from.port())
        // A question of a NetBIOS host comes from the same port, and goes to a broadcast address.
        && is_host(to.ip())
        && !is_broadcast(to);
    is.then_some((from, to, packets))
}

/// Who answers such questions, as a fact.
pub(super) fn offered(seen: &Observation, facts: &FlowFacts) -> Option<(IpAddr, Fact<'static>)> {
    let (from, ..) = answers_to_all(seen, facts)?;
    let service = Service {
        transport: seen.transport()?,
        port: from.port(),
    };
    Some((from.ip(), Fact::Offers(service)))
}

/// The last address of a network of the usual sizes.
fn is_broadcast(to: SocketAddr) -> bool {
    matches!(to, SocketAddr::V4(it) if it.ip().octets()[3] == 255)
}
