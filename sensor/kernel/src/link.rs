//! The link of an interface, by the `SIOCGIFFLAGS` ioctl (netdevice(7)).

use std::{io, os::fd::AsRawFd};

use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

/// An `ifreq` (netdevice(7)) that names an interface.
///
/// # Errors
/// When the name is too long.
pub(crate) fn request(interface: &str) -> io::Result<libc::ifreq> {
    // SAFETY: all zero is a valid `ifreq`.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    if interface.len() >= request.ifr_name.len() {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    for (slot, byte) in request.ifr_name.iter_mut().zip(interface.bytes()) {
        *slot = byte.cast_signed();
    }
    Ok(request)
}

/// Any socket, to ask about interfaces of this network namespace.
pub(crate) fn any() -> io::Result<impl AsRawFd> {
    let (family, kind) = (AddressFamily::Inet, SockType::Datagram);
    Ok(socket(family, kind, SockFlag::SOCK_CLOEXEC, None)?)
}

/// True if the interface is switched on and has a carrier (`IFF_RUNNING`, RFC 2863 `operStatus` up).
///
/// # Errors
/// When there is no such interface.
pub fn is_up(interface: &str) -> io::Result<bool> {
    let mut request = request(interface)?;
    // SAFETY: `request` names the interface with a final zero, and takes the flags.
    let result = unsafe {
        libc::ioctl(
            any()?.as_raw_fd(),
            libc::SIOCGIFFLAGS as _,
            &raw mut request,
        )
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has written the flags.
    let flags = i32::from(unsafe { request.ifr_ifru.ifru_flags });
    Ok(flags & libc::IFF_RUNNING != 0)
}
