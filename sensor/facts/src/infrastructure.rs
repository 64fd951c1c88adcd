//! What DHCP (RFC 2131) and IPv6 neighbour discovery (RFC 4861) say of a network: who has which address, who gives them out,
//! and who routes.

use std::net::{Ipv4Addr, Ipv6Addr};

use sensor_common::notice::neighbour;

use crate::observation::Mac;

/// DHCP message types (RFC 2132 section 9.6).
pub mod dhcp {
    /// DHCPDISCOVER.
    pub const DISCOVER: u8 = 1;
    /// DHCPOFFER.
    pub const OFFER: u8 = 2;
    /// DHCPREQUEST.
    pub const REQUEST: u8 = 3;
    /// DHCPACK.
    pub const ACK: u8 = 5;
    /// DHCPNAK.
    pub const NAK: u8 = 6;
    /// DHCPINFORM.
    pub const INFORM: u8 = 8;
}

/// Whether a client asked for what a DHCP server says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Asked {
    /// It did, in this transaction, shortly before.
    Yes,
    /// It did not, as far as was seen.
    No,
    /// So many ask that not all of it was seen; also of what a client says.
    #[default]
    Unknown,
}

/// A DHCP message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DhcpFacts {
    /// A server sent it.
    pub reply: bool,
    /// Message type (RFC 2132 section 9.6, [`dhcp`]); 0 without one, as in BOOTP.
    pub kind: u8,
    /// The transaction that it belongs to.
    pub transaction: u32,
    /// Ethernet address of the client (`chaddr`).
    pub client_mac: Mac,
    /// The address that the client has (`ciaddr`).
    pub client: Ipv4Addr,
    /// The address that the client is given (`yiaddr`).
    pub yours: Ipv4Addr,
    /// The relay agent that the message goes through (`giaddr`); unspecified without one.
    pub relay: Ipv4Addr,
    /// The address that the client asks for (option 50).
    pub requested: Option<Ipv4Addr>,
    /// The server that says it, or that is meant (option 54).
    pub server: Option<Ipv4Addr>,
    /// Routers that the client is to use (option 3), a few of them.
    pub routers: Vec<Ipv4Addr>,
    /// Name servers that the client is to use (option 6), a few of them.
    pub name_servers: Vec<Ipv4Addr>,
    /// Source of the Ethernet header.
    pub frame_mac: Mac,
    /// Whether the client asked, of what a server says.
    pub asked: Asked,
}

/// An address that a server leaves to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Ethernet address of the client.
    pub mac: Mac,
    /// The address.
    pub address: Ipv4Addr,
}

impl DhcpFacts {
    /// A client's message of a type, which says nothing else.
    #[must_use]
    pub const fn plain(kind: u8, mac: Mac, transaction: u32) -> Self {
        Self {
            reply: false,
            kind,
            transaction,
            client_mac: mac,
            client: Ipv4Addr::UNSPECIFIED,
            yours: Ipv4Addr::UNSPECIFIED,
            relay: Ipv4Addr::UNSPECIFIED,
            requested: None,
            server: None,
            routers: Vec::new(),
            name_servers: Vec::new(),
            frame_mac: mac,
            asked: Asked::Unknown,
        }
    }

    /// What the server leaves to the client by this message.
    #[must_use]
    pub fn lease(&self) -> Option<Lease> {
        (self.reply && self.kind == dhcp::ACK && !self.yours.is_unspecified()).then_some(Lease {
            mac: self.client_mac,
            address: self.yours,
        })
    }
}

/// A neighbour solicitation or advertisement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeighbourFacts {
    /// It asks; otherwise it answers or announces.
    pub solicitation: bool,
    /// Of an advertisement: someone asked for it, it says.
    pub solicited: bool,
    /// Of an advertisement: it is to replace what is known.
    pub replaces: bool,
    /// Who sent it; unspecified while an address is tried out (RFC 4862 section 5.4).
    pub source: Ipv6Addr,
    /// To whom it was sent.
    pub destination: Ipv6Addr,
    /// The address that it is about.
    pub target: Ipv6Addr,
    /// The Ethernet address in its option: of the source in a solicitation, of the target in an advertisement.
    pub link: Option<Mac>,
    /// Source of the Ethernet header.
    pub frame_mac: Mac,
}

impl NeighbourFacts {
    /// The address that it says to have, and the Ethernet address at which; none of one that is tried out.
    #[must_use]
    pub fn claim(&self) -> Option<(Ipv6Addr, Mac)> {
        let address = if self.solicitation {
            self.link.map(|_| self.source)
        } else {
            Some(self.target)
        };
        let address = address.filter(|address| !address.is_unspecified())?;
        Some((address, self.link.unwrap_or(self.frame_mac)))
    }

    /// From the bytes of a [`sensor_common::tape::Tag::Neighbour`] record and the ends of its datagram.
    #[must_use]
    pub fn of_record(bytes: &[u8], source: Ipv6Addr, destination: Ipv6Addr) -> Option<Self> {
        let ([kind, _, _, _, flags, ..], rest) = bytes.split_first_chunk::<8>()?;
        let (target, rest) = rest.split_first_chunk::<16>()?;
        // These bits of a solicitation mean nothing.
        let tells = *kind == neighbour::ADVERTISEMENT;
        Some(Self {
            solicitation: !tells,
            solicited: tells && flags & neighbour::SOLICITED != 0,
            replaces: tells && flags & neighbour::OVERRIDE != 0,
            source,
            destination,
            target: (*target).into(),
            link: None,
            frame_mac: rest.try_into().ok()?,
        })
    }
}

