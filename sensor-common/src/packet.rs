//! From the first byte of a frame to the flow key: what is known of a packet.

use core::mem;

use crate::{
    bytes::Frame, counter::Counter, ip, key::FlowKey, key::Key4, link, notice::Topic,
    rule::Clearance, transport, tunnel,
};

/// Tunnels that are unwrapped, one inside the other.
pub const MAX_TUNNELS: u8 = 2;

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

/// IP protocol numbers that the parser knows (IANA).
pub mod protocol {
    /// ICMP.
    pub const ICMP: u8 = 1;
    /// TCP.
    pub const TCP: u8 = 6;
    /// UDP.
    pub const UDP: u8 = 17;
    /// GRE.
    pub const GRE: u8 = 47;
    /// `ICMPv6`.
    pub const ICMP6: u8 = 58;
    /// SCTP.
    pub const SCTP: u8 = 132;
}

/// Bits of [`Packet::tunnels`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Tunnel {
    /// GRE with IP or Ethernet inside (RFC 2784, RFC 2890).
    Gre = 1,
    /// ERSPAN type I, II or III (draft-foschiano-erspan-03).
    Erspan = 2,
    /// VXLAN (RFC 7348).
    Vxlan = 4,
}

/// What the next bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Layer {
    /// An Ethernet header.
    Ethernet = 0,
    /// An IP header of the version in its first four bits.
    Ip = 1,
}

/// What came of parsing a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The packet has a flow key.
    Flow,
    /// A tunnel: parse the next layer.
    Tunnel,
    /// No flow; the disposition.
    Done(Counter),
}

impl Outcome {
    /// As a number, for a call across a verifier boundary.
    #[inline(always)]
    #[must_use]
    pub const fn to_code(self) -> u32 {
        match self {
            Self::Flow => 0,
            Self::Tunnel => 1,
            Self::Done(counter) => 2 + counter as u32,
        }
    }
}

/// Packet flag: a fragment other than the first.
const LATER_FRAGMENT: u8 = 1;
/// Packet flag: the capture is shorter than the headers say.
const SNAPPED: u8 = 2;
/// Packet flag: ARP (RFC 826).
const ARP: u8 = 4;
/// Packet flag: DHCP, by its ports.
const DHCP: u8 = 8;
/// Packet flag: multicast DNS, by its ports.
const NAMES: u8 = 16;

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
    /// TCP sequence number.
    pub sequence: u32,
    /// Set by [`crate::flow::Flow::update`].
    pub stream_delta: i32,
    /// VLAN ids, outer first.
    pub vlans: [u16; 2],
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
    /// Bits of [`Tunnel`].
    pub tunnels: u8,
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
    /// Ethernet addresses of the innermost header; zero where there was none.
    pub macs: Macs,
}

/// The two Ethernet addresses of a header, destination first, in the two words they are read by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(8))]
pub struct Macs {
    pub(crate) begin: [u8; 8],
    pub(crate) end: [u8; 4],
    pad: [u8; 4],
}

impl Macs {
    /// None.
    pub const EMPTY: Self = Self {
        begin: [0; 8],
        end: [0; 4],
        pad: [0; 4],
    };

    /// From the two words they are read by.
    #[inline(always)]
    pub(crate) const fn of_words(begin: u64, end: u32) -> Self {
        Self {
            begin: begin.to_ne_bytes(),
            end: end.to_ne_bytes(),
            pad: [0; 4],
        }
    }

    /// The destination.
    #[inline(always)]
    #[must_use]
    pub const fn destination(&self) -> [u8; 6] {
        let [d0, d1, d2, d3, d4, d5, ..] = self.begin;
        [d0, d1, d2, d3, d4, d5]
    }

    /// The clearance of a packet with these addresses, while the rules are as in `generation`.
    #[inline(always)]
    #[must_use]
    pub const fn clearance(&self, generation: u32) -> Clearance {
        Clearance {
            macs: u64::from_ne_bytes(self.begin),
            macs_and_generation: (u32::from_ne_bytes(self.end) as u64) << 32 | generation as u64,
        }
    }

