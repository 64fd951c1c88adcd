//! A packet: what the [parser](crate::parse) knows of it.

mod macs;
mod pieces;
pub mod protocol;
mod tunnel;

use core::{mem, ptr};

pub use macs::Macs;
pub(crate) use pieces::Fragment;
pub use pieces::Pieces;
pub use tunnel::Tunnel;

use crate::{
    key::{FlowKey, Key4},
    registry::{Topic, with_notices},
};

/// TCP flag, RFC 9293 section 3.1.
pub const TCP_FIN: u8 = 0x01;
/// TCP flag.
pub const TCP_SYN: u8 = 0x02;
/// TCP flag.
pub const TCP_RST: u8 = 0x04;
/// TCP flag.
pub const TCP_PSH: u8 = 0x08;
/// TCP flag.
pub const TCP_ACK: u8 = 0x10;

/// Whether a packet's checksums are right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Sum {
    /// It was not looked at, or can't be told: a fragment, or a capture that is cut.
    Unknown = 0,
    /// All are right.
    Right = 1,
    /// The transport's has only what the system leaves to the card (the sum of the pseudo header), or the IP header has none.
    Unfilled = 2,
    /// One is wrong.
    Wrong = 3,
}

/// What the next bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Layer {
    /// An Ethernet header.
    Ethernet = 0,
    /// An IP header of the version in its first four bits.
    Ip = 1,
    /// An IPv4 header.
    Ip4 = 2,
    /// An IPv6 header.
    Ip6 = 3,
    /// What comes after the IP header and its extension headers, of the protocol that they name.
    Transport = 4,
    /// An `EtherType` and what it says.
    EtherType = 5,
    /// An LLC header (IEEE 802.2).
    Llc = 6,
    /// A label stack of MPLS.
    Mpls = 7,
    /// A header of PPPoE.
    Pppoe = 8,
    /// A PPP frame.
    Ppp = 9,
    /// An 802.11 frame.
    Wifi = 10,
    /// The same with the two bytes of its control in the other order.
    WifiSwapped = 13,
    /// [`Packet::inside`], if it is there.
    Inside = 14,
    /// What is below the labels of MPLS.
    Below = 15,
    /// Extension headers of IPv6, or an authentication header of IPv4.
    Extensions = 11,
    /// What an IP protocol of a tunnel carries; the packet has its flow key already.
    Carried = 12,
}

impl Layer {
    /// True if [`Packet::parse_headers`] reads the layer, false if [`Packet::parse_shim`] does.
    #[inline(always)]
    #[must_use]
    pub const fn is_header(layer: u8) -> bool {
        layer <= Self::Transport as u8
    }

    /// True if [`Packet::parse_inside`] looks for it; all others are [`Packet::parse_shim`]'s.
    #[inline(always)]
    #[must_use]
    pub const fn is_inside(layer: u8) -> bool {
        layer >= Self::Inside as u8
    }
}

/// Packet flag: a fragment other than the first.
const LATER_FRAGMENT: u8 = 1;
/// Packet flag: the capture is shorter than the headers say.
const SNAPPED: u8 = 2;
/// Packet flag: a fragment, which others follow.
const MORE_FRAGMENTS: u8 = 0x80;
/// Packet flag: goes on with a packet of which a fragment came before.
const CONTINUATION: u8 = 0x40;
/// The packet flag of a topic; the first topic has the bit after [`SNAPPED`].
#[inline(always)]
const fn topic_flag(topic: Topic) -> u8 {
    let flag = SNAPPED << topic as u8;
    assert!(flag < CONTINUATION, "too many topics for a byte of flags");
    flag
}

/// The flags of all topics.
macro_rules! any_flag {
    ($(($topic:ident $module:ident))+) => {
        const { $(topic_flag(Topic::$topic))|+ }
    };
}

/// The flag of a topic that is known only at run time.
macro_rules! flag_of {
    ($of:ident $(($topic:ident $module:ident))+) => {
        match $of {
            Topic::None => 0,
            $(Topic::$topic => const { topic_flag(Topic::$topic) },)+
        }
    };
}

