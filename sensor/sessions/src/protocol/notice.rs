//! What hosts say of themselves in ARP, DHCP and multicast DNS, from the tape of a notice.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use sensor_common::{
    notice::arp::Arp,
    tape::{BadTape, Records, Tag},
};

use sensor_facts::observation::{ArpFacts, Mac};

use super::text;

/// Characters of a name.
const NAME_MAX: usize = 63;

/// What a host says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// ARP (RFC 826).
    Arp(ArpFacts),
    /// DHCP (RFC 2131).
    Dhcp(Dhcp),
    /// Multicast DNS (RFC 6762): a name and its address.
    Name(String, IpAddr),
}

/// A DHCP message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dhcp {
    /// A server sent it.
    pub reply: bool,
    /// Message type (RFC 2132 section 9.6), 0 without one.
    pub kind: u8,
    /// The client.
    pub mac: Mac,
    /// The address that the client has.
    pub client: Ipv4Addr,
    /// The address that it is given.
    pub yours: Ipv4Addr,
    /// The address that it asks for.
    pub requested: Option<Ipv4Addr>,
    /// Its name.
    pub name: Option<String>,
    /// What it is made by or of.
    pub vendor_class: Option<String>,
}

/// DHCPACK.
const ACK: u8 = 5;

impl Dhcp {
    /// The address that the server leaves to the client by this message.
    #[must_use]
    pub fn leased(&self) -> Option<Ipv4Addr> {
        (self.reply && self.kind == ACK && !self.yours.is_unspecified()).then_some(self.yours)
    }
}

/// Reads the tape of a notice.
///
/// # Errors
/// With a record that is cut, or of another kind or length than a notice has.
pub fn read(tape: &[u8]) -> Result<Vec<Said>, BadTape> {
    let mut said = Vec::new();
    let mut name = None;
    for record in Records::new(tape) {
        let record = record?;
        let bytes = record.bytes;
        let good = match record.tag {
            Tag::Arp => Arp::of_record(bytes).map(|(arp, count)| {
                said.push(Said::Arp(ArpFacts::of(&arp, count)));
            }),
            Tag::DhcpHead => head(bytes).map(|head| said.push(Said::Dhcp(head))),
            Tag::HostName => {
                name = Some(text(bytes, NAME_MAX));
                Some(())
            }
            Tag::HostAddress => name
                .take()
                .zip(address(bytes))
                .map(|(name, address)| said.push(Said::Name(name, address))),
            tag => match said.last_mut() {
                Some(Said::Dhcp(dhcp)) => option(dhcp, tag, bytes),
                _ => None,
            },
        };
        good.ok_or(BadTape { offset: 0 })?;
    }
    Ok(said)
}

fn head(bytes: &[u8]) -> Option<Dhcp> {
    let (operation, rest) = bytes.split_first()?;
    let (mac, rest) = rest.split_first_chunk::<6>()?;
    let (client, rest) = rest.split_first_chunk::<4>()?;
    let yours: [u8; 4] = rest.try_into().ok()?;
    Some(Dhcp {
        reply: *operation == 2,
        kind: 0,
        mac: *mac,
        client: (*client).into(),
        yours: yours.into(),
        requested: None,
        name: None,
        vendor_class: None,
    })
}

fn option(dhcp: &mut Dhcp, tag: Tag, bytes: &[u8]) -> Option<()> {
    match tag {
        Tag::DhcpType => dhcp.kind = *bytes.first()?,
        Tag::DhcpRequested => {
            dhcp.requested = Some(<[u8; 4]>::try_from(bytes).ok()?.into());
        }
        // Some end it with a zero byte.
        Tag::DhcpName => dhcp.name = Some(text(bytes.trim_suffix_zeros(), NAME_MAX)),
        Tag::DhcpVendor => dhcp.vendor_class = Some(text(bytes.trim_suffix_zeros(), NAME_MAX)),
        _ => return None,
    }
    Some(())
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(bytes) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(bytes).into());
    }
    <[u8; 16]>::try_from(bytes)
        .ok()
        .map(|bytes| Ipv6Addr::from(bytes).into())
}

trait TrimZeros {
    fn trim_suffix_zeros(&self) -> &Self;
}

impl TrimZeros for [u8] {
    fn trim_suffix_zeros(&self) -> &Self {
        let end = self
            .iter()
            .rposition(|byte| *byte != 0)
            .map_or(0, |at| at + 1);
        self.get(..end).unwrap_or_default()
    }
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
        let [Said::Dhcp(dhcp)] = &said[..] else {
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
