//! The frame that most traffic is made of: Ethernet without tags, IPv4 without options, a TCP segment that is
//! all there. Read by one check of its length, it becomes the same [`Packet`] as [`Packet::parse_layer`] makes of
//! it, layer by layer, at a third of the instructions.

use crate::{
    bytes::{Frame, View},
    packet::{Macs, Packet, Reach, protocol},
    transport,
};

/// Offset of the IP header.
const IP: u32 = 14;
/// The shortest headers: Ethernet, IPv4, TCP.
const HEADERS: usize = 54;
/// `EtherType` of IPv4.
const IPV4: u16 = 0x0800;
/// Version 4, a header of five words.
const NO_OPTIONS: u8 = 0x45;
/// The place of a fragment, without the flags beside it.
const FRAGMENT_PLACE: u16 = 0x1fff;

impl Packet {
    /// Parses a plain TCP segment whose frame begins with Ethernet, after [`Packet::begin`]. False for any other frame:
    /// that is for [`Packet::parse_layer`], from the start.
    #[inline(always)]
    pub fn parse_plain<F: Frame>(&mut self, frame: &F) -> bool {
        let Some(h) = frame.view::<HEADERS>(0) else {
            return false;
        };
        let total = u32::from(h.be16::<16>());
        let data_offset = u32::from(h.u8::<46>() >> 4) * 4;
        if h.be16::<12>() != IPV4
            || h.u8::<14>() != NO_OPTIONS
            || h.u8::<23>() != protocol::TCP
            || h.be16::<20>() & FRAGMENT_PLACE != 0
            || total > frame.len() - IP
            || data_offset < 20
            || total < 20 + data_offset
        {
            return false;
        }
        let payload = total - 20 - data_offset;
        let offset = IP + 20 + data_offset;
        let (ip_id, sequence, flags) = (h.be16::<18>(), h.be32::<38>(), h.u8::<47>());
        self.forget_flags();
        self.macs = Macs::of_words(h.ne64::<0>(), h.ne32::<8>());
        self.family = 4;
        self.protocol = protocol::TCP;
        self.ip_length = total;
        self.ip_id = ip_id;
        self.ttl = h.u8::<22>();
        self.sequence = sequence;
        self.tcp_flags = flags;
        self.window = h.be16::<48>();
        self.offset = offset;
        self.payload_length = payload;
        self.payload_captured = payload;
        self.first_byte = 0;
        self.fingerprint = 0;
        if payload > 0 {
            self.first_byte = frame.u8(offset).unwrap_or(0);
        }
        if payload > 0 || ip_id != 0 {
            self.fingerprint = transport::join(ip_id, h.be16::<50>(), sequence, flags, total);
        }
        // Endpoints as numbers: address, then port.
        let (from, to) = (h.ne32::<26>(), h.ne32::<30>());
        let ports = h.ne32::<34>();
        let source = u64::from(u32::from_be(from)) << 16 | u64::from(h.be16::<34>());
        let destination = u64::from(u32::from_be(to)) << 16 | u64::from(h.be16::<36>());
        let turned = source > destination;
        if turned {
            self.key4
                .set(to, from, ports.rotate_left(16), protocol::TCP);
        } else {
            self.key4.set(from, to, ports, protocol::TCP);
        }
        self.direction = u8::from(turned);
        self.reach = Reach::Key as u8;
        true
    }
}
