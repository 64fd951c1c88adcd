//! A packet: what the [parser](crate::parse) knows of it.

mod flags;
mod layer;
mod macs;
mod pieces;
pub mod protocol;
mod tunnel;

use core::{mem, ptr};

pub(crate) use flags::TCP_SPECIAL;
pub use flags::{TCP_ACK, TCP_FIN, TCP_PSH, TCP_RST, TCP_SYN, TCP_URG};
pub use layer::Layer;
pub use macs::Macs;
pub(crate) use pieces::Fragment;
pub use pieces::Pieces;
pub use tunnel::Tunnel;

use crate::key::{FlowKey, Key4};

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
    /// The urgent pointer of a TCP segment with URG; set by [`crate::engine::examine`].
    pub urgent: u16,
    /// Always zero.
    pub pad: [u8; 4],
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
        urgent: 0,
        pad: [0; 4],
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
}
