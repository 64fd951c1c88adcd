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
mod outcome;
pub mod segment;
mod shim;
mod step;
mod transport;
mod udp;
mod wifi;

pub use outcome::Outcome;
pub use step::{MAX_LAYERS, MAX_TAGS, MAX_TUNNELS};

use crate::{
    bytes::Frame,
    counter::Counter,
    packet::{Layer, Packet, Tunnel, protocol},
    unread,
};

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
                self.unread = unread::kind(unread::By::Ip, u16::from(protocol));
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
