//! The steps from one layer to the next.

use super::outcome::Outcome;
use crate::{
    counter::Counter,
    packet::{Layer, Packet, Tunnel},
    unread,
};

/// Tunnels that are unwrapped, one inside the other.
pub const MAX_TUNNELS: u8 = 4;
/// Tags that are read behind one pair of Ethernet addresses.
pub const MAX_TAGS: u8 = 8;
/// Steps that a frame is given.
pub const MAX_LAYERS: u32 = 48;

impl Packet {
    /// A tunnel says that it carries `layer` at `offset`; [`Packet::unread`] says what the packet is if it does not.
    #[inline(always)]
    pub(super) fn propose(&mut self, tunnel: Tunnel, layer: Layer, offset: u32) -> Outcome {
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
    pub(super) fn stay(&mut self, kind: u32) -> Outcome {
        self.unread = kind;
        Outcome::Flow
    }

    /// A frame that carries no IP.
    #[inline(always)]
    pub(super) fn give_up(&mut self, by: unread::By, value: u16) -> Outcome {
        self.unread = unread::kind(by, value);
        Outcome::Done(Counter::NotIp)
    }

    #[inline(always)]
    pub(super) fn go_on(&mut self, layer: Layer, offset: u32) -> Outcome {
        self.layer = layer as u8;
        self.offset = offset;
        Outcome::Next
    }

    /// Goes into a tunnel, whose contents begin with `layer` at `offset`.
    #[inline(always)]
    pub(super) fn enter(&mut self, tunnel: u16, layer: u8, offset: u32) -> Outcome {
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