/// The topic of a packet that has one.
macro_rules! topic_of {
    ($packet:ident ($topic:ident $module:ident)) => {
        Topic::$topic as u8
    };
    ($packet:ident ($topic:ident $module:ident) $($rest:tt)+) => {
        if $packet.flags & const { topic_flag(Topic::$topic) } != 0 {
            Topic::$topic as u8
        } else {
            topic_of!($packet $($rest)+)
        }
    };
}

/// How much of a packet is known, however parsing ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Reach {
    /// Nothing.
    Nothing = 0,
    /// The Ethernet addresses.
    Macs = 1,
    /// The IP addresses too, in the key's fields as they come: A is the source.
    Addresses = 2,
    /// The flow key.
    Key = 3,
}

/// What a tunnel's header says is in it, and how far that was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Inside {
    /// Where it begins.
    pub(crate) offset: u32,
    /// Where is looked next.
    pub(crate) at: u32,
    /// The [`Tunnel`].
    pub(crate) tunnel: u16,
    /// The [`Layer`].
    pub(crate) layer: u8,
    /// The [`Layer`] that is looked for next.
    pub(crate) look: u8,
    pad: u32,
}

impl Inside {
    /// None.
    pub(crate) const EMPTY: Self = Self {
        offset: 0,
        at: 0,
        tunnel: 0,
        layer: 0,
        look: 0,
        pad: 0,
    };
}

/// A packet, as far as it has been parsed. Parsing goes from layer to layer and leaves the innermost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Packet {
    /// The flow key, for IPv6.
    pub key6: FlowKey,
    /// The flow key, for IPv4.
    pub key4: Key4,
    /// Two packets of a direction with the same non-zero fingerprint in a row are copies.
    pub fingerprint: u64,
    /// Interface index.
    pub interface: u32,
    /// Where the next layer begins; after the transport header, the payload.
    pub offset: u32,
    /// Length of the IP packet, headers included.
    pub ip_length: u32,
    /// Length of the transport payload by the headers.
    pub payload_length: u32,
    /// Bytes of it that were captured.
    pub payload_captured: u32,
    /// Where the innermost IP header begins.
    pub network: u32,
    /// Where the transport header begins.
    pub transport: u32,
    /// TCP sequence number.
    pub sequence: u32,
    /// Set by [`crate::flow::Flow::update`].
    pub stream_delta: i32,
    /// What could not be read, a [kind](crate::unread::kind); 0 where there is nothing to say.
    pub unread: u32,
    /// What a tunnel's header says is in it.
    pub(crate) inside: Inside,
    /// The innermost fragment that the packet is in.
    pub(crate) fragment: Fragment,
    /// VLAN ids: the first two, then the last.
    pub vlans: [u16; 3],
    /// Bits of [`Tunnel`].
    pub tunnels: u16,
    /// [`crate::key::Direction`]; the first of the eight bytes of [`Packet::set_small`].
    pub direction: u8,
    /// 4 or 6.
    pub family: u8,
    /// IP protocol number.
    pub protocol: u8,
    /// TCP flags.
    pub tcp_flags: u8,
    /// Time to live or hop limit.
    pub ttl: u8,
    /// VLAN tags.
    pub vlan_depth: u8,
    /// Tags of any kind behind the Ethernet addresses.
    pub tags: u8,
    /// Tunnels unwrapped.
    pub tunnel_depth: u8,
    /// [`Layer`] at `offset`.
    pub layer: u8,
    /// First byte of the payload.
    pub first_byte: u8,
    flags: u8,
    /// [`Reach`].
    pub reach: u8,
    /// TCP window, unscaled.
    pub window: u16,
    /// IPv4 identification.
    pub ip_id: u16,
    /// TCP acknowledgement number; set by [`crate::engine::examine`].
    pub acknowledgement: u32,
    /// [`Sum`]; set by [`crate::engine::examine`].
    pub sum: u8,
    /// Shift of a SYN's window scale option plus one (RFC 7323 section 2), 1 without the option; set by
    /// [`crate::engine::examine`].
    pub scale: u8,
    /// Always zero.
    pub pad: [u8; 6],
    /// Ethernet addresses of the innermost header; zero where there was none.
    pub macs: Macs,
}

