//! Headers before a frame of 802.11: how it was received.

use sensor_common::packet::{Layer, unread::By};

use super::{Content, Link, not_ip};

/// Radiotap (<https://www.radiotap.org>): a length in the third and fourth byte.
pub(super) fn radiotap(packet: &[u8]) -> Option<Content<'_>> {
    let ([_, _, l0, l1], _) = packet.split_first_chunk::<4>()?;
    let length = usize::from(u16::from_le_bytes([*l0, *l1]));
    Some(Content::Frame(Layer::Wifi, packet.get(length..)?))
}

/// AVS: a magic number and a length.
pub(super) fn avs(packet: &[u8]) -> Option<Content<'_>> {
    let (length, _) = packet.get(4..)?.split_first_chunk::<4>()?;
    let length = u32::from_be_bytes(*length) as usize;
    Some(Content::Frame(Layer::Wifi, packet.get(length..)?))
}

/// Prism: 144 bytes; the number was also given to AVS, whose first bytes are its own.
pub(super) fn prism(packet: &[u8]) -> Option<Content<'_>> {
    if packet.starts_with(&[0x80, 0x21, 0x10]) {
        return avs(packet);
    }
    Some(Content::Frame(Layer::Wifi, packet.get(144..)?))
}

/// PPI: a length, and the link type of what is behind the header.
pub(super) fn ppi(packet: &[u8]) -> Option<Content<'_>> {
    let ([_, _, l0, l1, d0, d1, d2, d3], _) = packet.split_first_chunk::<8>()?;
    let length = usize::from(u16::from_le_bytes([*l0, *l1]));
    let number = u32::from_le_bytes([*d0, *d1, *d2, *d3]);
    let rest = packet.get(length..)?;
    Some(match Link::from_number(number) {
        // Not within itself.
        Some(link) if link != Link::Ppi => link.content(rest),
        _ => not_ip(By::Link, u16::try_from(number).unwrap_or(u16::MAX)),
    })
}
