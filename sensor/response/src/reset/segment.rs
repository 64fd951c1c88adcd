//! A copy of a TCP segment of the flow, as far as a reset needs it.

use pnet::{
    packet::{
        ip::IpNextHeaderProtocols,
        ipv4::{Ipv4Flags, Ipv4Packet},
        ipv6::Ipv6Packet,
        tcp::{TcpFlags, TcpPacket},
    },
    util::MacAddr,
};
use std::net::{IpAddr, SocketAddr};

use super::flow::{End, Flow};

/// Bytes of a frame that are read: all headers, with room for IPv6 extension headers.
pub(super) const SNAP: usize = 512;
/// VLAN tags that are read, the one that the kernel has taken off included; `QinQ` has two.
pub(super) const TAGS_MAX: usize = 2;
/// 802.1Q, 802.1ad and the tag that `QinQ` had before 802.1ad.
pub(super) const TAG_KINDS: [u16; 3] = [0x8100, 0x88a8, 0x9100];
pub(super) const IPV4: u16 = 0x0800;
pub(super) const IPV6: u16 = 0x86dd;
/// IPv6 extension headers that are skipped; more is no segment.
const EXTENSIONS_MAX: usize = 8;

/// A VLAN tag (IEEE 802.1Q section 9.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag {
    /// Tag protocol identifier.
    pub kind: u16,
    /// Priority, drop eligibility and VLAN id.
    pub control: u16,
}

/// Up to two tags, the outer first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tags([Option<Tag>; TAGS_MAX]);

impl Tags {
    /// Adds an inner tag; false if there are two already.
    pub(super) fn push(&mut self, tag: Tag) -> bool {
        let free = self.0.iter_mut().find(|slot| slot.is_none());
        free.map(|slot| *slot = Some(tag)).is_some()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Tag> {
        self.0.into_iter().flatten()
    }
}

/// One segment of the flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// Who sent it.
    pub from: End,
    /// Where the frame came from: its sender, or the router before the span port.
    pub source: MacAddr,
    /// Where the frame went.
    pub destination: MacAddr,
    pub tags: Tags,
    pub sequence: u32,
    /// The acknowledgement number, if the segment has one.
    pub acknowledged: Option<u32>,
    /// Bits of [`TcpFlags`].
    pub flags: u8,
    pub window: u16,
    /// Bytes of payload.
    pub payload: u32,
}

impl Segment {
    /// Reads an Ethernet frame, of which the beginning is enough. `outer` is the tag that the kernel has
    /// taken off. `None` for whatever is no whole TCP segment of exactly this flow: another flow, a
    /// fragment, the inside of a tunnel, more than two tags.
    pub(super) fn read(frame: &[u8], outer: Option<Tag>, flow: &Flow) -> Option<Self> {
        let (destination, rest) = frame.split_first_chunk::<6>()?;
        let (source, mut rest) = rest.split_first_chunk::<6>()?;
        let mut tags = Tags::default();
        if let Some(tag) = outer {
            tags.push(tag);
        }
        let kind = loop {
            let (kind, after) = rest.split_first_chunk::<2>()?;
            let kind = u16::from_be_bytes(*kind);
            rest = after;
            if !TAG_KINDS.contains(&kind) {
                break kind;
            }
            let (control, after) = rest.split_first_chunk::<2>()?;
            let control = u16::from_be_bytes(*control);
            rest = after;
            if !tags.push(Tag { kind, control }) {
                return None;
            }
        };
        let (from, to, length, transport) = match kind {
            IPV4 => ipv4(rest)?,
            IPV6 => ipv6(rest)?,
            _ => return None,
        };
        let tcp = TcpPacket::new(transport)?;
        let header = u32::from(tcp.get_data_offset()) * 4;
        let from = flow.sender(
            SocketAddr::new(from, tcp.get_source()),
            SocketAddr::new(to, tcp.get_destination()),
        )?;
        let flags = tcp.get_flags();
        Some(Self {
            from,
            source: MacAddr::from(*source),
            destination: MacAddr::from(*destination),
            tags,
            sequence: tcp.get_sequence(),
            acknowledged: (flags & TcpFlags::ACK != 0).then(|| tcp.get_acknowledgement()),
            flags,
            window: tcp.get_window(),
            payload: (header >= 20).then(|| length.checked_sub(header))??,
        })
    }

    pub(super) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The sequence number after this segment: SYN and FIN count as one byte each (RFC 9293 section 3.4).
    pub(super) fn next(&self) -> u32 {
        self.sequence
            .wrapping_add(self.payload)
            .wrapping_add(u32::from(self.has(TcpFlags::SYN)))
            .wrapping_add(u32::from(self.has(TcpFlags::FIN)))
    }
}

/// Source, destination, length of the transport part by the header, and what of it was captured.
type Network<'a> = (IpAddr, IpAddr, u32, &'a [u8]);

fn ipv4(bytes: &[u8]) -> Option<Network<'_>> {
    let packet = Ipv4Packet::new(bytes)?;
    let header = usize::from(packet.get_header_length()) * 4;
    let fragment =
        packet.get_fragment_offset() != 0 || packet.get_flags() & Ipv4Flags::MoreFragments != 0;
    if packet.get_version() != 4
        || header < 20
        || fragment
        || packet.get_next_level_protocol() != IpNextHeaderProtocols::Tcp
    {
        return None;
    }
    let length = usize::from(packet.get_total_length()).checked_sub(header)?;
    Some((
        packet.get_source().into(),
        packet.get_destination().into(),
        u32::try_from(length).ok()?,
        bytes.get(header..)?,
    ))
}

fn ipv6(bytes: &[u8]) -> Option<Network<'_>> {
    let packet = Ipv6Packet::new(bytes)?;
    let mut length = u32::from(packet.get_payload_length());
    let mut next = packet.get_next_header();
    let mut rest = bytes.get(Ipv6Packet::minimum_packet_size()..)?;
    for _ in 0..EXTENSIONS_MAX {
        if next == IpNextHeaderProtocols::Tcp {
            let source = packet.get_source().into();
            return Some((source, packet.get_destination().into(), length, rest));
        }
        // RFC 8200 section 4. A fragment header ends it.
        if ![
            IpNextHeaderProtocols::Hopopt,
            IpNextHeaderProtocols::Ipv6Route,
            IpNextHeaderProtocols::Ipv6Opts,
        ]
        .contains(&next)
        {
            return None;
        }
        let ([kind, units], _) = rest.split_first_chunk::<2>()?;
        let header = (u32::from(*units) + 1) * 8;
        next = pnet::packet::ip::IpNextHeaderProtocol(*kind);
        length = length.checked_sub(header)?;
        rest = rest.get(usize::try_from(header).ok()?..)?;
    }
    None
}
