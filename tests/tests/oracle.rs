//! A second opinion on every packet of every Ethernet capture: etherparse must find the same addresses,
//! protocol, ports, TCP fields, VLAN ids and payload. Where it does not, a named rule says why; a
//! difference without a rule fails.

use std::{collections::BTreeMap, path::Path};

use etherparse::{
    LaxLinkExtSlice, LaxNetSlice, LaxSlicedPacket, TcpSlice, TransportSlice, err::Layer as At,
};
use sensor_common::{
    counter::Counter,
    packet::{Layer, Packet, protocol},
    parse::{MAX_LAYERS, Outcome, segment::Segment},
};

mod captures;

/// What comparing a packet gave.
#[derive(Debug, PartialEq)]
enum Verdict {
    Same,
    /// They differ, and should.
    Explained(&'static str),
    Different(String),
}

use Verdict::{Different, Explained, Same};

/// `Same` if both are equal.
macro_rules! same {
    ($what:literal, $ours:expr, $theirs:expr) => {
        let (ours, theirs) = ($ours, $theirs);
        if ours != theirs {
            return Different(format!("{}: {ours:?}, etherparse {theirs:?}", $what));
        }
    };
}

/// Extension headers of IPv6 that the parser walks, in any order and number up to its depth.
const EXTENSIONS: [u8; 8] = [0, 43, 44, 51, 60, 135, 139, 140];

/// Layers that are reached through an IP header.
const UNDER_IP: [u8; 3] = [
    Layer::Extensions as u8,
    Layer::Transport as u8,
    Layer::Carried as u8,
];

/// Compares the parsing of each layer, tunnels one after the other.
fn compare(frame: &[u8]) -> Vec<Verdict> {
    let mut packet = Packet::EMPTY;
    packet.begin(Layer::Ethernet);
    let (mut plain, mut layers) = (packet, packet);
    if let Some(segment) = Segment::of(frame) {
        segment.become_packet(&mut plain);
        if (layers.parse_layer(&frame), layers) != (Outcome::Flow, plain) {
            return vec![Different(format!(
                "{plain:?} at once, {layers:?} by layers"
            ))];
        }
    }
    let mut verdicts = Vec::new();
    let mut steps = 0;
    loop {
        let (start, depth) = (packet.offset as usize, packet.tunnel_depth);
        let ethernet = packet.layer == Layer::Ethernet as u8;
        let mut shims = false;
        // To the end, or into a tunnel.
        let outcome = loop {
            let outcome = packet.parse_layer(&frame);
            steps += 1;
            if steps == MAX_LAYERS {
                break Outcome::Done(packet.too_deep());
            }
            if outcome != Outcome::Next || packet.tunnel_depth > depth {
                break outcome;
            }
            shims |= !UNDER_IP.contains(&packet.layer);
        };
        let layer = frame.get(start..).unwrap_or_default();
        verdicts.push(
            match compare_layer(frame, layer, ethernet, &packet, outcome) {
                Different(_) if shims => {
                    Explained("tags, LLC or labels that etherparse does not read")
                }
                verdict => verdict,
            },
        );
        if outcome != Outcome::Next {
            return verdicts;
        }
    }
}

fn compare_layer(
    frame: &[u8],
    layer: &[u8],
    ethernet: bool,
    packet: &Packet,
    outcome: Outcome,
) -> Verdict {
    let theirs = if ethernet {
        LaxSlicedPacket::from_ethernet(layer).ok()
    } else {
        LaxSlicedPacket::from_ip(layer).ok()
    };
    let Some(theirs) = theirs else {
        let refused = [
            Counter::LinkTruncated,
            Counter::IpTruncated,
            Counter::IpMalformed,
        ];
        if outcome == Outcome::Done(Counter::NotIp) && packet.layer == Layer::Ppp as u8 {
            return Explained("PPP without IP, which etherparse does not read");
        }
        let same = refused.iter().any(|c| outcome == Outcome::Done(*c));
        return if same {
            Same
        } else {
            Different(format!("{outcome:?}, etherparse reads nothing"))
        };
    };
    let macsec = theirs
        .link_exts
        .iter()
        .any(|ext| matches!(ext, LaxLinkExtSlice::Macsec(_)))
        || matches!(theirs.stop_err, Some((_, At::MacsecHeader)));
    if macsec {
        return Explained("MACsec is not read");
    }
    match outcome {
        Outcome::Done(counter) => compare_refusal(packet, counter, &theirs),
        Outcome::Flow | Outcome::Next => compare_network(frame, ethernet, packet, outcome, &theirs),
    }
}

/// Of a packet without a flow.
fn compare_refusal(packet: &Packet, counter: Counter, theirs: &LaxSlicedPacket<'_>) -> Verdict {
    let stopped = theirs.stop_err.as_ref().map(|(_, at)| *at);
    let same = match counter {
        Counter::Arp => matches!(theirs.net, Some(LaxNetSlice::Arp(_))) || stopped == Some(At::Arp),
        Counter::NotIp => theirs.net.is_none() && stopped.is_none(),
        Counter::VlanDepth => theirs.vlan_ids().len() > 2,
        Counter::LinkTruncated => stopped == Some(At::VlanHeader),
        Counter::IpTruncated | Counter::IpMalformed => {
            stopped.is_some() && theirs.transport.is_none()
        }
        Counter::TransportMalformed => theirs.transport.is_none() && stopped.is_some(),
        Counter::Ipv6ExtensionDepth => return Explained("more extension headers than are walked"),
        Counter::TunnelDepth => return Explained("more tunnels than are unwrapped"),
        Counter::TunnelMalformed => return Explained("a tunnel header that is cut"),
        _ => false,
    };
    if same {
        return Same;
    }
    match (counter, &theirs.net) {
        (Counter::IpMalformed, Some(LaxNetSlice::Ipv4(ip)))
            if usize::from(ip.header().total_len()) < ip.header().slice().len() =>
        {
            Explained("an IPv4 total length below the header's, which etherparse ignores")
        }
        (Counter::IpMalformed, Some(LaxNetSlice::Ipv6(ip))) if ip.payload().incomplete => {
            Explained("extension headers beyond the IPv6 payload length")
        }
        (Counter::TransportMalformed, Some(_)) if packet.protocol == protocol::SCTP => {
            Explained("SCTP that is cut, which etherparse does not read")
        }
        (Counter::TransportMalformed, Some(net))
            if net
                .ip_payload_ref()
                .is_some_and(|payload| payload.fragmented) =>
        {
            Explained("a first fragment without a whole transport header")
        }
        _ => Different(format!("{counter:?}, etherparse {theirs:?}")),
    }
}

/// Link and IP header, then what is after them. Of a packet with a tunnel header the addresses are those of
/// what is inside.
fn compare_network(
    frame: &[u8],
    ethernet: bool,
    packet: &Packet,
    outcome: Outcome,
    theirs: &LaxSlicedPacket<'_>,
) -> Verdict {
    let (family, addresses, ttl, number) = match &theirs.net {
        Some(LaxNetSlice::Ipv4(ip)) => {
            let header = ip.header();
            let addresses = (header.source().to_vec(), header.destination().to_vec());
            (4, addresses, header.ttl(), ip.payload().ip_number.0)
        }
        Some(LaxNetSlice::Ipv6(ip)) => {
            let header = ip.header();
            let addresses = (header.source().to_vec(), header.destination().to_vec());
            (6, addresses, header.hop_limit(), ip.payload().ip_number.0)
        }
        other => return Different(format!("IP, etherparse {other:?}")),
    };
    same!("IP version", packet.family, family);
    same!("time to live", packet.ttl, ttl);
    if packet.protocol != number {
        return if family == 4 && packet.protocol == 51 {
            Explained("an IPv4 authentication header, which is a protocol here")
        } else if EXTENSIONS.contains(&number) {
            Explained("extension headers in an order or of a kind at which etherparse stops")
        } else {
            Different(format!(
                "protocol: {}, etherparse {number}",
                packet.protocol
            ))
        };
    }
    if outcome == Outcome::Next {
        return Same;
    }
    let key = packet.flow_key();
    let length = addresses.0.len();
    let (a, b) = (key.addr_a[..length].to_vec(), key.addr_b[..length].to_vec());
    let ours = if packet.direction == 1 {
        (b, a)
    } else {
        (a, b)
    };
    same!("addresses", ours, addresses);
    if ethernet {
        let ids: Vec<u16> = theirs.vlan_ids().iter().map(|id| id.value()).collect();
        same!(
            "VLAN ids",
            packet.vlans[..usize::from(packet.vlan_depth).min(3)].to_vec(),
            ids
        );
    }
    compare_transport(frame, packet, theirs)
}

fn compare_transport(frame: &[u8], packet: &Packet, theirs: &LaxSlicedPacket<'_>) -> Verdict {
    let Some(ip) = theirs.net.as_ref().and_then(LaxNetSlice::ip_payload_ref) else {
        return Different("a flow, etherparse finds no IP payload".to_owned());
    };
    let ports = (packet.source_port(), packet.destination_port());
    if packet.is_later_fragment() {
        same!("fragment", true, ip.fragmented);
        same!("ports of a fragment", ports, (0, 0));
        return Same;
    }
    let has_ports = matches!(
        packet.protocol,
        protocol::TCP | protocol::UDP | protocol::SCTP
    );
    let port = |at: usize| {
        let bytes = ip.payload.get(at..at + 2).unwrap_or_default();
        u16::from_be_bytes(bytes.try_into().unwrap_or_default())
    };
    if ip.fragmented {
        if has_ports {
            same!("ports of a first fragment", ports, (port(0), port(2)));
        }
        return Same;
    }
    let payload = |bytes: &[u8]| {
        (
            bytes.as_ptr() as usize - frame.as_ptr() as usize,
            bytes.len(),
        )
    };
    let ours = (packet.offset as usize, packet.payload_captured as usize);
    match &theirs.transport {
        Some(TransportSlice::Tcp(tcp)) => {
            same!("ports", ports, (tcp.source_port(), tcp.destination_port()));
            same!("sequence", packet.sequence, tcp.sequence_number());
            same!("window", packet.window, tcp.window_size());
            same!("TCP flags", packet.tcp_flags, flags(tcp));
            same!("payload", ours, payload(tcp.payload()));
        }
        Some(TransportSlice::Udp(udp)) => {
            same!("ports", ports, (udp.source_port(), udp.destination_port()));
            if usize::from(udp.length()) != ip.payload.len() {
                return Explained("a UDP length that is not the IP payload's, which counts here");
            }
            same!("payload", ours, payload(udp.payload()));
        }
        Some(TransportSlice::Icmpv4(icmp)) => {
            same!("ICMP type", ports.0, u16::from(icmp.type_u8()));
        }
        Some(TransportSlice::Icmpv6(icmp)) => {
            same!("ICMPv6 type", ports.0, u16::from(icmp.type_u8()));
        }
        Some(TransportSlice::Igmp(_)) => {
            same!("ports of IGMP", ports, (0, 0));
        }
        None => match theirs.stop_err.as_ref().map(|(_, at)| *at) {
            None if packet.protocol == protocol::SCTP => {
                same!("ports of SCTP", ports, (port(0), port(2)));
            }
            None => {
                same!("ports of another protocol", ports, (0, 0));
            }
            Some(At::TcpHeader) if packet.is_snapped() => {
                same!("payload after TCP options that are cut", ours.1, 0);
                return Explained("TCP options beyond the capture");
            }
            Some(At::Icmpv4 | At::Icmpv4Timestamp | At::Icmpv4TimestampReply | At::Icmpv6) => {
                same!("ICMP type", ports.0, u16::from(ip.payload[0]));
                return Explained("ICMP shorter than its header");
            }
            Some(At::Igmp) => return Explained("IGMP shorter than its header"),
            Some(at) => return Different(format!("a flow, etherparse stops at {at:?}")),
        },
    }
    Same
}

fn flags(tcp: &TcpSlice<'_>) -> u8 {
    [
        tcp.fin(),
        tcp.syn(),
        tcp.rst(),
        tcp.psh(),
        tcp.ack(),
        tcp.urg(),
        tcp.ece(),
        tcp.cwr(),
    ]
    .iter()
    .enumerate()
    .map(|(bit, set)| u8::from(*set) << bit)
    .sum()
}

fn describe(path: &Path, number: usize, frame: &[u8], difference: &str) -> String {
    let bytes = &frame[..frame.len().min(96)];
    format!(
        "{}, packet {}: {difference}\n  {bytes:02x?}",
        path.display(),
        number + 1
    )
}

#[test]
fn etherparse_says_the_same_of_every_packet() {
    let Some(root) = captures::root() else { return };
    let mut same = 0_u64;
    let mut explained: BTreeMap<&str, u64> = BTreeMap::new();
    let mut different = Vec::new();
    for path in captures::below(&root) {
        for (number, (_, frame)) in captures::frames(&path).iter().enumerate() {
            for verdict in compare(frame) {
                match verdict {
                    Same => same += 1,
                    Explained(rule) => *explained.entry(rule).or_default() += 1,
                    Different(how) => different.push(describe(&path, number, frame, &how)),
                }
            }
        }
    }
    println!("{same} layers are read the same");
    for (rule, count) in &explained {
        println!("{count:>6} {rule}");
    }
    assert!(
        different.is_empty(),
        "{} differ without a rule, the first:\n{}",
        different.len(),
        different[..different.len().min(12)].join("\n")
    );
    assert!(same > 200_000, "only {same} layers were compared");
}
