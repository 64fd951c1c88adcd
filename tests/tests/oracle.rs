//! A second opinion: etherparse reads every packet of every Ethernet capture too, and both must say the
//! same, or a named rule says why not.

use std::{collections::BTreeMap, net::IpAddr};

use etherparse::{LaxLinkExtSlice, LaxNetSlice, LaxSlicedPacket, TransportSlice};
use sensor_common::packet::{Layer, Outcome, Packet};

mod captures;

/// What one parser says of a packet.
#[derive(Debug, PartialEq, Eq)]
struct Reading {
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    ports: Option<(u16, u16)>,
    /// Sequence number, window, flags FIN to URG.
    tcp: Option<(u32, u16, u8)>,
    vlans: Vec<u16>,
}

/// Why a packet is not compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rule {
    /// etherparse does not unwrap tunnels.
    Tunnel,
    /// Neither sees an IP packet with a whole header.
    NeitherSeesIp,
    /// Ports of later fragments don't exist.
    LaterFragment,
    /// We refuse what is cut or contradicts itself where etherparse's lax reading goes on.
    WeRefuse,
    /// etherparse stops where we go on: an extension header that it does not know, 0x9100 tags.
    TheyStop,
    /// More than two VLAN tags, of which we read none further.
    VlanDepth,
}

fn ours(frame: &[u8]) -> Result<Reading, Rule> {
    let mut packet = Packet::EMPTY;
    packet.begin(0, Layer::Ethernet);
    match packet.parse_layer(&frame) {
        Outcome::Flow => {}
        Outcome::Tunnel => return Err(Rule::Tunnel),
        Outcome::Done(_) => return Err(Rule::WeRefuse),
    }
    if packet.is_later_fragment() {
        return Err(Rule::LaterFragment);
    }
    let key = packet.flow_key();
    let address = |bytes: [u8; 16]| {
        let [a, b, c, d, ..] = bytes;
        if key.family == 4 {
            IpAddr::from([a, b, c, d])
        } else {
            IpAddr::from(bytes)
        }
    };
    let (a, b) = (address(key.addr_a), address(key.addr_b));
    let (source, destination) = if packet.direction == 1 {
        (b, a)
    } else {
        (a, b)
    };
    let with_ports = matches!(packet.protocol, 6 | 17);
    Ok(Reading {
        source,
        destination,
        protocol: packet.protocol,
        ports: with_ports.then(|| (packet.source_port(), packet.destination_port())),
        tcp: packet
            .is_tcp()
            .then_some((packet.sequence, packet.window, packet.tcp_flags & 0x3f)),
        vlans: packet.vlans[..usize::from(packet.vlan_depth)].to_vec(),
    })
}

fn theirs(frame: &[u8]) -> Option<Reading> {
    let sliced = LaxSlicedPacket::from_ethernet(frame).ok()?;
    let vlans = sliced
        .link_exts
        .iter()
        .filter_map(|extension| match extension {
            LaxLinkExtSlice::Vlan(tag) => Some(tag.vlan_identifier().value()),
            LaxLinkExtSlice::Macsec(_) => None,
        })
        .collect();
    let (source, destination, protocol) = match sliced.net.as_ref()? {
        LaxNetSlice::Ipv4(ip) => (
            IpAddr::V4(ip.header().source_addr()),
            IpAddr::V4(ip.header().destination_addr()),
            ip.payload().ip_number.0,
        ),
        LaxNetSlice::Ipv6(ip) => (
            IpAddr::V6(ip.header().source_addr()),
            IpAddr::V6(ip.header().destination_addr()),
            ip.payload().ip_number.0,
        ),
        LaxNetSlice::Arp(_) => return None,
    };
    let (ports, tcp) = match sliced.transport.as_ref() {
        Some(TransportSlice::Tcp(tcp)) => {
            let flags = tcp.slice()[13] & 0x3f;
            (
                Some((tcp.source_port(), tcp.destination_port())),
                Some((tcp.sequence_number(), tcp.window_size(), flags)),
            )
        }
        Some(TransportSlice::Udp(udp)) => (Some((udp.source_port(), udp.destination_port())), None),
        _ => (None, None),
    };
    Some(Reading {
        source,
        destination,
        protocol,
        ports,
        tcp,
        vlans,
    })
}

#[test]
fn etherparse_agrees() {
    let Some(root) = captures::root() else { return };
    let mut agreed = 0_u64;
    let mut left_out: BTreeMap<Rule, u64> = BTreeMap::new();
    for path in captures::ethernet(&root) {
        for (number, (_, frame)) in captures::frames(&path).iter().enumerate() {
            let rule = match (ours(frame), theirs(frame)) {
                (Ok(ours), Some(theirs)) if ours == theirs => {
                    agreed += 1;
                    continue;
                }
                (Err(Rule::WeRefuse), None) => Rule::NeitherSeesIp,
                (Err(rule), _) => rule,
                (Ok(_), None) => Rule::TheyStop,
                (Ok(ours), Some(theirs)) => explain(&ours, &theirs).unwrap_or_else(|| {
                    panic!(
                        "{} packet {number}:\n ours {ours:?}\ntheirs {theirs:?}",
                        path.display()
                    )
                }),
            };
            *left_out.entry(rule).or_default() += 1;
        }
    }
    println!("{agreed} packets agree; not compared: {left_out:?}");
    assert!(agreed > 200_000, "only {agreed} packets were compared");
}

/// The rule by which two readings may differ.
fn explain(ours: &Reading, theirs: &Reading) -> Option<Rule> {
    if theirs.vlans.len() > ours.vlans.len() {
        return Some(Rule::VlanDepth);
    }
    let same_ends = ours.source == theirs.source && ours.destination == theirs.destination;
    // Where etherparse stops at an extension header or a cut transport header, it names what it
    // stopped at and gives no ports.
    (same_ends && theirs.ports.is_none()).then_some(Rule::TheyStop)
}
