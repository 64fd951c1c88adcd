//! From the tape of a notice to what it says.

use std::net::IpAddr;

use sensor_common::{
    notice::arp::Arp,
    tape::{BadTape, Records, Tag},
};
use sensor_facts::observation::ArpFacts;

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
}

/// Reads the tape of a notice.
///
/// # Errors
/// With a record that is cut, or of another kind or length than a notice has.
pub(crate) fn read(tape: &[u8]) -> Result<Vec<Notice>, BadTape> {
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
                _ => None,
            },
        };
        good.ok_or(BadTape { offset: 0 })?;
    }
    Ok(notices)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(tag: Tag, bytes: &[u8]) -> Vec<u8> {
        let [low, high] = u16::try_from(bytes.len()).unwrap().to_le_bytes();
        [&[tag as u8, 3, low, high], bytes].concat()
    }

    #[test]
    fn a_lease_is_read() {
        let mut head = vec![2, 2, 0, 0, 0, 0, 7];
        head.extend([0, 0, 0, 0, 10, 0, 0, 9]);
        let tape = [
            record(Tag::DhcpHead, &head),
            record(Tag::DhcpType, &[5]),
            record(Tag::DhcpName, b"ct-3\0"),
        ]
        .concat();
        let said = read(&tape).unwrap();
        let [Notice::Dhcp(dhcp)] = &said[..] else {
            panic!("{said:?}");
        };
        assert_eq!(dhcp.leased(), Some([10, 0, 0, 9].into()));
        assert_eq!(dhcp.name.as_deref(), Some("ct-3"));
    }

    #[test]
    fn what_is_no_notice_is_an_error() {
        for tape in [
            record(Tag::Arp, &[0; 5]),
            record(Tag::DhcpType, &[5]),
            record(Tag::HostAddress, &[1, 2, 3, 4]),
            record(Tag::Hl7Header, b"MSH|"),
            vec![Tag::Arp as u8, 3, 9],
        ] {
            assert!(read(&tape).is_err(), "{tape:?}");
        }
    }
}
