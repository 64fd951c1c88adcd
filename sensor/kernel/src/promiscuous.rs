//! Promiscuous mode: without it a card drops what is addressed to others, which on a mirror port is
//! everything. Attaching XDP does not ask for it.

use std::{
    io,
    os::fd::{AsRawFd, OwnedFd},
};

use nix::sys::socket::SockFlag;

use super::{KernelError, socket::packet_socket};

// The constants of libc are of other types than the fields they are for.
#[expect(clippy::cast_possible_truncation, reason = "it is 1")]
const MODE: libc::c_ushort = libc::PACKET_MR_PROMISC as libc::c_ushort;
#[expect(clippy::cast_possible_truncation, reason = "it is 16")]
const REQUEST_SIZE: libc::socklen_t = size_of::<libc::packet_mreq>() as libc::socklen_t;

/// Puts the interface into promiscuous mode for as long as the descriptor lives (`PACKET_MR_PROMISC`,
/// packet(7)); the kernel counts those who ask. The socket has protocol 0, so it receives nothing.
pub(super) fn hold(index: u32) -> Result<OwnedFd, KernelError> {
    let socket = packet_socket(SockFlag::empty()).map_err(failed)?;
    join(&socket, index)?;
    Ok(socket)
}

fn failed(source: io::Error) -> KernelError {
    KernelError::System {
        call: "PACKET_ADD_MEMBERSHIP",
        source,
    }
}

/// The same for another interface, with a descriptor of [`hold`]: that takes no right.
pub(super) fn join(socket: &OwnedFd, index: u32) -> Result<(), KernelError> {
    let request = libc::packet_mreq {
        mr_ifindex: index.cast_signed(),
        mr_type: MODE,
        mr_alen: 0,
        mr_address: [0; 8],
    };
    // SAFETY: the option takes a `packet_mreq`, of which the kernel is told the size.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_ADD_MEMBERSHIP,
            std::ptr::from_ref(&request).cast(),
            REQUEST_SIZE,
        )
    };
    if result < 0 {
        return Err(failed(io::Error::last_os_error()));
    }
    Ok(())
}
