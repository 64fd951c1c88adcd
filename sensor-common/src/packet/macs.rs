//! The Ethernet addresses of a packet.

use crate::rule::Clearance;

/// The two Ethernet addresses of a header, destination first, in the two words they are read by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(8))]
pub struct Macs {
    pub(crate) begin: [u8; 8],
    pub(crate) end: [u8; 4],
    pad: [u8; 4],
}

impl Macs {
    /// None.
    pub const EMPTY: Self = Self {
        begin: [0; 8],
        end: [0; 4],
        pad: [0; 4],
    };

    /// From the two words they are read by.
    #[inline(always)]
    pub(crate) const fn of_words(begin: u64, end: u32) -> Self {
        Self {
            begin: begin.to_ne_bytes(),
            end: end.to_ne_bytes(),
            pad: [0; 4],
        }
    }

    /// From a destination and a source, each of four bytes and two.
    #[inline(always)]
    pub(crate) const fn of_parts(destination: (u32, u16), source: (u32, u16)) -> Self {
        let [d0, d1, d2, d3] = destination.0.to_ne_bytes();
        let [d4, d5] = destination.1.to_ne_bytes();
        let [s0, s1, s2, s3] = source.0.to_ne_bytes();
        let [s4, s5] = source.1.to_ne_bytes();
        Self {
            begin: [d0, d1, d2, d3, d4, d5, s0, s1],
            end: [s2, s3, s4, s5],
            pad: [0; 4],
        }
    }

    /// The destination.
    #[inline(always)]
    #[must_use]
    pub const fn destination(&self) -> [u8; 6] {
        let [d0, d1, d2, d3, d4, d5, ..] = self.begin;
        [d0, d1, d2, d3, d4, d5]
    }

    /// The clearance of a packet with these addresses, while the rules are as in `generation`.
    #[inline(always)]
    #[must_use]
    pub const fn clearance(&self, generation: u32) -> Clearance {
        Clearance {
            macs: u64::from_ne_bytes(self.begin),
            macs_and_generation: (u32::from_ne_bytes(self.end) as u64) << 32 | generation as u64,
        }
    }

    /// Twelve bytes, source first, in two words: the first eight, then four.
    #[inline(always)]
    #[must_use]
    pub(crate) const fn turned(&self) -> Self {
        let (begin, end) = (u64::from_le_bytes(self.begin), u32::from_le_bytes(self.end));
        let source = begin >> 48 | (end as u64) << 16;
        Self {
            begin: (source | begin << 48).to_le_bytes(),
            end: ((begin >> 16) as u32).to_le_bytes(),
            pad: [0; 4],
        }
    }

    /// The source.
    #[inline(always)]
    #[must_use]
    pub const fn source(&self) -> [u8; 6] {
        let ([.., s0, s1], [s2, s3, s4, s5]) = (self.begin, self.end);
        [s0, s1, s2, s3, s4, s5]
    }
}
