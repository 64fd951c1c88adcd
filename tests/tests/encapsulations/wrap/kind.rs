//! What is said of a way to wrap.

use sensor_common::packet::Tunnel;

use crate::conversation::Packet;

/// How a packet is wrapped.
pub(crate) struct Wrap {
    pub(crate) name: &'static str,
    pub(crate) of: fn(&Packet) -> Vec<u8>,
    /// What must be said of it.
    pub(crate) tunnels: &'static [Tunnel],
    pub(crate) vlans: &'static [u16],
    /// It carries IPv6 alone.
    pub(crate) v6_only: bool,
}

pub(super) const fn wrap(
    name: &'static str,
    tunnels: &'static [Tunnel],
    vlans: &'static [u16],
    of: fn(&Packet) -> Vec<u8>,
) -> Wrap {
    Wrap {
        name,
        of,
        tunnels,
        vlans,
        v6_only: false,
    }
}

pub(super) const fn of_v6(
    name: &'static str,
    tunnel: &'static [Tunnel],
    of: fn(&Packet) -> Vec<u8>,
) -> Wrap {
    Wrap {
        v6_only: true,
        ..wrap(name, tunnel, &[], of)
    }
}
