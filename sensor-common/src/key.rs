//! Flow keys: both directions of a conversation give the same key.
//!
//! Endpoints are stored in ascending order of (address, port) as big-endian bytes; the lesser one is
//! endpoint A. A packet from A to B travels in [`Direction::AToB`].

use core::mem;

/// Which way a packet of a flow travels, as index of [`crate::flow::Flow::directions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Direction {
    /// From the lesser endpoint to the greater.
    AToB = 0,
    /// From the greater endpoint to the lesser.
    BToA = 1,
}

impl Direction {
    /// The direction of an index; all but 1 is A to B.
    #[must_use]
    pub const fn from_index(index: u8) -> Self {
        if index == 1 { Self::BToA } else { Self::AToB }
    }

    /// The other way.
    #[must_use]
    pub const fn reversed(self) -> Self {
        match self {
            Self::AToB => Self::BToA,
            Self::BToA => Self::AToB,
        }
    }
}

/// Key of an IPv4 flow as the kernel's maps hold it: 16 bytes, since a look-up's cost grows with the key.
///
/// Aligned so that it is written and compared by two stores and loads: reading a word of which the bytes were just
/// stored one by one stalls the CPU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C, align(8))]
pub struct Key4 {
    /// Address of endpoint A, network order.
    pub addr_a: [u8; 4],
    /// Address of endpoint B, network order.
    pub addr_b: [u8; 4],
    /// Port of endpoint A, network order; for ICMP see [`crate::packet`].
    pub port_a: [u8; 2],
    /// Port of endpoint B, network order.
    pub port_b: [u8; 2],
    /// IP protocol number.
    pub protocol: u8,
    /// Always zero: padding in a key would break look-ups.
    pub pad: [u8; 3],
}

/// Key of a flow of either family: what events carry, and the key of the IPv6 maps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C, align(8))]
pub struct FlowKey {
    /// Address of endpoint A, network order; IPv4 in the first four bytes, the rest zero.
    pub addr_a: [u8; 16],
    /// Address of endpoint B.
    pub addr_b: [u8; 16],
    /// Port of endpoint A, network order.
    pub port_a: [u8; 2],
    /// Port of endpoint B, network order.
    pub port_b: [u8; 2],
    /// IP protocol number.
    pub protocol: u8,
    /// 4 or 6.
    pub family: u8,
    /// Always zero.
    pub pad: [u8; 2],
}

impl From<&Key4> for FlowKey {
    #[inline(always)]
    fn from(key: &Key4) -> Self {
        let [a0, a1, a2, a3] = key.addr_a;
        let [b0, b1, b2, b3] = key.addr_b;
        Self {
            addr_a: [a0, a1, a2, a3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            addr_b: [b0, b1, b2, b3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            port_a: key.port_a,
            port_b: key.port_b,
            protocol: key.protocol,
            family: 4,
            pad: [0; 2],
        }
    }
}

impl Key4 {
    /// All zero.
    pub const EMPTY: Self = Self {
        addr_a: [0; 4],
        addr_b: [0; 4],
        port_a: [0; 2],
        port_b: [0; 2],
        protocol: 0,
        pad: [0; 3],
    };

    /// From the words in which a packet has them, in network order: addresses, and both ports as one.
    #[inline(always)]
    pub(crate) const fn of_words(addr_a: u32, addr_b: u32, ports: u32, protocol: u8) -> Self {
        let low = u32::from_ne_bytes([protocol, 0, 0, 0]);
        let words = if cfg!(target_endian = "little") {
            [
                (addr_b as u64) << 32 | addr_a as u64,
                (low as u64) << 32 | ports as u64,
            ]
        } else {
            [
                (addr_a as u64) << 32 | addr_b as u64,
                (ports as u64) << 32 | low as u64,
            ]
        };
        // SAFETY: as many bytes, aligned alike; every bit pattern is a key.
        unsafe { mem::transmute::<[u64; 2], Self>(words) }
    }

    /// Its bytes as two words.
    #[inline(always)]
    #[must_use]
    pub const fn words(&self) -> [u64; 2] {
        // SAFETY: as many bytes, aligned alike, without padding.
        unsafe { mem::transmute::<Self, [u64; 2]>(*self) }
    }
}

impl FlowKey {
    /// All zero.
    pub const EMPTY: Self = Self {
        addr_a: [0; 16],
        addr_b: [0; 16],
        port_a: [0; 2],
        port_b: [0; 2],
        protocol: 0,
        family: 0,
        pad: [0; 2],
    };
}
