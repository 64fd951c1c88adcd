//! The layers that a packet is parsed through.

/// What the next bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Layer {
    /// An Ethernet header.
    Ethernet = 0,
    /// An IP header of the version in its first four bits.
    Ip = 1,
    /// An IPv4 header.
    Ip4 = 2,
    /// An IPv6 header.
    Ip6 = 3,
    /// What comes after the IP header and its extension headers, of the protocol that they name.
    Transport = 4,
    /// An `EtherType` and what it says.
    EtherType = 5,
    /// An LLC header (IEEE 802.2).
    Llc = 6,
    /// A label stack of MPLS.
    Mpls = 7,
    /// A header of `PPPoE`.
    Pppoe = 8,
    /// A PPP frame.
    Ppp = 9,
    /// An 802.11 frame.
    Wifi = 10,
    /// The same with the two bytes of its control in the other order.
    WifiSwapped = 13,
    /// [`super::Packet::inside`], if it is there.
    Inside = 14,
    /// What is below the labels of MPLS.
    Below = 15,
    /// Extension headers of IPv6, or an authentication header of IPv4.
    Extensions = 11,
    /// What an IP protocol of a tunnel carries; the packet has its flow key already.
    Carried = 12,
}

impl Layer {
    /// True if [`super::Packet::parse_headers`] reads the layer, false if [`super::Packet::parse_shim`] does.
    #[inline(always)]
    #[must_use]
    pub const fn is_header(layer: u8) -> bool {
        layer <= Self::Transport as u8
    }

    /// True if [`super::Packet::parse_inside`] looks for it; all others are [`super::Packet::parse_shim`]'s.
    #[inline(always)]
    #[must_use]
    pub const fn is_inside(layer: u8) -> bool {
        layer >= Self::Inside as u8
    }
}
