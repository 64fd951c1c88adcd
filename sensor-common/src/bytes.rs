//! The one way in which parsing code reads a frame.

/// A frame of `len` bytes, read with one bounds check a read.
///
/// The kernel's implementation reads between `data` and `data_end` of the XDP context, the portable
/// one reads a slice.
pub trait Frame {
    /// Bytes that can be read, counted from the start of the frame.
    fn len(&self) -> u32;

    /// `N` bytes from `offset`, or `None` where they are not all there.
    fn array<const N: usize>(&self, offset: u32) -> Option<[u8; N]>;

    /// Copies `len` bytes from `offset` to `out[at..]`; false, and nothing copied, where either range
    /// is not all there.
    fn copy<const CAP: usize>(&self, offset: u32, len: u32, out: &mut [u8; CAP], at: u32) -> bool;

    /// True for a frame without a byte.
    #[inline(always)]
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The byte at `offset`.
    #[inline(always)]
    fn u8(&self, offset: u32) -> Option<u8> {
        match self.array::<1>(offset) {
            Some([byte]) => Some(byte),
            None => None,
        }
    }

    /// The big-endian 16-bit number at `offset`.
    #[inline(always)]
    fn be16(&self, offset: u32) -> Option<u16> {
        match self.array(offset) {
            Some(bytes) => Some(u16::from_be_bytes(bytes)),
            None => None,
        }
    }
}

/// A frame in memory.
impl Frame for &[u8] {
    #[inline]
    fn len(&self) -> u32 {
        u32::try_from(<[u8]>::len(self)).unwrap_or(u32::MAX)
    }

    #[inline]
    fn array<const N: usize>(&self, offset: u32) -> Option<[u8; N]> {
        self.get(offset as usize..)?.first_chunk::<N>().copied()
    }

    #[inline]
    fn copy<const CAP: usize>(&self, offset: u32, len: u32, out: &mut [u8; CAP], at: u32) -> bool {
        let (from, to, n) = (offset as usize, at as usize, len as usize);
        match (self.get(from..from + n), out.get_mut(to..to + n)) {
            (Some(source), Some(target)) => {
                target.copy_from_slice(source);
                true
            }
            _ => false,
        }
    }
}
