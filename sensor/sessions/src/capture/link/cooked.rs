//! Linux cooked captures: a protocol, and the device's `ARPHRD_` number by which it is to be understood.

use sensor_common::{counter::Counter, packet::Layer, unread::By};

use super::{
    content::{Content, not_ip},
    radio,
};

const ARP: u16 = 0x0806;
const IP: [u16; 2] = [0x0800, 0x86dd];
const MPLS: [u16; 2] = [0x8847, 0x8848];
const PPPOE: u16 = 0x8864;
/// Ethernet's own: an 802.3 frame without LLC, LLC, and PPP (`linux/if_ether.h`).
const LLC: u16 = 4;
const PPP: [u16; 2] = [7, 8];
/// 802.11 with and without radiotap (`linux/if_arp.h`).
const WIFI: u16 = 801;
const RADIOTAP: u16 = 803;
/// Frame relay and netlink, whose protocol is no `EtherType`.
const FOREIGN: [u16; 2] = [770, 824];

/// The first version: the protocol is the header's end.
pub(super) fn first(packet: &[u8]) -> Option<Content<'_>> {
    let ([_, _, h0, h1, .., p0, p1], rest) = packet.split_first_chunk::<16>()?;
    let protocol = u16::from_be_bytes([*p0, *p1]);
    content(u16::from_be_bytes([*h0, *h1]), protocol, rest)
}

/// The second: the protocol is its beginning.
pub(super) fn second(packet: &[u8]) -> Option<Content<'_>> {
    let ([p0, p1, _, _, _, _, _, _, h0, h1, ..], rest) = packet.split_first_chunk::<20>()?;
    let protocol = u16::from_be_bytes([*p0, *p1]);
    content(u16::from_be_bytes([*h0, *h1]), protocol, rest)
}

fn content(hardware: u16, protocol: u16, rest: &[u8]) -> Option<Content<'_>> {
    match hardware {
        WIFI => return Some(Content::Frame(Layer::Wifi, rest)),
        RADIOTAP => return radio::radiotap(rest),
        _ if FOREIGN.contains(&hardware) => return Some(not_ip(By::Link, hardware)),
        _ => {}
    }
    Some(match protocol {
        _ if IP.contains(&protocol) => Content::Frame(Layer::Ip, rest),
        // There is no Ethernet header, by which its addresses would be judged.
        ARP => Content::Other(Counter::Arp, 0),
        _ if MPLS.contains(&protocol) => Content::Frame(Layer::Mpls, rest),
        PPPOE => Content::Frame(Layer::Pppoe, rest),
        LLC => Content::Frame(Layer::Llc, rest),
        _ if PPP.contains(&protocol) => Content::Frame(Layer::Ppp, rest),
        // Behind the tag the type of what it is on, as in Ethernet.
        0x8100 | 0x88a8 | 0x9100 | 0x9200 | 0x9300 => {
            Content::Frame(Layer::EtherType, rest.get(2..)?)
        }
        other => not_ip(By::EtherType, other),
    })
}
