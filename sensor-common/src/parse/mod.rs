//! From the first byte of a frame to the flow key, layer by layer.
//!
//! A step reads one layer; each is bounded, and there are at most [`MAX_LAYERS`] of them. [`Packet::parse_headers`] reads
//! what nearly all frames are made of at once: Ethernet with up to two tags, IP, and the transport header.
//! [`Packet::parse_shim`] reads what may lie between them, and [`Packet::parse_inside`] looks whether a tunnel carries what
//! it says. The kernel's verifier looks at each of the three once.

mod gre;
mod inside;
mod ip;
mod link;
pub mod segment;
mod shim;
mod transport;
mod udp;
mod wifi;

use crate::{
    bytes::Frame,
    counter::Counter,
    packet::{Layer, Packet, Tunnel, protocol, unread},
};

/// Tunnels that are unwrapped, one inside the other.
pub const MAX_TUNNELS: u8 = 4;
/// Tags that are read behind one pair of Ethernet addresses.
pub const MAX_TAGS: u8 = 8;
/// Steps that a frame is given.
pub const MAX_LAYERS: u32 = 48;

/// What came of parsing a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The packet has a flow key.
    Flow,
    /// There is another layer: [`Packet::layer`] at [`Packet::offset`].
    Next,
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
            Self::Next => 1,
            Self::Done(counter) => 2 + counter as u32,
        }
    }
}

impl Packet {
    /// Parses the layer at `offset`.
    #[inline]
    pub fn parse_layer<F: Frame>(&mut self, frame: &F) -> Outcome {
        if Layer::is_header(self.layer) {
            self.parse_headers(frame)
        } else if Layer::is_inside(self.layer) {
            self.parse_inside(frame)
        } else {
            self.parse_shim(frame)
        }
    }

    /// Parses headers from `offset` on: Ethernet and the first VLAN tags, IP, and the transport header.
    #[inline(always)]
    pub fn parse_headers<F: Frame>(&mut self, frame: &F) -> Outcome {
        if self.layer != Layer::Transport as u8 {
            self.forget_flags();
            let version = if self.layer == Layer::Ethernet as u8 {
                match link::ethernet(frame, self) {
                    Ok(version) => version,
                    Err(outcome) => return outcome,
                }
            } else if self.layer == Layer::Ip4 as u8 {
                4
            } else if self.layer == Layer::Ip6 as u8 {
                6
            } else {
                0
            };
            if let Err(counter) = ip::parse(frame, self, version) {
                return Outcome::Done(counter);
            }
            if ip::is_extension(self) {
                return self.go_on(Layer::Extensions, self.offset);
            }
        }
        if let Err(counter) = transport::parse(frame, self) {
            return Outcome::Done(counter);
        }
        if carries(self) {
            return self.go_on(Layer::Carried, self.offset);
        }
        Outcome::Flow
    }

    /// Parses what lies between such headers: more tags, MPLS, PPP, 802.11, extension headers, tunnels.
    #[inline(always)]
    pub fn parse_shim<F: Frame>(&mut self, frame: &F) -> Outcome {
        const ETHER_TYPE: u8 = Layer::EtherType as u8;
        const LLC: u8 = Layer::Llc as u8;
        const MPLS: u8 = Layer::Mpls as u8;
        const PPPOE: u8 = Layer::Pppoe as u8;
        const PPP: u8 = Layer::Ppp as u8;
        const WIFI: u8 = Layer::Wifi as u8;
        const WIFI_SWAPPED: u8 = Layer::WifiSwapped as u8;
        const EXTENSIONS: u8 = Layer::Extensions as u8;
        match self.layer {
            ETHER_TYPE => shim::ether_type(frame, self),
            LLC => shim::llc(frame, self),
            MPLS => shim::mpls(frame, self),
            PPPOE => shim::pppoe(frame, self),
            PPP => shim::ppp(frame, self),
            WIFI | WIFI_SWAPPED => wifi::data(frame, self),
            EXTENSIONS => match ip::extensions(frame, self) {
                Ok(true) => self.go_on(Layer::Transport, self.offset),
                Ok(false) => Outcome::Next,
                Err(counter) => Outcome::Done(counter),
            },
            _ => self.carried(frame),
        }
    }

