//! What a conversation is by its shape, for facts and for detectors.

use std::net::IpAddr;

use sensor_common::packet::protocol;
use sensor_facts::{
    observation::{FlowFacts, Observation, What},
    target::{Service, Transport},
    time::Time,
};

use super::Fact;

/// C-FIND request (PS3.7 annex E.1).
pub(crate) const FIND: u16 = 0x0020;
/// C-GET and C-MOVE requests.
pub(crate) const PULLS: [u16; 2] = [0x0010, 0x0021];
/// Ports from here on are taken for those of a client, or of a service that is new each time (RFC 6335).
const EPHEMERAL: u16 = 49_152;

/// The flow and the service of a TCP connection whose opening was seen and that the server took.
pub(crate) fn opened_tcp(seen: &Observation) -> Option<(&FlowFacts, Service)> {
    let What::Flow(facts) = &seen.what else {
        return None;
    };
    let service = seen.service()?;
    let taken =
        service.transport == Transport::Tcp && !facts.midstream && facts.established(seen.protocol);
    taken.then_some((facts, service))
}

/// True for ICMP echo requests (RFC 792, RFC 4443) to all hosts of a link: its broadcast address or a group.
pub(crate) fn asks_all(seen: &Observation, facts: &FlowFacts) -> bool {
    let to = seen.server.ip();
    let all = match to {
        IpAddr::V4(it) => it.octets()[3] == 255 || it.is_multicast(),
        IpAddr::V6(it) => it.is_multicast(),
    };
    all && facts.icmp_type.is_some_and(|kind| matches!(kind, 8 | 128))
}

/// True for a connection to a file share (SMB) by which so many files are read or written that each message stands for little
/// data: copying folders, or what ransomware does.
pub(super) fn many_files(seen: &Observation, facts: &FlowFacts) -> bool {
    const MESSAGES: u64 = 100;
    const BYTES: u64 = 1_000_000;
    const BYTES_EACH: u64 = 30_000;
    let (messages, moved) = (
        u64::from(facts.to_server.push),
        facts.to_server.payload.max(facts.to_client.payload),
    );
    seen.protocol == protocol::TCP
        && matches!(seen.server.port(), 139 | 445)
        && facts.established(seen.protocol)
        && messages >= MESSAGES
        && (BYTES..=messages * BYTES_EACH).contains(&moved)
}

/// True for a redirect of ICMP (RFC 792) or ICMPv6 (RFC 4861 section 4.5).
pub(crate) fn is_redirect(seen: &Observation, facts: &FlowFacts) -> bool {
    matches!(
        (seen.protocol, facts.icmp_type),
        (protocol::ICMP, Some(5)) | (protocol::ICMP6, Some(137))
    )
}

/// Of an HL7 message type with event and structure, as MSH-9 has it, the type, and the type with the event.
pub(super) fn kinds(message_type: &str) -> [&str; 2] {
    let mut carets = message_type.match_indices('^').map(|(at, _)| at);
    let first = carets.next().unwrap_or(message_type.len());
    let second = carets.next().unwrap_or(message_type.len());
    [&message_type[..first], &message_type[..second]]
}

/// The fact that it works at this hour.
pub(crate) fn works(now: Time) -> Fact<'static> {
    let hours = now.0.div_euclid(3_600_000_000_000);
    // 1970 began on a Thursday.
    let weekday = (hours.div_euclid(24) + 3).rem_euclid(7);
    Fact::Works {
        hour: u8::try_from(hours.rem_euclid(24)).unwrap_or(0),
        weekend: weekday >= 5,
    }
}

/// What a person does at a device, in words: reading studies, remote access. Other traffic goes on by itself.
pub(crate) fn acts(seen: &Observation) -> Option<&'static str> {
    match &seen.what {
        What::Request { command, .. } if *command == FIND || PULLS.contains(command) => {
            Some("DICOM queries")
        }
        What::Flow(facts)
            if facts.established(seen.protocol)
                && matches!(seen.server.port(), 22 | 3_389 | 5_900)
                && facts.to_server.payload > 2_000 =>
        {
            Some("remote access")
        }
        _ => None,
    }
}

/// False for ports that a server takes anew each time.
pub(crate) fn is_lasting(service: Service) -> bool {
    service.port != 0 && service.port < EPHEMERAL
}
