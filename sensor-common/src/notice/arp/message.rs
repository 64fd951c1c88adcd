//! An ARP message for IPv4 over Ethernet, and the record that leaves the kernel of it.

use crate::{
    bytes::{Frame, View},
    packet::Macs,
};

/// Bytes of an ARP message for IPv4 over Ethernet.
const LENGTH: usize = 28;
/// Hardware type Ethernet, protocol type IPv4, lengths 6 and 4, as one word.
const ETHERNET: u32 = 0x0001_0800;
const LENGTHS: u16 = 0x0604;

/// Operation of a request.
pub const REQUEST: u8 = 1;
/// Operation of a reply.
pub const REPLY: u8 = 2;

/// Key of the table of claims: sender, target and operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C, align(8))]
pub struct ArpKey {
    /// Sender hardware address.
    pub mac: [u8; 6],
    /// [`REQUEST`] or [`REPLY`].
    pub operation: u8,
    /// Always zero.
    pub pad: u8,
    /// Sender protocol address.
    pub sender: [u8; 4],
    /// Target protocol address.
    pub target: [u8; 4],
}

/// An ARP message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Arp {
    /// Sender, target and operation.
    pub key: ArpKey,
    /// Target hardware address; in a request of no meaning.
    pub target_mac: [u8; 6],
    /// Source of the Ethernet header.
    pub frame_mac: [u8; 6],
    /// Always zero.
    pub pad: [u8; 4],
}

/// Bytes of a [`crate::tape::Tag::Arp`] record.
pub const RECORD: usize = 31;

impl Arp {
    /// Before the first message.
    pub const EMPTY: Self = Self {
        key: ArpKey {
            mac: [0; 6],
            operation: 0,
            pad: 0,
            sender: [0; 4],
            target: [0; 4],
        },
        target_mac: [0; 6],
        frame_mac: [0; 6],
        pad: [0; 4],
    };

    /// Reads the message at `offset`; `None` where it is cut, of other kinds of addresses, or neither
    /// request nor reply.
    #[inline(always)]
    pub(crate) fn parse<F: Frame>(frame: &F, offset: u32, macs: &Macs) -> Option<Self> {
        let view = frame.view::<LENGTH>(offset)?;
        let operation = view.be16::<6>();
        if view.be32::<0>() != ETHERNET || view.be16::<4>() != LENGTHS {
            return None;
        }
        if operation != u16::from(REQUEST) && operation != u16::from(REPLY) {
            return None;
        }
        let [m0, m1, m2, m3] = view.ne32::<8>().to_ne_bytes();
        let [m4, m5] = view.ne16::<12>().to_ne_bytes();
        let [t0, t1, t2, t3] = view.ne32::<18>().to_ne_bytes();
        let [t4, t5] = view.ne16::<22>().to_ne_bytes();
        Some(Self {
            key: ArpKey {
                mac: [m0, m1, m2, m3, m4, m5],
                operation: operation as u8,
                pad: 0,
                sender: view.ne32::<14>().to_ne_bytes(),
                target: view.ne32::<24>().to_ne_bytes(),
            },
            target_mac: [t0, t1, t2, t3, t4, t5],
            frame_mac: macs.source(),
            pad: [0; 4],
        })
    }

    /// As it goes out: operation, sender and target (hardware, protocol), source of the Ethernet header, and
    /// how many there were since it was told last (little-endian).
    #[inline(always)]
    #[must_use]
    pub const fn record(&self, count: u32) -> [u8; RECORD] {
        let [m0, m1, m2, m3, m4, m5] = self.key.mac;
        let [s0, s1, s2, s3] = self.key.sender;
        let [t0, t1, t2, t3, t4, t5] = self.target_mac;
        let [a0, a1, a2, a3] = self.key.target;
        let [f0, f1, f2, f3, f4, f5] = self.frame_mac;
        let [n0, n1, n2, n3] = count.to_le_bytes();
        #[rustfmt::skip]
        let record = [
            self.key.operation,
            m0, m1, m2, m3, m4, m5, s0, s1, s2, s3,
            t0, t1, t2, t3, t4, t5, a0, a1, a2, a3,
            f0, f1, f2, f3, f4, f5, n0, n1, n2, n3,
        ];
        record
    }

    /// A record read back, with its count; `None` if it is of another length.
    #[must_use]
    pub fn of_record(bytes: &[u8]) -> Option<(Self, u32)> {
        let bytes: &[u8; RECORD] = bytes.try_into().ok()?;
        let mac = |at: usize| bytes.get(at..)?.first_chunk::<6>().copied();
        let word = |at: usize| bytes.get(at..)?.first_chunk::<4>().copied();
        let this = Self {
            key: ArpKey {
                operation: bytes[0],
                mac: mac(1)?,
                pad: 0,
                sender: word(7)?,
                target: word(17)?,
            },
            target_mac: mac(11)?,
            frame_mac: mac(21)?,
            pad: [0; 4],
        };
        Some((this, u32::from_le_bytes(word(27)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_back_as_it_was_written() {
        let arp = Arp {
            key: ArpKey {
                mac: [1, 2, 3, 4, 5, 6],
                operation: REPLY,
                pad: 0,
                sender: [10, 0, 0, 1],
                target: [10, 0, 0, 2],
            },
            target_mac: [7, 8, 9, 10, 11, 12],
            frame_mac: [13, 14, 15, 16, 17, 18],
            pad: [0; 4],
        };
        assert_eq!(Arp::of_record(&arp.record(70_000)), Some((arp, 70_000)));
        assert_eq!(Arp::of_record(&[0; RECORD - 1]), None);
    }
}