    /// Looks whether what a tunnel says of its contents is so, and goes into it; otherwise the packet stays what it is.
    #[inline(always)]
    pub fn parse_inside<F: Frame>(&mut self, frame: &F) -> Outcome {
        if self.layer == Layer::Below as u8 {
            inside::below(frame, self)
        } else {
            inside::look(frame, self)
        }
    }

    /// What comes of a packet that was given all its steps, and has more layers.
    #[inline(always)]
    #[must_use]
    pub const fn too_deep(&self) -> Counter {
        if self.layer == Layer::Extensions as u8 {
            Counter::Ipv6ExtensionDepth
        } else {
            Counter::TunnelDepth
        }
    }

    /// A tunnel over IP or UDP; the packet has the flow key of the tunnel, which stays where it can't be unwrapped.
    #[inline(always)]
    fn carried<F: Frame>(&mut self, frame: &F) -> Outcome {
        match self.protocol {
            protocol::UDP => udp::unwrap(frame, self),
            protocol::GRE => gre::unwrap(frame, self),
            protocol => {
                self.unread = unread::kind(unread::By::Ip, protocol as u16);
                let layer = match protocol {
                    protocol::IPV4 => Layer::Ip4,
                    protocol::IPV6 => Layer::Ip6,
                    protocol::MPLS => Layer::Mpls,
                    // Version 3, and zeros (RFC 3378 section 3).
                    _ if frame.be16(self.offset) == Some(0x3000) => {
                        return self.propose(Tunnel::Ip, Layer::Ethernet, self.offset + 2);
                    }
                    _ => return Outcome::Flow,
                };
                self.propose(Tunnel::Ip, layer, self.offset)
            }
        }
    }

    /// A tunnel says that it carries `layer` at `offset`; [`Packet::unread`] says what the packet is if it does not.
    #[inline(always)]
    fn propose(&mut self, tunnel: Tunnel, layer: Layer, offset: u32) -> Outcome {
        self.inside.offset = offset;
        self.inside.at = offset;
        self.inside.tunnel = tunnel as u16;
        self.inside.layer = layer as u8;
        self.inside.look = layer as u8;
        self.layer = Layer::Inside as u8;
        Outcome::Next
    }

    /// The tunnel can't be unwrapped: its own flow is what there is.
    #[inline(always)]
    fn stay(&mut self, kind: u32) -> Outcome {
        self.unread = kind;
        Outcome::Flow
    }

    /// A frame that carries no IP.
    #[inline(always)]
    fn give_up(&mut self, by: unread::By, value: u16) -> Outcome {
        self.unread = unread::kind(by, value);
        Outcome::Done(Counter::NotIp)
    }

    #[inline(always)]
    fn go_on(&mut self, layer: Layer, offset: u32) -> Outcome {
        self.layer = layer as u8;
        self.offset = offset;
        Outcome::Next
    }

    /// Goes into a tunnel, whose contents begin with `layer` at `offset`.
    #[inline(always)]
    fn enter(&mut self, tunnel: u16, layer: u8, offset: u32) -> Outcome {
        // Were it looked up by its outer addresses, all that the tunnel carries would be hit.
        self.forget_addresses();
        if self.tunnel_depth >= MAX_TUNNELS {
            return Outcome::Done(Counter::TunnelDepth);
        }
        self.tunnel_depth += 1;
        self.tunnels |= tunnel;
        self.unread = 0;
        // Below IP the tags are of the same link.
        if tunnel & const { Tunnel::Mpls as u16 | Tunnel::Pppoe as u16 } == 0 {
            self.forget_tags();
        }
        self.layer = layer;
        self.offset = offset;
        Outcome::Next
    }
}

/// True if the packet may carry another.
#[inline(always)]
const fn carries(packet: &Packet) -> bool {
    if packet.is_later_fragment() {
        return false;
    }
    match packet.protocol {
        protocol::UDP => udp::is_tunnel(packet.source_port(), packet.destination_port()),
        protocol::GRE | protocol::IPV4 | protocol::IPV6 | protocol::ETHER_IP | protocol::MPLS => {
            true
        }
        _ => false,
    }
}
