//! Classic BPF programs on sockets (`SO_ATTACH_FILTER`, socket(7)).

use std::{
    io,
    os::fd::{AsFd, AsRawFd},
};

use libc::{sock_filter, sock_fprog};

/// Has the kernel keep from a socket what the classic BPF program `code` does not accept.
///
/// # Errors
/// When the program is too long, or the kernel refuses it.
pub fn attach_filter(socket: impl AsFd, code: &[sock_filter]) -> io::Result<()> {
    #[expect(clippy::cast_possible_truncation, reason = "it is 16")]
    const SIZE: libc::socklen_t = size_of::<sock_fprog>() as libc::socklen_t;
    let program = sock_fprog {
        len: u16::try_from(code.len()).map_err(io::Error::other)?,
        filter: code.as_ptr().cast_mut(),
    };
    // SAFETY: the option takes a program of `len` instructions, which the kernel copies, checks and does not change;
    // `code` outlives the call.
    let result = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ATTACH_FILTER,
            std::ptr::from_ref(&program).cast(),
            SIZE,
        )
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
