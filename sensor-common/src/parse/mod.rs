//! From the first byte of a frame to the flow key, layer by layer.

mod ip;
mod link;
pub mod segment;
mod transport;
mod tunnel;

use crate::{
    bytes::Frame,
    counter::Counter,
    packet::{Layer, Packet, protocol},
};

/// Tunnels that are unwrapped, one inside the other.
pub const MAX_TUNNELS: u8 = 2;

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

impl Packet {
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
}
