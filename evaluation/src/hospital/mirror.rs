//! What the network makes of frames on their way to the sensor: VLAN tags, IPv6, a shared address, loss, a device that fails.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{
    shape::Shape,
    site::{inside, net},
};
use crate::wire::dice::Dice;

const TYPE: std::ops::Range<usize> = 12..14;
const IPV4: [u8; 2] = [0x08, 0x00];
const SOURCE: usize = 26;
const DESTINATION: usize = 30;
const TCP: u8 = 6;
const UDP: u8 = 17;
/// The address that guests share.
const SHARED: Ipv4Addr = inside(net::GUESTS, 1);
/// The words of this prefix add up to nought in one's complement, so that checksums stay right (RFC 6296).
const PREFIX: [u16; 6] = [0xfd00, 0x02ff, 0, 0, 0, 0];

/// See the module's description.
pub(super) struct Mirror {
    shape: Shape,
    dice: Dice,
    /// Who says nothing from when on.
    silent: Option<(u64, Ipv4Addr)>,
    buffer: Vec<u8>,
}

/// The IPv6 address of a host that has an IPv4 address.
fn v6(address: Ipv4Addr) -> Ipv6Addr {
    let mut octets = [0; 16];
    for (place, word) in octets.chunks_exact_mut(2).zip(PREFIX) {
        place.copy_from_slice(&word.to_be_bytes());
    }
    octets[12..].copy_from_slice(&address.octets());
    octets.into()
}

/// Whether it is in one of the subnets that have IPv6.
fn has_v6(address: Ipv4Addr) -> bool {
    matches!(
        address.octets(),
        [10, 20, net::SERVERS | net::OFFICE | net::IMAGING, _]
    )
}

fn address(frame: &[u8], at: usize) -> Option<Ipv4Addr> {
    let bytes: [u8; 4] = frame.get(at..at + 4)?.try_into().ok()?;
    Some(bytes.into())
}

/// Takes a word out of a checksum and puts another in (RFC 1624).
fn replace(sum: [u8; 2], old: [u8; 4], new: [u8; 4]) -> [u8; 2] {
    let word =
        |bytes: &[u8; 4], at: usize| u32::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]));
    let mut total = u32::from(!u16::from_be_bytes(sum));
    for at in [0, 2] {
        total += (0xffff - word(&old, at)) + word(&new, at);
    }
    while total > 0xffff {
        total = (total & 0xffff) + (total >> 16);
    }
    let [.., high, low] = (!total).to_be_bytes();
    [high, low]
}

impl Mirror {
    pub(super) fn new(shape: Shape, seed: u64, silent: Option<(u64, Ipv4Addr)>) -> Self {
        Self {
            shape,
            dice: Dice::new(seed, 0x6d69_7272_6f72),
            silent,
            buffer: Vec::new(),
        }
    }

    /// The addresses under which the sensor sees a host.
    pub(super) fn addresses(shape: &Shape, address: Ipv4Addr) -> Vec<IpAddr> {
        let guest = matches!(address.octets(), [10, 20, net::GUESTS, _]);
        let address = if shape.shared && guest {
            SHARED
        } else {
            address
        };
        let mut all = vec![IpAddr::V4(address)];
        if shape.v6 && has_v6(address) {
            all.push(v6(address).into());
        }
        all
    }

    /// Hands on what the sensor sees of a frame.
    pub(super) fn pass(&mut self, time: u64, frame: &[u8], on: &mut dyn FnMut(u64, &[u8])) {
        if self.shape.loss > 0.0 && self.dice.chance(self.shape.loss) {
            return;
        }
        let is_v4 = frame.get(TYPE) == Some(&IPV4[..]);
        let source = address(frame, SOURCE).filter(|_| is_v4);
        let said = self
            .silent
            .filter(|(from, who)| time >= *from && source == Some(*who));
        if said.is_some() {
            return;
        }
        self.buffer.clear();
        self.buffer.extend_from_slice(frame);
        if is_v4 {
            if self.shape.shared {
                self.share(SOURCE);
                self.share(DESTINATION);
            }
            if self.shape.v6 {
                self.translate();
            }
        }
        if self.shape.tagged
            && let Some(source) = source
        {
            let [.., net, _] = source.octets();
            self.buffer.splice(12..12, [0x81, 0x00, 0, net]);
        }
        on(time, &self.buffer);
    }

    /// A guest's address becomes the shared one.
    fn share(&mut self, at: usize) {
        let Some(old) = address(&self.buffer, at).map(|it| it.octets()) else {
            return;
        };
        if !matches!(old, [10, 20, net::GUESTS, 0..=254]) {
            return;
        }
        let new = SHARED.octets();
        self.buffer[at..at + 4].copy_from_slice(&new);
        let transport = match self.buffer.get(23) {
            Some(&TCP) => Some(34 + 16),
            Some(&UDP) => Some(34 + 6),
            _ => None,
        };
        for sum in [Some(24), transport].into_iter().flatten() {
            // A datagram without a checksum keeps none.
            if let Some(&[high, low]) = self.buffer.get(sum..sum + 2)
                && [high, low] != [0, 0]
            {
                let new = replace([high, low], old, new);
                self.buffer[sum..sum + 2].copy_from_slice(&new);
            }
        }
    }

    /// What two hosts with IPv6 say to each other by TCP or UDP goes by IPv6; the transport's checksum stays right by the prefix.
    fn translate(&mut self) {
        let frame = &self.buffer;
        let (Some(from), Some(to)) = (address(frame, SOURCE), address(frame, DESTINATION)) else {
            return;
        };
        let plain = frame.get(14) == Some(&0x45) && matches!(frame.get(23), Some(&(TCP | UDP)));
        let no_sum = frame.get(23) == Some(&UDP) && frame.get(40..42) == Some(&[0, 0]);
        if !plain || no_sum || !has_v6(from) || !has_v6(to) {
            return;
        }
        let (protocol, ttl) = (frame[23], frame[22]);
        let length = u16::from_be_bytes([frame[16], frame[17]]).saturating_sub(20);
        let mut header = vec![0x60, 0, 0, 0];
        header.extend_from_slice(&length.to_be_bytes());
        header.extend_from_slice(&[protocol, ttl]);
        header.extend_from_slice(&v6(from).octets());
        header.extend_from_slice(&v6(to).octets());
        self.buffer[TYPE].copy_from_slice(&[0x86, 0xdd]);
        self.buffer.splice(14..34, header);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_leaves_checksums_as_they_are() {
        let total: u32 = PREFIX.iter().map(|word| u32::from(*word)).sum();
        assert_eq!(total % 0xffff, 0);
    }

    #[test]
    fn a_word_of_a_checksum_is_replaced() {
        let sum = |words: [[u8; 4]; 2]| {
            let mut total: u32 = words
                .iter()
                .flat_map(|it| [[it[0], it[1]], [it[2], it[3]]])
                .map(|it| u32::from(u16::from_be_bytes(it)))
                .sum();
            while total > 0xffff {
                total = (total & 0xffff) + (total >> 16);
            }
            let [.., high, low] = (!total).to_be_bytes();
            [high, low]
        };
        let (other, old, new) = ([9, 8, 7, 6], [10, 20, 90, 21], SHARED.octets());
        assert_eq!(replace(sum([other, old]), old, new), sum([other, new]));
    }
}
