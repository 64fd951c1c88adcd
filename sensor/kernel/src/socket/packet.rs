//! Packet sockets (packet(7)).

use std::{
    io,
    os::fd::{AsFd, AsRawFd, OwnedFd},
};

use nix::{
    errno::Errno,
    sys::socket::{AddressFamily, LinkAddr, SockFlag, SockType, SockaddrLike, bind, socket},
};

/// Opens a raw packet socket, which receives nothing before it is bound to a protocol.
///
/// # Errors
/// When the kernel refuses it, for want of `CAP_NET_RAW` above all.
pub fn packet_socket(flags: SockFlag) -> io::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC | flags;
    Ok(socket(AddressFamily::Packet, SockType::Raw, flags, None)?)
}

/// Binds a packet socket to the interface with this index, for frames of one protocol (`ETH_P_*`, in host order); with
/// protocol 0 it sends and receives nothing.
///
/// # Errors
/// When the kernel refuses it.
pub fn bind_packet(socket: impl AsFd, index: u32, protocol: u16) -> io::Result<()> {
    #[expect(clippy::cast_possible_truncation, reason = "they are 17 and 20")]
    const SIZES: (libc::sa_family_t, libc::socklen_t) = (
        libc::AF_PACKET as libc::sa_family_t,
        size_of::<libc::sockaddr_ll>() as libc::socklen_t,
    );
    let raw = libc::sockaddr_ll {
        sll_family: SIZES.0,
        sll_protocol: protocol.to_be(),
        sll_ifindex: index.cast_signed(),
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    // SAFETY: it is a whole packet address, and its size is told.
    let address = unsafe { LinkAddr::from_raw(std::ptr::from_ref(&raw).cast(), Some(SIZES.1)) };
    let address = address.ok_or(Errno::EINVAL)?;
    Ok(bind(socket.as_fd().as_raw_fd(), &address)?)
}

/// Asks for the metadata with the VLAN tag that the kernel takes off (`PACKET_AUXDATA`).
///
/// # Errors
/// When the kernel refuses it.
pub fn want_vlan_tags(socket: impl AsFd) -> io::Result<()> {
    #[expect(clippy::cast_possible_truncation, reason = "it is 4")]
    const SIZE: libc::socklen_t = size_of::<libc::c_int>() as libc::socklen_t;
    let on: libc::c_int = 1;
    // SAFETY: the option takes an int, of which the kernel is told the size.
    let result = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_AUXDATA,
            std::ptr::from_ref(&on).cast(),
            SIZE,
        )
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
