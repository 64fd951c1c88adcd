//! DHCP (RFC 2131): what a client says of itself, and which address it is given.

use std::net::Ipv4Addr;

use sensor_common::tape::Tag;
use sensor_facts::observation::Mac;

use super::name::name;

/// A DHCP message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dhcp {
    /// A server sent it.
    pub(crate) reply: bool,
    /// Message type (RFC 2132 section 9.6), 0 without one.
    pub(crate) kind: u8,
    /// Ethernet address of the client.
    pub(crate) mac: Mac,
    /// The address that the client has.
    pub(crate) client: Ipv4Addr,
    /// The address that it is given.
    pub(crate) yours: Ipv4Addr,
    /// The address that it asks for.
    pub(crate) requested: Option<Ipv4Addr>,
    /// Host name that the client gives itself (option 12).
    pub(crate) name: Option<String>,
    /// Vendor class of the client (option 60).
    pub(crate) vendor_class: Option<String>,
}

/// The message type DHCPACK (RFC 2132 section 9.6).
const ACK: u8 = 5;

impl Dhcp {
    /// The address that the server leaves to the client by this message.
    pub(crate) fn leased(&self) -> Option<Ipv4Addr> {
        (self.reply && self.kind == ACK && !self.yours.is_unspecified()).then_some(self.yours)
    }
}

impl Dhcp {
    /// The message that a record of its fixed part begins.
    pub(super) fn of_head(bytes: &[u8]) -> Option<Self> {
        let (operation, rest) = bytes.split_first()?;
        let (mac, rest) = rest.split_first_chunk::<6>()?;
        let (client, rest) = rest.split_first_chunk::<4>()?;
        let yours: [u8; 4] = rest.try_into().ok()?;
        Some(Self {
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

    /// Takes an option; `None` if it is none, or is malformed.
    pub(super) fn option(&mut self, tag: Tag, bytes: &[u8]) -> Option<()> {
        match tag {
            Tag::DhcpType => self.kind = *bytes.first()?,
            Tag::DhcpRequested => {
                self.requested = Some(<[u8; 4]>::try_from(bytes).ok()?.into());
            }
            Tag::DhcpName => self.name = Some(name(bytes)),
            Tag::DhcpVendor => self.vendor_class = Some(name(bytes)),
            _ => return None,
        }
        Some(())
    }
}
