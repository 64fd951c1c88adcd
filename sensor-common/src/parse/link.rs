//! Ethernet and VLAN tags (IEEE 802.3, 802.1Q, 802.1ad).

use super::Outcome;
use crate::{
    bytes::{Frame, View},
    counter::Counter,
    packet::{Layer, Packet, Reach},
    registry::Topic,
};

/// VLAN tags that are read at once with the Ethernet header; further ones cost a step each.
const VLAN_TAGS_AT_ONCE: u8 = 2;

pub(super) const IPV4: u16 = 0x0800;
pub(super) const ARP: u16 = 0x0806;
pub(super) const IPV6: u16 = 0x86dd;

/// Reads an Ethernet header and its first tags; gives the IP version that its type announces.
#[inline(always)]
pub(crate) fn ethernet<F: Frame>(frame: &F, packet: &mut Packet) -> Result<u8, Outcome> {
    let start = packet.offset;
    let header = frame
        .view::<14>(start)
        .ok_or(Outcome::Done(Counter::LinkTruncated))?;
    packet.macs.begin = header.ne64::<0>().to_ne_bytes();
    packet.macs.end = header.ne32::<8>().to_ne_bytes();
    packet.reach = Reach::Macs as u8;
    let mut kind = header.be16::<12>();
    let mut offset = start + 14;
    let mut depth = 0;
    let mut ids = [0; 2];
    for _ in 0..VLAN_TAGS_AT_ONCE {
        if !is_vlan(kind) {
            break;
        }
        let tag = frame
            .view::<4>(offset)
            .ok_or(Outcome::Done(Counter::LinkTruncated))?;
        let id = tag.be16::<0>() & 0x0fff;
        if depth == 0 {
            ids[0] = id;
        } else {
            ids[1] = id;
        }
        depth += 1;
        kind = tag.be16::<2>();
        offset += 4;
    }
    packet.vlans = [ids[0], ids[1], 0];
    packet.vlan_depth = depth;
    packet.tags = depth;
    packet.offset = offset;
    match kind {
        IPV4 => Ok(4),
        IPV6 => Ok(6),
        ARP => Err(arp(packet)),
        _ => {
            packet.offset = offset - 2;
            packet.layer = Layer::EtherType as u8;
            Err(Outcome::Next)
        }
    }
}

/// An ARP message at the offset.
#[inline(always)]
pub(super) fn arp(packet: &mut Packet) -> Outcome {
    packet.mark_topic(Topic::Arp);
    Outcome::Done(Counter::Arp)
}

/// True for 802.1Q, 802.1ad, and the types that tags in tags had before 802.1ad.
#[inline(always)]
pub(super) const fn is_vlan(kind: u16) -> bool {
    matches!(kind, 0x8100 | 0x88a8 | 0x9100 | 0x9200 | 0x9300)
}