    /// Twelve bytes, source first, in two words: the first eight, then four.
    #[inline(always)]
    #[must_use]
    pub(crate) const fn turned(&self) -> Self {
        let (begin, end) = (u64::from_le_bytes(self.begin), u32::from_le_bytes(self.end));
        let source = begin >> 48 | (end as u64) << 16;
        Self {
            begin: (source | begin << 48).to_le_bytes(),
            end: ((begin >> 16) as u32).to_le_bytes(),
            pad: [0; 4],
        }
    }

    /// The source.
    #[inline(always)]
    #[must_use]
    pub const fn source(&self) -> [u8; 6] {
        let ([.., s0, s1], [s2, s3, s4, s5]) = (self.begin, self.end);
        [s0, s1, s2, s3, s4, s5]
    }
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
        sequence: 0,
        stream_delta: 0,
        vlans: [0; 2],
        direction: 0,
        family: 0,
        protocol: 0,
        tcp_flags: 0,
        ttl: 0,
        vlan_depth: 0,
        tunnels: 0,
        tunnel_depth: 0,
        layer: 0,
        first_byte: 0,
        flags: 0,
        reach: Reach::Nothing as u8,
        window: 0,
        ip_id: 0,
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
        self.vlan_depth = 0;
        self.vlans = [0; 2];
        if matches!(layer, Layer::Ip) {
            self.macs = Macs::EMPTY;
        }
    }

    /// Parses the layer at `offset`: Ethernet and VLAN tags, IP and its extension headers, and the
    /// transport header or the tunnel.
    #[inline(always)]
    pub fn parse_layer<F: Frame>(&mut self, frame: &F) -> Outcome {
        self.forget_flags();
        let ip_version = if self.layer == Layer::Ethernet as u8 {
            match link::ethernet(frame, self) {
                Ok(version) => version,
                Err(counter) => return Outcome::Done(counter),
            }
        } else {
            0
        };
        if let Err(counter) = ip::parse(frame, self, ip_version) {
            return Outcome::Done(counter);
        }
        if self.protocol == protocol::GRE && !self.is_later_fragment() {
            // Were it looked up by its outer addresses, all that the tunnel carries would be hit.
            self.forget_addresses();
            match tunnel::gre(frame, self) {
                Ok(true) => return self.enter_tunnel(),
                Ok(false) => {}
                Err(counter) => return Outcome::Done(counter),
            }
        }
        if let Err(counter) = transport::parse(frame, self) {
            return Outcome::Done(counter);
        }
        if self.protocol == protocol::UDP && tunnel::vxlan(frame, self) {
            return self.enter_tunnel();
        }
        Outcome::Flow
    }

    #[inline(always)]
    fn enter_tunnel(&mut self) -> Outcome {
        self.forget_addresses();
        if self.tunnel_depth >= MAX_TUNNELS {
            return Outcome::Done(Counter::TunnelDepth);
        }
        self.tunnel_depth += 1;
        self.vlan_depth = 0;
        self.vlans = [0; 2];
        Outcome::Tunnel
    }

    #[inline(always)]
    fn forget_addresses(&mut self) {
        if self.reach > Reach::Macs as u8 {
            self.reach = Reach::Macs as u8;
        }
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

    /// True if the capture is shorter than the headers say.
    #[inline(always)]
    #[must_use]
    pub const fn is_snapped(&self) -> bool {
        self.flags & SNAPPED != 0
    }

    /// True for ARP.
    #[inline(always)]
    #[must_use]
    pub const fn is_arp(&self) -> bool {
        self.flags & ARP != 0
    }

    /// [`Topic`] of what the packet says of hosts.
    #[inline(always)]
    #[must_use]
    pub const fn topic(&self) -> u8 {
        if self.flags & (ARP | DHCP | NAMES) == 0 {
            Topic::None as u8
        } else if self.flags & ARP != 0 {
            Topic::Arp as u8
        } else if self.flags & DHCP != 0 {
            Topic::Dhcp as u8
        } else {
            Topic::Names as u8
        }
    }

    #[inline(always)]
    pub(crate) fn mark_topic(&mut self, topic: Topic) {
        self.flags |= match topic {
            Topic::None => 0,
            Topic::Arp => ARP,
            Topic::Dhcp => DHCP,
            Topic::Names => NAMES,
        };
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
}
