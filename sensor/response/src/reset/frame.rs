//! Frames that reset the flow, and nothing else: they are built from the flow's own addresses.

use pnet::{
    packet::{
        ip::IpNextHeaderProtocols,
        ipv4::{self, Ipv4Flags, MutableIpv4Packet},
        ipv6::MutableIpv6Packet,
        tcp::{self, MutableTcpPacket, TcpFlags},
    },
    util::MacAddr,
};
use std::net::SocketAddr;

use super::{
    flow::{End, Flow},
    segment::{IPV4, IPV6, Tags},
};

const ETHERNET: usize = 14;
const TAG: usize = 4;
const IPV4_HEADER: usize = 20;
const IPV6_HEADER: usize = 40;
const TCP_HEADER: usize = 20;
/// What hosts begin with; routers on the way to the end have room.
const HOP_LIMIT: u8 = 64;

/// A reset to one end, as from the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reset {
    /// Whom it is sent to.
    pub to: End,
    /// The next hop to it.
    pub mac: MacAddr,
    pub tags: Tags,
    pub sequence: u32,
    /// What it acknowledges, where that is known. Only a connection that is being opened looks at it
    /// (RFC 9293 section 3.10.7.3).
    pub acknowledged: Option<u32>,
}

/// What all resets of a run have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Builder {
    pub flow: Flow,
    /// Source of the frames: the response interface's own address.
    pub mac: MacAddr,
    /// The window field. A reset's has no meaning to TCP; so it tells our own resets from others when the
    /// mirror brings them back.
    pub mark: u16,
    /// Whether tags of the copy are put on the reset.
    pub tagged: bool,
}

impl Builder {
    /// The frame; `None` can only be if a length were wrong.
    pub(super) fn frame(&self, reset: &Reset) -> Option<Vec<u8>> {
        let (to, from) = (self.flow.end(reset.to), self.flow.end(reset.to.other()));
        let tags = if self.tagged {
            reset.tags
        } else {
            Tags::default()
        };
        let link = ETHERNET + TAG * tags.iter().count();
        let mut frame = Vec::with_capacity(link + IPV6_HEADER + TCP_HEADER);
        frame.extend(reset.mac.octets());
        frame.extend(self.mac.octets());
        for tag in tags.iter() {
            frame.extend(tag.kind.to_be_bytes());
            frame.extend(tag.control.to_be_bytes());
        }
        match (from, to) {
            (SocketAddr::V4(from), SocketAddr::V4(to)) => {
                frame.extend(IPV4.to_be_bytes());
                frame.resize(link + IPV4_HEADER + TCP_HEADER, 0);
                let mut ip = MutableIpv4Packet::new(frame.get_mut(link..)?)?;
                ip.set_version(4);
                ip.set_header_length(5);
                ip.set_total_length(u16::try_from(IPV4_HEADER + TCP_HEADER).ok()?);
                ip.set_flags(Ipv4Flags::DontFragment);
                ip.set_ttl(HOP_LIMIT);
                ip.set_next_level_protocol(IpNextHeaderProtocols::Tcp);
                ip.set_source(*from.ip());
                ip.set_destination(*to.ip());
                ip.set_checksum(ipv4::checksum(&ip.to_immutable()));
            }
            (SocketAddr::V6(from), SocketAddr::V6(to)) => {
                frame.extend(IPV6.to_be_bytes());
                frame.resize(link + IPV6_HEADER + TCP_HEADER, 0);
                let mut ip = MutableIpv6Packet::new(frame.get_mut(link..)?)?;
                ip.set_version(6);
                ip.set_payload_length(u16::try_from(TCP_HEADER).ok()?);
                ip.set_hop_limit(HOP_LIMIT);
                ip.set_next_header(IpNextHeaderProtocols::Tcp);
                ip.set_source(*from.ip());
                ip.set_destination(*to.ip());
            }
            // `Flow::new` refuses it.
            _ => return None,
        }
        let start = frame.len() - TCP_HEADER;
        let mut segment = MutableTcpPacket::new(frame.get_mut(start..)?)?;
        segment.set_source(from.port());
        segment.set_destination(to.port());
        segment.set_sequence(reset.sequence);
        segment.set_acknowledgement(reset.acknowledged.unwrap_or(0));
        segment.set_data_offset(5);
        let acknowledges = reset.acknowledged.map_or(0, |_| TcpFlags::ACK);
        segment.set_flags(TcpFlags::RST | acknowledges);
        segment.set_window(self.mark);
        let segment_read = segment.to_immutable();
        let checksum = match (from, to) {
            (SocketAddr::V4(from), SocketAddr::V4(to)) => {
                tcp::ipv4_checksum(&segment_read, from.ip(), to.ip())
            }
            (SocketAddr::V6(from), SocketAddr::V6(to)) => {
                tcp::ipv6_checksum(&segment_read, from.ip(), to.ip())
            }
            _ => return None,
        };
        segment.set_checksum(checksum);
        Some(frame)
    }
}
