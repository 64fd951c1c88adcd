//! Offloads of an interface, by the `SIOCETHTOOL` ioctl (linux/ethtool.h).

use std::{io, os::fd::AsRawFd};

use crate::link;

/// How an offload is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offload {
    /// A command of its own (`ETHTOOL_GGRO`).
    Gro,
    /// A bit of `ETHTOOL_GFLAGS`.
    Flag(u32),
}

/// Offloads that must be off on a mirror interface: what, its `ethtool -K` name, in words.
pub const OFFLOADS: &[(Offload, &str, &str)] = &[
    (Offload::Gro, "gro", "generic receive offload"),
    (Offload::Flag(ETH_FLAG_LRO), "lro", "large receive offload"),
    (
        Offload::Flag(ETH_FLAG_RXVLAN),
        "rxvlan",
        "VLAN tag stripping",
    ),
];

const ETHTOOL_GFLAGS: u32 = 0x25;
const ETHTOOL_GGRO: u32 = 0x2b;
const ETH_FLAG_RXVLAN: u32 = 1 << 8;
const ETH_FLAG_LRO: u32 = 1 << 15;

/// `struct ethtool_value`.
#[repr(C)]
struct Value {
    command: u32,
    data: u32,
}

/// True if the offload is on.
///
/// # Errors
/// When there is no such interface, or its driver does not say.
pub fn is_on(interface: &str, offload: Offload) -> io::Result<bool> {
    let (command, bit) = match offload {
        Offload::Gro => (ETHTOOL_GGRO, u32::MAX),
        Offload::Flag(bit) => (ETHTOOL_GFLAGS, bit),
    };
    let any = link::any()?;
    let mut value = Value { command, data: 0 };
    let mut request = link::request(interface)?;
    request.ifr_ifru.ifru_data = std::ptr::from_mut(&mut value).cast();
    // SAFETY: `request` names the interface with a final zero and points to a live `ethtool_value`.
    let result = unsafe { libc::ioctl(any.as_raw_fd(), libc::SIOCETHTOOL as _, &raw mut request) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(value.data & bit != 0)
}