impl Packet {
    /// Before the first layer.
    pub const EMPTY: Self = Self {
        key6: FlowKey::EMPTY,
        key4: Key4::EMPTY,
        fingerprint: 0,
        interface: 0,
        offset: 0,
        ip_length: 0,
        payload_length: 0,
        payload_captured: 0,
        network: 0,
        transport: 0,
        sequence: 0,
        stream_delta: 0,
        unread: 0,
        inside: Inside::EMPTY,
        fragment: Fragment::NONE,
        vlans: [0; 3],
        tunnels: 0,
        direction: 0,
        family: 0,
        protocol: 0,
        tcp_flags: 0,
        ttl: 0,
        vlan_depth: 0,
        tags: 0,
        tunnel_depth: 0,
        layer: 0,
        first_byte: 0,
        flags: 0,
        reach: Reach::Nothing as u8,
        window: 0,
        ip_id: 0,
        acknowledgement: 0,
        sum: 0,
        scale: 0,
        pad: [0; 6],
        macs: Macs::EMPTY,
    };

    /// Sets what a plain TCP segment has in the eight bytes from `direction` on, in one store; there are no tags and no
    /// tunnels.
    #[inline(always)]
    pub(crate) fn set_small(&mut self, direction: u8, tcp_flags: u8, ttl: u8) {
        const {
            assert!(mem::offset_of!(Self, direction) % 8 == 0);
            assert!(mem::offset_of!(Self, layer) == mem::offset_of!(Self, direction) + 8);
        }
        let low = [direction, 4, protocol::TCP, tcp_flags];
        let word = u64::from(u32::from_le_bytes(low)) | u64::from(ttl) << 32;
        // SAFETY: eight fields of one byte each, aligned as a word is.
        unsafe {
            (&raw mut *self)
                .byte_add(mem::offset_of!(Self, direction))
                .cast::<u64>()
                .write(word.to_le());
        }
    }

    /// Makes ready for a new frame that begins with `layer`.
    #[inline(always)]
    pub fn begin(&mut self, layer: Layer) {
        self.offset = 0;
        self.reach = Reach::Nothing as u8;
        self.layer = layer as u8;
        self.tunnels = 0;
        self.tunnel_depth = 0;
        self.unread = 0;
        self.inside = Inside::EMPTY;
        self.fragment.of = 0;
        self.forget_tags();
        self.forget_flags();
        if !matches!(layer, Layer::Ethernet) {
            self.macs = Macs::EMPTY;
        }
    }

    /// What is known stops at the Ethernet addresses.
    #[inline(always)]
    pub(crate) fn forget_addresses(&mut self) {
        if self.reach > Reach::Macs as u8 {
            self.reach = Reach::Macs as u8;
        }
    }

    /// No tags.
    #[inline(always)]
    pub(crate) fn forget_tags(&mut self) {
        self.tags = 0;
        self.vlan_depth = 0;
        self.vlans = [0; 3];
    }

    /// Takes a VLAN tag in.
    #[inline(always)]
    pub(crate) fn add_vlan(&mut self, id: u16) {
        let [first, second, last] = &mut self.vlans;
        *match self.vlan_depth {
            0 => first,
            1 => second,
            _ => last,
        } = id;
        self.vlan_depth += 1;
        self.tags += 1;
    }

    /// The flow key of either family.
    #[inline(always)]
    #[must_use]
    pub fn flow_key(&self) -> FlowKey {
        if self.family == 4 {
            FlowKey::from(&self.key4)
        } else {
            self.key6
        }
    }

    /// Writes the flow key of either family to `key`, in words: a copy by the compiler would take the stack.
    #[inline(always)]
    pub(crate) fn write_key(&self, key: &mut FlowKey) {
        if self.family == 4 {
            let [addresses, rest] = self.key4.words();
            let (a, b, rest) = if cfg!(target_endian = "little") {
                let rest = rest & 0xff_ffff_ffff | 4 << 40;
                (addresses & 0xffff_ffff, addresses >> 32, rest)
            } else {
                let rest = rest & 0xffff_ffff_ff00_0000 | 4 << 16;
                (addresses & 0xffff_ffff_0000_0000, addresses << 32, rest)
            };
            // SAFETY: the five words of a key, aligned as a word is.
            unsafe {
                let words = ptr::from_mut(key).cast::<u64>();
                words.write(a);
                words.add(1).write(0);
                words.add(2).write(b);
                words.add(3).write(0);
                words.add(4).write(rest);
            }
        } else {
            // SAFETY: the same, to another place.
            unsafe {
                let from = ptr::from_ref(&self.key6).cast::<u64>();
                let words = ptr::from_mut(key).cast::<u64>();
                for at in 0..5 {
                    words.add(at).write(from.add(at).read());
                }
            }
        }
    }

