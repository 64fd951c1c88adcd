//! DHCP (RFC 2131): what a client says of itself, and which address it is given.

use std::net::Ipv4Addr;

use sensor_common::tape::Tag;
use sensor_facts::observation::{Asked, DhcpFacts};

use super::name::name;

/// A DHCP message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dhcp {
    /// What is in it.
    pub(crate) facts: DhcpFacts,
    /// Host name that the client gives itself (option 12).
    pub(crate) name: Option<String>,
    /// Vendor class of the client (option 60).
    pub(crate) vendor_class: Option<String>,
}

impl Dhcp {
    /// The message that a record of its fixed part begins.
    pub(super) fn of_head(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; 40] = bytes.try_into().ok()?;
        let word = |at: usize| bytes.get(at..)?.first_chunk::<4>().copied();
        let mac = |at: usize| bytes.get(at..)?.first_chunk::<6>().copied();
        Some(Self {
            facts: DhcpFacts {
                reply: bytes[0] == 2,
                kind: 0,
                transaction: u32::from_be_bytes(word(4)?),
                client_mac: mac(28)?,
                client: word(12)?.into(),
                yours: word(16)?.into(),
                relay: word(24)?.into(),
                requested: None,
                server: None,
                routers: Vec::new(),
                name_servers: Vec::new(),
                frame_mac: mac(34)?,
                asked: Asked::Unknown,
            },
            name: None,
            vendor_class: None,
        })
    }

    /// Takes an option; `None` if it is none, or is malformed.
    pub(super) fn option(&mut self, tag: Tag, bytes: &[u8]) -> Option<()> {
        let facts = &mut self.facts;
        match tag {
            Tag::DhcpType => facts.kind = *bytes.first()?,
            Tag::DhcpRequested => facts.requested = Some(<[u8; 4]>::try_from(bytes).ok()?.into()),
            Tag::DhcpServer => facts.server = Some(<[u8; 4]>::try_from(bytes).ok()?.into()),
            Tag::DhcpRouters => facts.routers = addresses(bytes),
            Tag::DhcpNameServers => facts.name_servers = addresses(bytes),
            Tag::DhcpName => self.name = Some(name(bytes)),
            Tag::DhcpVendor => self.vendor_class = Some(name(bytes)),
            _ => return None,
        }
        Some(())
    }
}

fn addresses(bytes: &[u8]) -> Vec<Ipv4Addr> {
    let all = bytes.chunks_exact(4);
    all.filter_map(|it| Some(<[u8; 4]>::try_from(it).ok()?.into()))
        .collect()
}
