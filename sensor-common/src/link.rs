//! Ethernet and VLAN tags (IEEE 802.3, 802.1Q, 802.1ad).

use crate::{bytes::Frame, counter::Counter, packet::Packet};

/// VLAN tags that are read; QinQ has two.
pub(crate) const MAX_VLAN_TAGS: u8 = 2;

const IPV4: u16 = 0x0800;
const ARP: u16 = 0x0806;
const IPV6: u16 = 0x86dd;
/// 802.1Q, 802.1ad and the tag that QinQ had before 802.1ad.
const TAGS: [u16; 3] = [0x8100, 0x88a8, 0x9100];

/// Reads an Ethernet header and its tags; gives the IP version that its type announces.
#[inline(always)]
pub(crate) fn ethernet<F: Frame>(frame: &F, packet: &mut Packet) -> Result<u8, Counter> {
    let start = packet.offset;
    let header = frame.array::<14>(start).ok_or(Counter::LinkTruncated)?;
    let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, t0, t1] = header;
    packet.mac_destination = [d0, d1, d2, d3, d4, d5];
    packet.mac_source = [s0, s1, s2, s3, s4, s5];
    let mut kind = u16::from_be_bytes([t0, t1]);
    let mut offset = start + 14;
    let mut depth = 0;
    for _ in 0..MAX_VLAN_TAGS {
        if !is_tag(kind) {
            break;
        }
        let [c0, c1, t0, t1] = frame.array::<4>(offset).ok_or(Counter::LinkTruncated)?;
        let id = u16::from_be_bytes([c0, c1]) & 0x0fff;
        if depth == 0 {
            packet.vlans[0] = id;
        } else {
            packet.vlans[1] = id;
        }
        depth += 1;
        kind = u16::from_be_bytes([t0, t1]);
        offset += 4;
    }
    packet.vlan_depth = depth;
    packet.offset = offset;
    match kind {
        IPV4 => Ok(4),
        IPV6 => Ok(6),
        ARP => Err(Counter::Arp),
        kind if is_tag(kind) => Err(Counter::VlanDepth),
        _ => Err(Counter::NotIp),
    }
}

#[inline(always)]
const fn is_tag(kind: u16) -> bool {
    kind == TAGS[0] || kind == TAGS[1] || kind == TAGS[2]
}
