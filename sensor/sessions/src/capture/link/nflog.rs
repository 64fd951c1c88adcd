//! Linux NFLOG: attributes, of which one is the packet.

use sensor_common::packet::{Layer, unread::By};

use super::{Content, not_ip, of_family};

/// `NFULA_PAYLOAD` of `linux/netfilter/nfnetlink_log.h`.
const PAYLOAD: u16 = 9;
/// `AF_BRIDGE`: the packet is what the Ethernet header carries.
const BRIDGE: u8 = 7;

/// The packet of an NFLOG message: family, version, resource, then attributes in the order of the machine that captured.
pub(super) fn payload(packet: &[u8]) -> Option<Content<'_>> {
    let ([family, version, ..], attributes) = packet.split_first_chunk::<4>()?;
    if *version != 0 {
        return Some(not_ip(By::Link, 239));
    }
    let found =
        find(attributes, u16::from_le_bytes).or_else(|| find(attributes, u16::from_be_bytes));
    Some(match (found, *family) {
        (Some(payload), BRIDGE) => Content::Frame(Layer::Ip, payload),
        (Some(payload), family) => of_family(u32::from(family), payload),
        (None, _) => not_ip(By::Link, 239),
    })
}

fn find(mut attributes: &[u8], order: fn([u8; 2]) -> u16) -> Option<&[u8]> {
    loop {
        let ([l0, l1, t0, t1], _) = attributes.split_first_chunk::<4>()?;
        let length = usize::from(order([*l0, *l1]));
        if length < 4 {
            return None;
        }
        if order([*t0, *t1]) & 0x7fff == PAYLOAD {
            return Some(attributes.get(4..length).unwrap_or(attributes.get(4..)?));
        }
        attributes = attributes.get(length.next_multiple_of(4)..)?;
    }
}
