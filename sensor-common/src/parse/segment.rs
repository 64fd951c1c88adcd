//! The frame that most traffic is made of: Ethernet without tags, IPv4 without options, a TCP segment that is
//! all there. Read by one check of its length, it becomes the same [`Packet`] as [`Packet::parse_layer`] makes of
//! it, layer by layer, at a third of the instructions; or it goes into its flow without becoming one:
//! [`crate::flow::Flow::follow`].

use super::transport;
use crate::{
    bytes::{Frame, View},
    key::Key4,
    packet::{Layer, Macs, Packet, Reach, protocol},
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

/// A plain TCP segment. Beyond the flow key, its fields are read where they are wanted: what is kept meanwhile takes
/// registers and stack, of which there is little.
pub struct Segment<F: Frame> {
    frame: F,
    header: F::View<HEADERS>,
    /// The flow key.
    pub(crate) key: Key4,
    /// True from endpoint B to A.
    pub(crate) b_sends: bool,
}

/// Lengths of the IP packet and of the TCP header.
#[inline(always)]
fn lengths(header: impl View) -> (u32, u32) {
    let data_offset = u32::from(header.u8::<46>() >> 4) * 4;
    (u32::from(header.be16::<16>()), data_offset)
}

impl<F: Frame + Copy> Segment<F> {
    /// The plain TCP segment of a frame that begins with Ethernet; `None` for any other frame: that is for
    /// [`Packet::parse_layer`], after [`Packet::begin`].
    #[inline(always)]
    pub fn of(frame: F) -> Option<Self> {
        let h = frame.head::<HEADERS>()?;
        let (ip_length, data_offset) = lengths(h);
        if !IPV4.is(h.ne32::<12>())
            || !TCP.is(h.ne32::<20>())
            || ip_length > frame.len() - IP
            || data_offset < 20
            || ip_length < 20 + data_offset
        {
            return None;
        }
        // Endpoints in order: address, then port.
        let (from, to) = (h.ne32::<26>(), h.ne32::<30>());
        let ports = h.ne32::<34>();
        let (source, destination) = (u32::from_be(from), u32::from_be(to));
        let b_sends =
            source > destination || (source == destination && h.be16::<34>() > h.be16::<36>());
        let key = if b_sends {
            Key4::of_words(to, from, ports.rotate_left(16), protocol::TCP)
        } else {
            Key4::of_words(from, to, ports, protocol::TCP)
        };
        Some(Self {
            frame,
            header: h,
            key,
            b_sends,
        })
    }

    /// The Ethernet addresses.
    #[inline(always)]
    pub(crate) fn macs(&self) -> Macs {
        Macs::of_words(self.header.ne64::<0>(), self.header.ne32::<8>())
    }

    /// Length of the IP packet, headers included.
    #[inline(always)]
    pub(crate) fn ip_length(&self) -> u32 {
        lengths(self.header).0
    }

    /// Length of the TCP payload, all of it captured.
    #[inline(always)]
    pub(crate) fn payload(&self) -> u32 {
        let (ip_length, data_offset) = lengths(self.header);
        ip_length.wrapping_sub(20 + data_offset)
    }

    #[inline(always)]
    fn ip_id(&self) -> u16 {
        self.header.be16::<18>()
    }

    /// Time to live.
    #[inline(always)]
    pub(crate) fn ttl(&self) -> u8 {
        self.header.u8::<22>()
    }

    /// TCP sequence number.
    #[inline(always)]
    pub(crate) fn sequence(&self) -> u32 {
        self.header.be32::<38>()
    }

    /// TCP flags.
    #[inline(always)]
    pub(crate) fn flags(&self) -> u8 {
        self.header.u8::<47>()
    }

    /// TCP window, unscaled.
    #[inline(always)]
    pub(crate) fn window(&self) -> u16 {
        self.header.be16::<48>()
    }

    /// Where the payload begins in the frame.
    #[inline(always)]
    fn offset(&self) -> u32 {
        IP + 20 + lengths(self.header).1
    }

    /// The first byte of the payload, 0 where there is none.
    #[inline(always)]
    pub(crate) fn first_byte(&self) -> u8 {
        if self.payload() > 0 {
            self.frame.u8(self.offset()).unwrap_or(0)
        } else {
            0
        }
    }

    /// [`Packet::fingerprint`].
    #[inline(always)]
    pub(crate) fn fingerprint(&self) -> u64 {
        let (id, sequence, flags) = (self.ip_id(), self.sequence(), self.flags());
        if self.payload() > 0 || id != 0 {
            transport::join(
                id,
                self.header.ne16::<50>(),
                sequence,
                flags,
                self.ip_length(),
            )
        } else {
            0
        }
    }

    /// Makes it the packet.
    #[inline(always)]
    pub fn become_packet(&self, packet: &mut Packet) {
        packet.macs = self.macs();
        packet.key4 = self.key;
        packet.set_small(u8::from(self.b_sends), self.flags(), self.ttl());
        packet.vlans = [0; 3];
        packet.tunnels = 0;
        packet.layer = Layer::Ethernet as u8;
        packet.forget_flags();
        if self.header.u8::<20>() & 0x20 != 0 {
            packet.mark_more_fragments();
        }
        packet.network = IP;
        packet.transport = IP + 20;
        packet.reach = Reach::Key as u8;
        packet.window = self.window();
        packet.ip_id = self.ip_id();
        packet.ip_length = self.ip_length();
        packet.sequence = self.sequence();
        packet.offset = self.offset();
        packet.payload_length = self.payload();
        packet.payload_captured = self.payload();
        packet.first_byte = self.first_byte();
        packet.fingerprint = self.fingerprint();
    }
}
