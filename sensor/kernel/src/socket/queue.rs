//! The send queue of a TCP connection.

use std::{io, net::TcpStream, os::fd::AsRawFd};

/// Bytes that were written to the socket and that the receiver's kernel has not acknowledged (`SIOCOUTQ`, tcp(7)).
///
/// # Errors
/// When the kernel refuses it.
pub fn unacknowledged(socket: &TcpStream) -> io::Result<u64> {
    let mut left: libc::c_int = 0;
    // SAFETY: SIOCOUTQ, which is TIOCOUTQ, writes one int, to which the pointer leads.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut left) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(u64::try_from(left).unwrap_or(0))
}
