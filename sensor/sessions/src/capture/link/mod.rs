//! Link types of capture files (<https://www.tcpdump.org/linktypes.html>): what of a captured packet
//! the engine is given.

mod content;
mod cooked;
mod nflog;
mod radio;

pub use content::Content;
use content::{CUT, family_of, not_ip, of_family};
use sensor_common::{packet::Layer, unread::By};

macro_rules! links {
    ($($(#[doc = $doc:literal])+ $name:ident = [$($number:literal),+];)+) => {
        /// How the packets of a capture begin.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Link {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Link {
            /// Every kind, with its numbers.
            pub const ALL: &'static [(Self, &'static [u32])] = &[$((Self::$name, &[$($number),+]),)+];

            /// The link type of a number, if packets of it can be read.
            #[must_use]
            pub const fn from_number(number: u32) -> Option<Self> {
                match number {
                    $($($number)|+ => Some(Self::$name),)+
                    _ => None,
                }
            }

            /// What it is.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc,)+),)+ }
            }
        }
    };
}

links! {
    /// Ethernet
    Ethernet = [1];
    /// IP without a header of a link, of either version or one of them; 12 and 14 where a system's own number was written
    Ip = [12, 14, 101, 228, 229];
    /// BSD loopback: an address family in the byte order of the machine that captured, or of the network
    Loopback = [0, 108];
    /// Linux cooked captures
    Sll = [113];
    /// Linux cooked captures, version 2
    Sll2 = [276];
    /// Token ring
    TokenRing = [6];
    /// ARCNET with RFC 1201 headers, packets that are whole
    Arcnet = [7];
    /// PPP, with or without address and control
    Ppp = [9, 50];
    /// PPP with a direction in place of the address
    PppDirection = [166];
    /// PPP behind a byte for the direction
    PppWithDirection = [204];
    /// Sessions of PPP over Ethernet, without an Ethernet header
    PppEther = [51];
    /// FDDI
    Fddi = [10];
    /// LLC on ATM (RFC 1483)
    Atm = [11];
    /// Cisco HDLC
    CiscoHdlc = [104];
    /// 802.11
    Wifi = [105];
    /// 802.11 behind a header of Prism
    Prism = [119];
    /// 802.11 behind a header of radiotap
    Radiotap = [127];
    /// 802.11 behind a header of AVS
    Avs = [163];
    /// PPI, which names another of these
    Ppi = [192];
    /// Frame relay (RFC 2427)
    FrameRelay = [107];
    /// IP over IEEE 1394 of Apple
    Ieee1394 = [138];
    /// Linux NFLOG
    Nflog = [239];
}

impl Link {
    /// What `packet` holds.
    #[inline]
    #[must_use]
    pub fn content(self, packet: &[u8]) -> Content<'_> {
        match self {
            Self::Ethernet => Content::Frame(Layer::Ethernet, packet),
            Self::Ip => Content::Frame(Layer::Ip, packet),
            other => other.unusual(packet).unwrap_or(CUT),
        }
    }

    /// `None` for a packet that ends within its header.
    fn unusual(self, packet: &[u8]) -> Option<Content<'_>> {
        Some(match self {
            Self::Ethernet => Content::Frame(Layer::Ethernet, packet),
            Self::Ip => Content::Frame(Layer::Ip, packet),
            Self::Loopback => {
                let (family, rest) = packet.split_first_chunk::<4>()?;
                of_family(family_of(*family), rest)
            }
            Self::Sll => cooked::first(packet)?,
            Self::Sll2 => cooked::second(packet)?,
            Self::TokenRing => token_ring(packet)?,
            // Frame control and addresses (ANSI X3.139).
            Self::Fddi => Content::Frame(Layer::Llc, packet.get(13..)?),
            Self::Arcnet => arcnet(packet)?,
            Self::Ppp => ppp(packet)?,
            Self::PppDirection => Content::Frame(Layer::Ppp, packet.get(2..)?),
            Self::PppWithDirection => ppp(packet.get(1..)?)?,
            Self::PppEther => Content::Frame(Layer::Pppoe, packet),
            Self::Atm => Content::Frame(Layer::Llc, packet),
            Self::CiscoHdlc => Content::Frame(Layer::EtherType, packet.get(2..)?),
            Self::Wifi => Content::Frame(Layer::Wifi, packet),
            Self::Prism => radio::prism(packet)?,
            Self::Radiotap => radio::radiotap(packet)?,
            Self::Avs => radio::avs(packet)?,
            Self::Ppi => radio::ppi(packet)?,
            Self::FrameRelay => frame_relay(packet)?,
            // Addresses of eight bytes.
            Self::Ieee1394 => Content::Frame(Layer::EtherType, packet.get(16..)?),
            Self::Nflog => nflog::payload(packet)?,
        })
    }
}

/// PPP, or Cisco's HDLC where the address is its (RFC 1547 section 4.3.1 of what came before PPP).
fn ppp(packet: &[u8]) -> Option<Content<'_>> {
    Some(match packet.first()? {
        0x0f | 0x8f => Content::Frame(Layer::EtherType, packet.get(2..)?),
        _ => Content::Frame(Layer::Ppp, packet),
    })
}

/// Access control, frame control, addresses; a route where the source's first bit is set (IEEE 802.5).
fn token_ring(packet: &[u8]) -> Option<Content<'_>> {
    let (header, rest) = packet.split_first_chunk::<14>()?;
    let route = if header[8] & 0x80 != 0 {
        usize::from(rest.first()? & 0x1f)
    } else {
        0
    };
    Some(match header[1] & 0xc0 {
        0x40 => Content::Frame(Layer::Llc, rest.get(route..)?),
        _ => not_ip(By::Link, 6),
    })
}

/// Source, destination, protocol (RFC 1201 section 2): IPv4 and IPv6 in one packet; the older IPv4 of RFC 1051.
fn arcnet(packet: &[u8]) -> Option<Content<'_>> {
    let ([_, _, protocol], rest) = packet.split_first_chunk::<3>()?;
    Some(match (protocol, rest.first()?) {
        (240, _) => Content::Frame(Layer::Ip, rest),
        (212 | 196, 0) => Content::Frame(Layer::Ip, rest.get(3..)?),
        // A packet whose length ARCNET can't say.
        (212 | 196, 0xff) => Content::Frame(Layer::Ip, rest.get(7..)?),
        (other, _) => not_ip(By::Link, u16::from(*other)),
    })
}

/// An address of two to four bytes, control, a pad, then the protocol (RFC 2427 section 3).
fn frame_relay(packet: &[u8]) -> Option<Content<'_>> {
    let address = packet.iter().take(4).position(|byte| byte & 1 == 1)? + 1;
    let mut rest = packet.get(address..)?;
    // Without control it is Cisco's, with an EtherType.
    if *rest.first()? != 3 {
        return Some(Content::Frame(Layer::EtherType, rest));
    }
    rest = rest.get(1..)?;
    if *rest.first()? == 0 {
        rest = rest.get(1..)?;
    }
    let (protocol, rest) = rest.split_first()?;
    Some(match protocol {
        0xcc | 0x8e => Content::Frame(Layer::Ip, rest),
        // SNAP without the addresses of LLC: an organisation, then an EtherType.
        0x80 if rest.starts_with(&[0, 0, 0]) => Content::Frame(Layer::EtherType, rest.get(3..)?),
        other => not_ip(By::Link, u16::from(*other)),
    })
}
