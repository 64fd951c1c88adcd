//! What could not be read, by kind: the EtherType, the UDP port or the like that says what it is.
//!
//! A CPU counts few kinds at a time ([`KINDS`]). A kind that finds no place takes one from the count of another, by turns;
//! so a kind that makes up most of the traffic keeps its place, whatever else is sent to displace it, and its count
//! is short by at most an eighth of the others'.

use core::mem;

/// Kinds that are counted at a time; a power of two.
pub const KINDS: usize = 8;

/// What tells a kind; the upper half of its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum By {
    /// The `EtherType` of a frame.
    EtherType = 1,
    /// The port of a tunnel over UDP whose contents are not what the port says.
    UdpPort = 2,
    /// The addresses of an LLC header (IEEE 802.2): destination, then source.
    Llc = 3,
    /// The protocol of a PPP frame.
    Ppp = 4,
    /// The protocol type of a GRE header.
    Gre = 5,
    /// The first byte of an 802.11 frame's control field; 0x40 is added to one that is encrypted.
    Wifi = 6,
    /// The first byte below the labels of MPLS.
    Mpls = 7,
    /// The IP protocol of a tunnel whose contents are not what it says.
    Ip = 8,
    /// The link type of a capture file's packet, or a family or type of its header.
    Link = 9,
}

/// A kind, as a number that is not 0.
#[inline(always)]
#[must_use]
pub const fn kind(by: By, value: u16) -> u32 {
    (by as u32) << 16 | value as u32
}

/// Names of known kinds.
const NAMES: &[(u32, &str)] = &[
    (kind(By::EtherType, 0x2000), "CDP"),
    (kind(By::EtherType, 0x22f3), "TRILL"),
    (kind(By::EtherType, 0x6002), "DEC MOP"),
    (kind(By::EtherType, 0x8137), "IPX"),
    (kind(By::EtherType, 0x8808), "flow control"),
    (kind(By::EtherType, 0x8809), "slow protocols, as LACP"),
    (kind(By::EtherType, 0x8863), "PPPoE discovery"),
    (kind(By::EtherType, 0x8892), "PROFINET"),
    (kind(By::EtherType, 0x8899), "Realtek"),
    (kind(By::EtherType, 0x888e), "802.1X"),
    (kind(By::EtherType, 0x88a4), "EtherCAT"),
    (kind(By::EtherType, 0x88cc), "LLDP"),
    (kind(By::EtherType, 0x88e5), "MACsec"),
    (kind(By::EtherType, 0x88f7), "PTP"),
    (kind(By::EtherType, 0x8902), "connectivity faults, as CFM"),
    (kind(By::EtherType, 0x8903), "Cisco FabricPath"),
    (kind(By::EtherType, 0x894f), "NSH"),
    (kind(By::EtherType, 0x9000), "loop detection"),
    (kind(By::UdpPort, 1701), "L2TP"),
    (kind(By::UdpPort, 2152), "GTP-U"),
    (kind(By::UdpPort, 3544), "Teredo"),
    (kind(By::UdpPort, 4789), "VXLAN"),
    (kind(By::UdpPort, 4790), "VXLAN-GPE"),
    (kind(By::UdpPort, 5072), "AYIYA"),
    (
        kind(By::UdpPort, 5247),
        "CAPWAP data, as where it is encrypted",
    ),
    (kind(By::UdpPort, 6081), "GENEVE"),
    (kind(By::UdpPort, 7932), "HP ERM mirror"),
    (kind(By::UdpPort, 8472), "VXLAN"),
    (kind(By::UdpPort, 37008), "TZSP mirror"),
    (kind(By::Llc, 0x4242), "spanning tree"),
    (kind(By::Llc, 0xaaaa), "SNAP of a vendor's own, as CDP"),
    (kind(By::Llc, 0xe0e0), "IPX"),
    (kind(By::Llc, 0xf0f0), "NetBIOS"),
    (kind(By::Llc, 0xfefe), "OSI, as IS-IS"),
    (kind(By::Llc, 0xffff), "IPX"),
    (kind(By::Ppp, 0x00fd), "compressed"),
    (kind(By::Ppp, 0x0053), "encrypted"),
    (kind(By::Wifi, 0x0048), "802.11, encrypted"),
    (kind(By::Wifi, 0x00c8), "802.11, encrypted"),
    (kind(By::Wifi, 0x0080), "802.11 beacons"),
];

