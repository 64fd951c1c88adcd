//! From the tape of a notice to what it says.

use std::net::{IpAddr, Ipv6Addr};

use sensor_common::{
    notice::arp::Arp,
    tape::{BadTape, Records, Tag},
};
use sensor_facts::observation::{ArpFacts, NeighbourFacts, RouterFacts};

use super::{dhcp::Dhcp, mdns, name::name};

/// What a host says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// ARP (RFC 826).
    Arp(ArpFacts),
    /// DHCP (RFC 2131).
    Dhcp(Dhcp),
    /// Multicast DNS (RFC 6762): a name and its address.
    Name(String, IpAddr),
    /// A neighbour solicitation or advertisement (RFC 4861).
    Neighbour(NeighbourFacts),
    /// A router advertisement (RFC 4861).
    Router(RouterFacts),
}

/// Who sent the datagram of a notice, and to whom; of no meaning for ARP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    pub(crate) from: IpAddr,
    pub(crate) to: IpAddr,
}

impl Way {
    /// Its ends, of IPv6.
    fn v6(self) -> Option<(Ipv6Addr, Ipv6Addr)> {
        match (self.from, self.to) {
            (IpAddr::V6(from), IpAddr::V6(to)) => Some((from, to)),
            _ => None,
        }
    }
}

/// Reads the tape of a notice.
///
/// # Errors
/// With a record that is cut, or of another kind or length than a notice has.
pub(crate) fn read(tape: &[u8], way: Way) -> Result<Vec<Notice>, BadTape> {
    let mut notices = Vec::new();
    let mut host = None;
    for record in Records::new(tape) {
        let record = record?;
        let bytes = record.bytes;
        let good = match record.tag {
            Tag::Arp => Arp::of_record(bytes).map(|(arp, count)| {
                notices.push(Notice::Arp(ArpFacts::of(&arp, count)));
            }),
            Tag::DhcpHead => Dhcp::of_head(bytes).map(|head| notices.push(Notice::Dhcp(head))),
            Tag::Neighbour => way
                .v6()
                .and_then(|(from, to)| NeighbourFacts::of_record(bytes, from, to))
                .map(|facts| notices.push(Notice::Neighbour(facts))),
            Tag::RouterAdvertisement => way
                .v6()
                .and_then(|(from, _)| RouterFacts::of_record(bytes, from))
                .map(|facts| notices.push(Notice::Router(facts))),
            Tag::HostName => {
                host = Some(name(bytes));
                Some(())
            }
            Tag::HostAddress => host
                .take()
                .zip(mdns::address(bytes))
                .map(|(host, address)| notices.push(Notice::Name(host, address))),
            tag => match notices.last_mut() {
                Some(Notice::Dhcp(dhcp)) => dhcp.option(tag, bytes),
                Some(Notice::Neighbour(facts)) => neighbour_option(facts, tag, bytes),
                Some(Notice::Router(facts)) => router_option(facts, tag, bytes),
                _ => None,
            },
        };
        good.ok_or(BadTape { offset: 0 })?;
    }
    Ok(notices)
}

/// The type of the option with the source's link-layer address, and of the one with the target's (RFC 4861 section 4.6.1).
const SOURCE_LINK: u8 = 1;
const TARGET_LINK: u8 = 2;

/// Takes an option of a solicitation or an advertisement; `None` if it is none, or is malformed.
fn neighbour_option(facts: &mut NeighbourFacts, tag: Tag, bytes: &[u8]) -> Option<()> {
    let ([kind, _], mac) = bytes
        .split_first_chunk()
        .filter(|_| tag == Tag::NeighbourLink)?;
    let wanted = if facts.solicitation {
        SOURCE_LINK
    } else {
        TARGET_LINK
    };
    // An option that the message does not have is ignored (RFC 4861 section 4.6.1).
    if *kind == wanted {
        facts.link = Some(mac.try_into().ok()?);
    }
    Some(())
}