    /// True for TCP with a header, so not for a later fragment.
    #[inline(always)]
    #[must_use]
    pub const fn is_tcp(&self) -> bool {
        self.protocol == protocol::TCP && !self.is_later_fragment()
    }

    /// True for a fragment other than the first.
    #[inline(always)]
    #[must_use]
    pub const fn is_later_fragment(&self) -> bool {
        self.flags & LATER_FRAGMENT != 0
    }

    /// True if it goes on with a packet of which a fragment came before.
    #[inline(always)]
    #[must_use]
    pub const fn is_continuation(&self) -> bool {
        self.flags & CONTINUATION != 0
    }

    #[inline(always)]
    pub(crate) fn mark_continuation(&mut self) {
        self.flags |= CONTINUATION;
    }

    /// True for a fragment that others follow.
    #[inline(always)]
    #[must_use]
    pub const fn has_more_fragments(&self) -> bool {
        self.flags & MORE_FRAGMENTS != 0
    }

    /// True if the capture is shorter than the headers say.
    #[inline(always)]
    #[must_use]
    pub const fn is_snapped(&self) -> bool {
        self.flags & SNAPPED != 0
    }

    /// True for a fragment, first or later.
    #[inline(always)]
    #[must_use]
    pub const fn is_fragment(&self) -> bool {
        self.flags & (LATER_FRAGMENT | MORE_FRAGMENTS) != 0
    }

    /// True for a TCP segment with any of these flags.
    #[inline(always)]
    #[must_use]
    pub const fn has_flags(&self, flags: u8) -> bool {
        self.is_tcp() && self.tcp_flags & flags != 0
    }

    /// True for ARP.
    #[inline(always)]
    #[must_use]
    pub const fn is_arp(&self) -> bool {
        self.flags & const { topic_flag(Topic::Arp) } != 0
    }

    /// [`Topic`] of what the packet says of hosts.
    #[inline(always)]
    #[must_use]
    pub const fn topic(&self) -> u8 {
        if self.flags & with_notices!(any_flag!()) == 0 {
            Topic::None as u8
        } else {
            with_notices!(topic_of!(self))
        }
    }

    #[inline(always)]
    pub(crate) fn mark_topic(&mut self, topic: Topic) {
        self.flags |= with_notices!(flag_of!(topic));
    }

    #[inline(always)]
    pub(crate) const fn forget_flags(&mut self) {
        self.flags = 0;
    }

    #[inline(always)]
    pub(crate) fn mark_later_fragment(&mut self) {
        self.flags |= LATER_FRAGMENT;
    }

    #[inline(always)]
    pub(crate) fn mark_more_fragments(&mut self) {
        self.flags |= MORE_FRAGMENTS;
    }

    #[inline(always)]
    pub(crate) fn mark_snapped(&mut self) {
        self.flags |= SNAPPED;
    }

    /// The sender's port, or what stands for it with ICMP.
    #[inline(always)]
    #[must_use]
    pub const fn source_port(&self) -> u16 {
        let (a, b) = if self.family == 4 {
            (self.key4.port_a, self.key4.port_b)
        } else {
            (self.key6.port_a, self.key6.port_b)
        };
        u16::from_be_bytes(if self.direction & 1 == 1 { b } else { a })
    }

    /// The receiver's port.
    #[inline(always)]
    #[must_use]
    pub const fn destination_port(&self) -> u16 {
        let (a, b) = if self.family == 4 {
            (self.key4.port_a, self.key4.port_b)
        } else {
            (self.key6.port_a, self.key6.port_b)
        };
        u16::from_be_bytes(if self.direction & 1 == 1 { a } else { b })
    }

    /// What a SYN adds to the sequence space besides the payload: 1, or 0 without SYN.
    #[inline(always)]
    #[must_use]
    pub(crate) const fn syn_length(&self) -> u32 {
        if self.tcp_flags & TCP_SYN != 0 { 1 } else { 0 }
    }
}
