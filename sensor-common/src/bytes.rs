//! The one way in which parsing code reads a frame.

/// A frame of `len` bytes, read with one bounds check a read.
///
/// The kernel's implementation reads between `data` and `data_end` of the XDP context, the portable
/// one reads a slice.
pub trait Frame {
    /// Bytes that can be read, counted from the start of the frame.
    fn len(&self) -> u32;

    /// A checked stretch of `N` bytes, see [`View`].
    type View<const N: usize>: View;

    /// The `N` bytes from `offset`, or `None` where they are not all there.
    fn view<const N: usize>(&self, offset: u32) -> Option<Self::View<N>>;

    /// The first `N` bytes, or `None` where they are not all there.
    #[inline(always)]
    fn head<const N: usize>(&self) -> Option<Self::View<N>> {
        self.view(0)
    }

    /// A copy of `N` bytes from `offset`, or `None` where they are not all there.
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
        self.array::<1>(offset).map(|[byte]| byte)
    }

    /// The big-endian 16-bit number at `offset`.
    #[inline(always)]
    fn be16(&self, offset: u32) -> Option<u16> {
        self.view::<2>(offset).map(View::be16::<0>)
    }
}

/// Bytes whose presence was checked: reads need no check any more, and a number is read by one load,
/// whatever its alignment. Offsets are constants; one beyond the view does not compile.
pub trait View: Copy {
    /// The byte at `AT`.
    fn u8<const AT: usize>(self) -> u8;

    /// The 16-bit number at `AT`, in the machine's order.
    fn ne16<const AT: usize>(self) -> u16;

    /// The 32-bit number at `AT`, in the machine's order.
    fn ne32<const AT: usize>(self) -> u32;

    /// The 64-bit number at `AT`, in the machine's order.
    fn ne64<const AT: usize>(self) -> u64;

    /// The 16-bit number at `AT`, big-endian.
    #[inline(always)]
    fn be16<const AT: usize>(self) -> u16 {
        u16::from_be(self.ne16::<AT>())
    }

    /// The 32-bit number at `AT`, big-endian.
    #[inline(always)]
    fn be32<const AT: usize>(self) -> u32 {
        u32::from_be(self.ne32::<AT>())
    }
}

impl<const N: usize> View for [u8; N] {
    #[inline(always)]
    fn u8<const AT: usize>(self) -> u8 {
        const { assert!(AT < N) };
        self[AT]
    }

    #[inline(always)]
    fn ne16<const AT: usize>(self) -> u16 {
        const { assert!(AT + 2 <= N) };
        u16::from_ne_bytes([self[AT], self[AT + 1]])
    }

    #[inline(always)]
    fn ne32<const AT: usize>(self) -> u32 {
        const { assert!(AT + 4 <= N) };
        u32::from_ne_bytes([self[AT], self[AT + 1], self[AT + 2], self[AT + 3]])
    }

    #[inline(always)]
    fn ne64<const AT: usize>(self) -> u64 {
        const { assert!(AT + 8 <= N) };
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self[AT..AT + 8]);
        u64::from_ne_bytes(bytes)
    }
}

/// A frame in memory.
impl Frame for &[u8] {
    #[inline]
    fn len(&self) -> u32 {
        u32::try_from(<[u8]>::len(self)).unwrap_or(u32::MAX)
    }

    type View<const N: usize> = [u8; N];

    #[inline]
    fn view<const N: usize>(&self, offset: u32) -> Option<[u8; N]> {
        self.array(offset)
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