/// A prefix that a router announces (RFC 4861 section 4.6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Prefix {
    /// The prefix.
    pub address: Ipv6Addr,
    /// Its length, bits.
    pub length: u8,
    /// How long hosts use addresses with this prefix, in seconds.
    pub valid: u32,
}

/// A router advertisement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouterFacts {
    /// Who sent it.
    pub source: Ipv6Addr,
    /// The hop limit that hosts are to use; 0 says nothing.
    pub hop_limit: u8,
    /// Flags: managed, other, preference (RFC 4861 section 4.2, RFC 4191).
    pub flags: u8,
    /// How long it is a default router, in seconds; 0 if it is none.
    pub lifetime: u16,
    /// The Ethernet address in its option.
    pub link: Option<Mac>,
    /// Prefixes, at most [`RouterFacts::MOST`].
    pub prefixes: Vec<Prefix>,
    /// Name servers, at most [`RouterFacts::MOST`].
    pub name_servers: Vec<Ipv6Addr>,
    /// Source of the Ethernet header.
    pub frame_mac: Mac,
}

impl RouterFacts {
    /// Prefixes and name servers that are kept.
    pub const MOST: usize = 8;

    /// From the bytes of a [`sensor_common::tape::Tag::RouterAdvertisement`] record and its sender.
    #[must_use]
    pub fn of_record(bytes: &[u8], source: Ipv6Addr) -> Option<Self> {
        let ([_, _, _, _, hop_limit, flags, high, low], rest) = bytes.split_first_chunk()?;
        Some(Self {
            source,
            hop_limit: *hop_limit,
            flags: *flags,
            lifetime: u16::from_be_bytes([*high, *low]),
            link: None,
            prefixes: Vec::new(),
            name_servers: Vec::new(),
            frame_mac: rest.try_into().ok()?,
        })
    }

    /// Takes the bytes of a [`sensor_common::tape::Tag::RouterPrefix`] record.
    pub fn add_prefix(&mut self, bytes: &[u8]) -> Option<()> {
        let ([length, _], rest) = bytes.split_first_chunk()?;
        let (valid, rest) = rest.split_first_chunk::<4>()?;
        let address: [u8; 16] = rest.get(8..)?.try_into().ok()?;
        if self.prefixes.len() < Self::MOST {
            self.prefixes.push(Prefix {
                address: address.into(),
                length: *length,
                valid: u32::from_be_bytes(*valid),
            });
        }
        Some(())
    }

    /// Takes the bytes of a [`sensor_common::tape::Tag::RouterDns`] record.
    pub fn add_name_servers(&mut self, bytes: &[u8]) -> Option<()> {
        let (_, addresses) = bytes.split_first_chunk::<6>()?;
        for address in addresses.chunks_exact(16) {
            let address: [u8; 16] = address.try_into().ok()?;
            if self.name_servers.len() < Self::MOST {
                self.name_servers.push(address.into());
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: Mac = [2, 0, 0, 0, 0, 9];

    fn host(number: u16) -> Ipv6Addr {
        Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, number)
    }

    #[test]
    fn a_solicitation_claims_its_source_and_an_advertisement_its_target() {
        let record = |kind: u8, flags: u8| {
            let mut bytes = vec![kind, 0, 0, 0, flags, 0, 0, 0];
            bytes.extend(host(7).octets());
            bytes.extend(MAC);
            bytes
        };
        let to = host(1);
        let mut asks = NeighbourFacts::of_record(&record(135, 0), host(5), to).unwrap();
        assert_eq!(asks.claim(), None, "it names no Ethernet address");
        asks.link = Some([2; 6]);
        assert_eq!(asks.claim(), Some((host(5), [2; 6])));
        asks.source = Ipv6Addr::UNSPECIFIED;
        assert_eq!(asks.claim(), None, "an address that is tried out");
        let tells = NeighbourFacts::of_record(&record(136, 0x60), host(5), to).unwrap();
        assert!(tells.solicited && tells.replaces && !tells.solicitation);
        assert_eq!(tells.claim(), Some((host(7), MAC)));
        assert_eq!(NeighbourFacts::of_record(&[135; 29], host(5), to), None);
    }

    #[test]
    fn prefixes_and_name_servers_are_read_and_bounded() {
        let mut router =
            RouterFacts::of_record(&[134, 0, 0, 0, 64, 0x08, 7, 8, 2, 0, 0, 0, 0, 9], host(1))
                .unwrap();
        assert_eq!((router.lifetime, router.frame_mac), (0x0708, MAC));
        let mut prefix = vec![64, 0xc0, 0, 0, 1, 0, 0, 0, 0, 9, 0, 0, 0, 0];
        prefix.extend(Ipv6Addr::from([0x20; 16]).octets());
        let dns = [&[0; 6][..], &[7; 16], &[8; 16]].concat();
        for _ in 0..20 {
            router.add_prefix(&prefix).unwrap();
            router.add_name_servers(&dns).unwrap();
        }
        assert_eq!(
            (router.prefixes[0].length, router.prefixes[0].valid),
            (64, 256)
        );
        assert_eq!(router.name_servers[1], Ipv6Addr::from([8; 16]));
        assert_eq!((router.prefixes.len(), router.name_servers.len()), (8, 8));
        assert_eq!(router.add_prefix(&prefix[..29]), None);
        assert_eq!(router.add_name_servers(&[0; 5]), None);
    }
}
