//! Ethernet and VLAN tags (IEEE 802.3, 802.1Q, 802.1ad).

use crate::{
    bytes::{Frame, View},
    counter::Counter,
    packet::{Packet, Reach},
    registry::Topic,
};

/// VLAN tags that are read; `QinQ` has two.
pub(crate) const MAX_VLAN_TAGS: u8 = 2;

const IPV4: u16 = 0x0800;
const ARP: u16 = 0x0806;
const IPV6: u16 = 0x86dd;
/// 802.1Q, 802.1ad and the tag that `QinQ` had before 802.1ad.
const TAGS: [u16; 3] = [0x8100, 0x88a8, 0x9100];

/// Reads an Ethernet header and its tags; gives the IP version that its type announces.
#[inline(always)]
pub(crate) fn ethernet<F: Frame>(frame: &F, packet: &mut Packet) -> Result<u8, Counter> {
    let start = packet.offset;
    let header = frame.view::<14>(start).ok_or(Counter::LinkTruncated)?;
    packet.macs.begin = header.ne64::<0>().to_ne_bytes();
    packet.macs.end = header.ne32::<8>().to_ne_bytes();
    packet.reach = Reach::Macs as u8;
    let mut kind = header.be16::<12>();
    let mut offset = start + 14;
    let mut depth = 0;
    for _ in 0..MAX_VLAN_TAGS {
        if !is_tag(kind) {
            break;
        }
        let tag = frame.view::<4>(offset).ok_or(Counter::LinkTruncated)?;
        let id = tag.be16::<0>() & 0x0fff;
        if depth == 0 {
            packet.vlans[0] = id;
        } else {
            packet.vlans[1] = id;
        }
        depth += 1;
        kind = tag.be16::<2>();
        offset += 4;
    }
    packet.vlan_depth = depth;
    packet.offset = offset;
    match kind {
        IPV4 => Ok(4),
        IPV6 => Ok(6),
        ARP => {
            packet.mark_topic(Topic::Arp);
            Err(Counter::Arp)
        }
        kind if is_tag(kind) => Err(Counter::VlanDepth),
        _ => Err(Counter::NotIp),
    }
}

#[inline(always)]
const fn is_tag(kind: u16) -> bool {
    kind == TAGS[0] || kind == TAGS[1] || kind == TAGS[2]
}