/// A kind in words, as `EtherType 0x88e5: MACsec`.
#[derive(Clone, Copy, Debug)]
pub struct Words(u32);

/// The words for a kind.
#[must_use]
pub const fn words(kind: u32) -> Words {
    Words(kind)
}

/// The kinds that have a name.
pub fn named() -> impl Iterator<Item = u32> {
    NAMES.iter().map(|(kind, _)| *kind)
}

impl core::fmt::Display for Words {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let value = self.0 & 0xffff;
        match self.0 >> 16 {
            1 => write!(f, "EtherType 0x{value:04x}"),
            2 => write!(f, "UDP port {value}"),
            3 => write!(f, "LLC 0x{value:04x}"),
            4 => write!(f, "PPP protocol 0x{value:04x}"),
            5 => write!(f, "GRE protocol 0x{value:04x}"),
            6 => write!(f, "802.11 frame control 0x{value:02x}"),
            7 => write!(f, "MPLS with first byte 0x{value:02x}"),
            8 => write!(f, "IP protocol {value}"),
            _ => write!(f, "link type {value}"),
        }?;
        match NAMES.iter().find(|(kind, _)| *kind == self.0) {
            Some((_, name)) => write!(f, ": {name}"),
            None => Ok(()),
        }
    }
}

/// Packets by kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Unread {
    packets: [u64; KINDS],
    kinds: [u32; KINDS],
    /// The place that gives way next.
    turn: u32,
    pad: u32,
}

impl Unread {
    /// None.
    pub const NONE: Self = Self {
        packets: [0; KINDS],
        kinds: [0; KINDS],
        turn: 0,
        pad: 0,
    };

    /// Counts a packet of a kind.
    #[inline(always)]
    pub fn count(&mut self, kind: u32) {
        let mut place = KINDS;
        for (at, there) in self.kinds.iter().enumerate() {
            if *there == kind {
                place = at;
                break;
            }
            if *there == 0 && place == KINDS {
                place = at;
            }
        }
        if place == KINDS {
            place = self.turn as usize & (KINDS - 1);
            self.turn = self.turn.wrapping_add(1);
            if let Some(packets) = self.packets.get_mut(place) {
                if *packets > 1 {
                    *packets -= 1;
                    return;
                }
                *packets = 0;
            }
        }
        let place = place & (KINDS - 1);
        if let (Some(there), Some(packets)) =
            (self.kinds.get_mut(place), self.packets.get_mut(place))
        {
            *there = kind;
            *packets = packets.wrapping_add(1);
        }
    }

    /// The kinds with their packets.
    pub fn kinds(&self) -> impl Iterator<Item = (u32, u64)> {
        self.kinds
            .into_iter()
            .zip(self.packets)
            .filter(|(kind, packets)| *kind != 0 && *packets != 0)
    }

    /// Packets of a kind.
    #[must_use]
    pub fn of(&self, kind: u32) -> u64 {
        self.kinds()
            .find(|(there, _)| *there == kind)
            .map_or(0, |(_, packets)| packets)
    }

    /// The kind with the most packets.
    #[must_use]
    pub fn most(&self) -> Option<(u32, u64)> {
        self.kinds().max_by_key(|(_, packets)| *packets)
    }

    /// Adds the packets of `other`; where there are too many kinds, those with the fewest packets are left out.
    pub fn merge(&mut self, other: &Self) {
        for (kind, packets) in other.kinds() {
            let there = self.kinds.iter().position(|there| *there == kind);
            let place = there.or_else(|| {
                let least = self.packets.iter().enumerate().min_by_key(|(_, n)| **n);
                least.filter(|(_, n)| **n < packets).map(|(at, _)| at)
            });
            let Some(place) = place else { continue };
            if let (Some(there), Some(sum)) =
                (self.kinds.get_mut(place), self.packets.get_mut(place))
            {
                let before = if mem::replace(there, kind) == kind {
                    *sum
                } else {
                    0
                };
                *sum = before.wrapping_add(packets);
            }
        }
    }

    /// What was added since `before`.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let mut difference = Self::NONE;
        let left = self
            .kinds()
            .map(|(kind, packets)| (kind, packets.saturating_sub(before.of(kind))));
        for ((there, sum), (kind, packets)) in difference
            .kinds
            .iter_mut()
            .zip(difference.packets.iter_mut())
            .zip(left.filter(|(_, packets)| *packets > 0))
        {
            (*there, *sum) = (kind, packets);
        }
        difference
    }
}
