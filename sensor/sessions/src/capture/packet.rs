//! A packet as a capture file has it.

use super::link::Link;

/// A packet of a capture.
#[derive(Clone, Copy, Debug)]
pub struct CapturedPacket<'a> {
    /// Its link type.
    pub link: Link,
    /// Number of its interface in the file, from 0.
    pub interface: u32,
    /// When it was captured, nanoseconds since 1970.
    pub time: u64,
    /// Its bytes as far as they were captured.
    pub bytes: &'a [u8],
    /// Bytes of the file before it.
    pub offset: u64,
}
