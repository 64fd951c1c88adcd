//! Link types of capture files (<https://www.tcpdump.org/linktypes.html>): what of a captured packet
//! the engine is given.

use sensor_common::{counter::Counter, packet::Layer};

/// How the packets of a capture begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// An Ethernet header: `LINKTYPE_ETHERNET` (1).
    Ethernet,
    /// An IP header: `LINKTYPE_RAW` (101; 12 and 14 where a system's own number was written),
    /// `LINKTYPE_IPV4` (228), `LINKTYPE_IPV6` (229).
    Ip,
    /// An address family in the byte order of the machine that captured, or of the network:
    /// `LINKTYPE_NULL` (0), `LINKTYPE_LOOP` (108).
    Loopback,
    /// Linux "cooked" captures: `LINKTYPE_LINUX_SLL` (113).
    Sll,
    /// Their second version: `LINKTYPE_LINUX_SLL2` (276).
    Sll2,
}

/// What a captured packet holds for the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// A frame that begins with this layer.
    Frame(Layer, &'a [u8]),
    /// Nothing; the disposition under which the packet counts.
    Other(Counter),
}

const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_ARP: u16 = 0x0806;
const ETHERTYPE_IPV6: u16 = 0x86dd;
const ETHERTYPE_TAGS: [u16; 3] = [0x8100, 0x88a8, 0x9100];
/// VLAN tags after a cooked header, which carries no Ethernet header.
const MAX_TAGS: usize = 2;

impl Link {
    /// The link type of a number, if packets of it can be read.
    #[must_use]
    pub const fn from_number(number: u32) -> Option<Self> {
        match number {
            0 | 108 => Some(Self::Loopback),
            1 => Some(Self::Ethernet),
            12 | 14 | 101 | 228 | 229 => Some(Self::Ip),
            113 => Some(Self::Sll),
            276 => Some(Self::Sll2),
            _ => None,
        }
    }

    /// What `packet` holds.
    #[inline]
    #[must_use]
    pub fn content(self, packet: &[u8]) -> Content<'_> {
        match self {
            Self::Ethernet => Content::Frame(Layer::Ethernet, packet),
            Self::Ip => Content::Frame(Layer::Ip, packet),
            Self::Loopback => loopback(packet),
            Self::Sll => match packet.split_first_chunk::<16>() {
                Some(([_, _, t0, t1, .., p0, p1], rest)) => cooked([*t0, *t1], [*p0, *p1], rest),
                None => Content::Other(Counter::LinkTruncated),
            },
            Self::Sll2 => match packet.split_first_chunk::<20>() {
                Some(([p0, p1, _, _, _, _, _, _, t0, t1, ..], rest)) => {
                    cooked([*t0, *t1], [*p0, *p1], rest)
                }
                None => Content::Other(Counter::LinkTruncated),
            },
        }
    }
}

fn loopback(packet: &[u8]) -> Content<'_> {
    let Some((family, rest)) = packet.split_first_chunk::<4>() else {
        return Content::Other(Counter::LinkTruncated);
    };
    let family = u32::from_be_bytes(*family);
    // Families are small numbers, so the order shows.
    match if family > 0xffff {
        family.swap_bytes()
    } else {
        family
    } {
        // AF_INET, and AF_INET6 of Windows and Linux, NetBSD and OpenBSD, FreeBSD, Darwin.
        2 | 10 | 23 | 24 | 28 | 30 => Content::Frame(Layer::Ip, rest),
        _ => Content::Other(Counter::NotIp),
    }
}

/// `hardware` is the device's `ARPHRD_` number, by which the protocol is to be understood.
fn cooked(hardware: [u8; 2], protocol: [u8; 2], rest: &[u8]) -> Content<'_> {
    // Frame relay, 802.11 with radiotap and netlink: no EtherType.
    if matches!(u16::from_be_bytes(hardware), 770 | 803 | 824) {
        return Content::Other(Counter::NotIp);
    }
    let (mut protocol, mut rest) = (u16::from_be_bytes(protocol), rest);
    for _ in 0..MAX_TAGS {
        if !ETHERTYPE_TAGS.contains(&protocol) {
            break;
        }
        let Some(([_, _, p0, p1], after)) = rest.split_first_chunk::<4>() else {
            return Content::Other(Counter::LinkTruncated);
        };
        (protocol, rest) = (u16::from_be_bytes([*p0, *p1]), after);
    }
    match protocol {
        ETHERTYPE_IPV4 | ETHERTYPE_IPV6 => Content::Frame(Layer::Ip, rest),
        ETHERTYPE_ARP => Content::Other(Counter::Arp),
        tag if ETHERTYPE_TAGS.contains(&tag) => Content::Other(Counter::VlanDepth),
        _ => Content::Other(Counter::NotIp),
    }
}
