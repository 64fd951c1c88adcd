//! DHCP messages (RFC 2131, options of RFC 2132).

use std::net::Ipv4Addr;

use super::frame::Mac;

/// Types of messages (option 53).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum MessageType {
    /// A client looks for a server.
    Discover = 1,
    /// A server offers an address.
    Offer = 2,
    /// A client takes the address, or wants it longer.
    Request = 3,
    /// The server agrees.
    Ack = 5,
    /// The server refuses.
    Nak = 6,
}

/// What a message says.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// What it is.
    pub kind: MessageType,
    /// The transaction that it belongs to.
    pub id: u32,
    /// The client.
    pub mac: Mac,
    /// The address that it has.
    pub has: Ipv4Addr,
    /// The address that is given, or asked for.
    pub address: Ipv4Addr,
    /// The server.
    pub server: Ipv4Addr,
    /// The client's name.
    pub name: &'a str,
}

impl Message<'_> {
    /// The bytes of the message.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let reply = matches!(
            self.kind,
            MessageType::Offer | MessageType::Ack | MessageType::Nak
        );
        let mut out = vec![if reply { 2 } else { 1 }, 1, 6, 0];
        out.extend_from_slice(&self.id.to_be_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&self.has.octets());
        let yours = if reply {
            self.address
        } else {
            Ipv4Addr::UNSPECIFIED
        };
        out.extend_from_slice(&yours.octets());
        out.extend_from_slice(&[0; 8]);
        out.extend_from_slice(&self.mac);
        out.extend_from_slice(&[0; 10 + 64 + 128]);
        out.extend_from_slice(&[99, 130, 83, 99, 53, 1, self.kind as u8]);
        if reply {
            out.extend_from_slice(&[54, 4]);
            out.extend_from_slice(&self.server.octets());
            out.extend_from_slice(&[51, 4, 0, 1, 0x51, 0x80]);
        } else {
            out.extend_from_slice(&[50, 4]);
            out.extend_from_slice(&self.address.octets());
            out.extend_from_slice(&[12, u8::try_from(self.name.len()).unwrap_or(0)]);
            out.extend_from_slice(self.name.as_bytes());
            out.extend_from_slice(&[55, 4, 1, 3, 6, 15]);
        }
        out.push(255);
        if out.len() < 300 {
            out.resize(300, 0);
        }
        out
    }
}
