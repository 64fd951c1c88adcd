//! The frame that most traffic is made of: Ethernet without tags, IPv4 without options, a TCP segment that is
//! all there. Read by one check of its length, it becomes the same [`Packet`] as [`Packet::parse_layer`] makes of
//! it, layer by layer, at a third of the instructions.

use crate::{
    bytes::{Frame, View},
    packet::{Layer, Macs, Packet, Reach, protocol},
    transport,
};

/// Offset of the IP header.
const IP: u32 = 14;
/// The shortest headers: Ethernet, IPv4, TCP.
const HEADERS: usize = 54;

/// Some of four bytes that are read as one word in the machine's order.
struct Masked {
    mask: u32,
    value: u32,
}

impl Masked {
    const fn new(mask: [u8; 4], value: [u8; 4]) -> Self {
        Self {
            mask: u32::from_ne_bytes(mask),
            value: u32::from_ne_bytes(value),
        }
    }

    #[inline(always)]
    const fn is(&self, word: u32) -> bool {
        word & self.mask == self.value
    }
}

/// `EtherType` of IPv4, then version 4 and a header of five words.
const IPV4: Masked = Masked::new([0xff, 0xff, 0xff, 0], [0x08, 0x00, 0x45, 0]);
/// No fragment but the first, whatever the flags beside its place; then time to live and protocol.
const TCP: Masked = Masked::new([0x1f, 0xff, 0, 0xff], [0, 0, 0, protocol::TCP]);

impl Packet {
    /// Parses a plain TCP segment whose frame begins with Ethernet. False for any other frame: that is for
    /// [`Packet::parse_layer`], after [`Packet::begin`].
    #[inline(always)]
    pub fn parse_plain<F: Frame>(&mut self, frame: &F) -> bool {
        let Some(h) = frame.view::<HEADERS>(0) else {
            return false;
        };
        let total = u32::from(h.be16::<16>());
        let data_offset = u32::from(h.u8::<46>() >> 4) * 4;
        if !IPV4.is(h.ne32::<12>())
            || !TCP.is(h.ne32::<20>())
            || total > frame.len() - IP
            || data_offset < 20
            || total < 20 + data_offset
        {
            return false;
        }
        self.macs = Macs::of_words(h.ne64::<0>(), h.ne32::<8>());
        // Endpoints in order: address, then port.
        let (from, to) = (h.ne32::<26>(), h.ne32::<30>());
        let ports = h.ne32::<34>();
        let (source, destination) = (u32::from_be(from), u32::from_be(to));
        let turned =
            source > destination || (source == destination && h.be16::<34>() > h.be16::<36>());
        if turned {
            self.key4
                .set(to, from, ports.rotate_left(16), protocol::TCP);
        } else {
            self.key4.set(from, to, ports, protocol::TCP);
        }
        let flags = h.u8::<47>();
        self.set_small(u8::from(turned), flags, h.u8::<22>());
        let payload = total - 20 - data_offset;
        let offset = IP + 20 + data_offset;
        let (ip_id, sequence) = (h.be16::<18>(), h.be32::<38>());
        self.vlans = [0; 2];
        self.layer = Layer::Ethernet as u8;
        self.forget_flags();
        self.reach = Reach::Key as u8;
        self.window = h.be16::<48>();
        self.ip_id = ip_id;
        self.ip_length = total;
        self.sequence = sequence;
        self.offset = offset;
        self.payload_length = payload;
        self.payload_captured = payload;
        self.first_byte = if payload > 0 {
            frame.u8(offset).unwrap_or(0)
        } else {
            0
        };
        self.fingerprint = if payload > 0 || ip_id != 0 {
            transport::join(ip_id, h.ne16::<50>(), sequence, flags, total)
        } else {
            0
        };
        true
    }
}