/// The same of a router advertisement.
fn router_option(facts: &mut RouterFacts, tag: Tag, bytes: &[u8]) -> Option<()> {
    match tag {
        Tag::NeighbourLink => {
            let ([kind, _], mac) = bytes.split_first_chunk()?;
            if *kind == SOURCE_LINK {
                facts.link = Some(mac.try_into().ok()?);
            }
            Some(())
        }
        Tag::RouterPrefix => facts.add_prefix(bytes),
        Tag::RouterDns => facts.add_name_servers(bytes),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V4: Way = Way {
        from: IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        to: IpAddr::V4(std::net::Ipv4Addr::BROADCAST),
    };
    const V6: Way = Way {
        from: IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1)),
        to: IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1)),
    };

    fn record(tag: Tag, bytes: &[u8]) -> Vec<u8> {
        let [low, high] = u16::try_from(bytes.len()).unwrap().to_le_bytes();
        [&[tag as u8, 3, low, high], bytes].concat()
    }

    #[test]
    fn a_lease_is_read() {
        let mut head = vec![2, 1, 6, 0, 1, 2, 3, 4, 0, 0, 0, 0];
        head.extend([0, 0, 0, 0, 10, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0]);
        head.extend([2, 0, 0, 0, 0, 7, 2, 0, 0, 0, 0, 1]);
        let tape = [
            record(Tag::DhcpHead, &head),
            record(Tag::DhcpType, &[5]),
            record(Tag::DhcpName, b"ct-3\0"),
            record(Tag::DhcpServer, &[10, 0, 0, 1]),
            record(Tag::DhcpRouters, &[10, 0, 0, 1, 10, 0, 0, 2, 9]),
            record(Tag::DhcpNameServers, &[10, 0, 0, 3]),
        ]
        .concat();
        let said = read(&tape, V4).unwrap();
        let [Notice::Dhcp(dhcp)] = &said[..] else {
            panic!("{said:?}");
        };
        let facts = &dhcp.facts;
        let lease = facts.lease().unwrap();
        assert_eq!(lease.mac, [2, 0, 0, 0, 0, 7]);
        assert_eq!(lease.address, std::net::Ipv4Addr::from([10, 0, 0, 9]));
        assert_eq!(facts.transaction, 0x0102_0304);
        assert_eq!(facts.frame_mac, [2, 0, 0, 0, 0, 1]);
        assert_eq!(facts.server, Some([10, 0, 0, 1].into()));
        assert_eq!(facts.routers.len(), 2, "what is too short for one is none");
        assert_eq!(
            facts.name_servers,
            [std::net::Ipv4Addr::from([10, 0, 0, 3])]
        );
        assert_eq!(dhcp.name.as_deref(), Some("ct-3"));
    }

    #[test]
    fn neighbours_and_routers_are_read_with_their_options() {
        let head = [
            &[136, 0, 0, 0, 0x60, 0, 0, 0][..],
            &[0x20; 16],
            &[2, 0, 0, 0, 0, 9],
        ]
        .concat();
        let tape = [
            record(Tag::Neighbour, &head),
            record(Tag::NeighbourLink, &[1, 1, 2, 0, 0, 0, 0, 5]),
            record(Tag::NeighbourLink, &[2, 1, 2, 0, 0, 0, 0, 7]),
        ]
        .concat();
        let said = read(&tape, V6).unwrap();
        let [Notice::Neighbour(facts)] = &said[..] else {
            panic!("{said:?}");
        };
        assert_eq!(facts.link, Some([2, 0, 0, 0, 0, 7]));
        assert!(read(&tape, V4).is_err(), "it is of IPv6 alone");

        let dns = [&[0; 6][..], &[0x20; 16]].concat();
        let tape = [
            record(
                Tag::RouterAdvertisement,
                &[134, 0, 0, 0, 64, 0, 7, 8, 2, 0, 0, 0, 0, 9],
            ),
            record(Tag::NeighbourLink, &[1, 1, 2, 0, 0, 0, 0, 5]),
            record(Tag::RouterPrefix, &[64; 30]),
            record(Tag::RouterDns, &dns),
        ]
        .concat();
        let said = read(&tape, V6).unwrap();
        let [Notice::Router(facts)] = &said[..] else {
            panic!("{said:?}");
        };
        assert_eq!(facts.link, Some([2, 0, 0, 0, 0, 5]));
        assert_eq!((facts.prefixes.len(), facts.name_servers.len()), (1, 1));
    }

    #[test]
    fn what_is_no_notice_is_an_error() {
        for tape in [
            record(Tag::Arp, &[0; 5]),
            record(Tag::DhcpHead, &[0; 15]),
            record(Tag::DhcpType, &[5]),
            record(Tag::HostAddress, &[1, 2, 3, 4]),
            record(Tag::Hl7Header, b"MSH|"),
            record(Tag::Neighbour, &[0; 5]),
            record(Tag::NeighbourLink, &[0; 7]),
            record(Tag::RouterPrefix, &[0; 30]),
            vec![Tag::Arp as u8, 3, 9],
        ] {
            assert!(read(&tape, V6).is_err(), "{tape:?}");
        }
    }
}
