//! The ring buffer's reading end.

use std::{
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd},
};

use aya::maps::{MapData, RingBuf};
use tokio::io::unix::AsyncFd;

/// The ring buffer.
pub struct Ring {
    buffer: RingBuf<MapData>,
}

impl Ring {
    pub(super) fn new(buffer: RingBuf<MapData>) -> Self {
        Self { buffer }
    }

    /// Hands every record that is there to `sink`, at most `limit`; how many there were.
    pub fn drain(&mut self, limit: usize, mut sink: impl FnMut(&[u8])) -> usize {
        let mut count = 0;
        while count < limit
            && let Some(record) = self.buffer.next()
        {
            sink(&record);
            count += 1;
        }
        count
    }

    /// Registers the ring with the tokio runtime, to wait for records with [`AsyncFd::readable`].
    ///
    /// # Errors
    /// Outside of a runtime, or when epoll refuses.
    pub fn into_async(self) -> io::Result<AsyncFd<Self>> {
        // SAFETY: the ring gives the one descriptor of the map that it owns, as long as it lives.
        Ok(unsafe { AsyncFd::register(self) }?)
    }
}

impl AsFd for Ring {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.buffer.as_fd()
    }
}

impl AsRawFd for Ring {
    fn as_raw_fd(&self) -> RawFd {
        self.buffer.as_raw_fd()
    }
}
