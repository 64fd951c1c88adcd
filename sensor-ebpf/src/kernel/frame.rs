//! Reading the frame between `data` and `data_end`.

use aya_ebpf::{bindings::xdp_md, helpers::generated::bpf_probe_read_kernel};
use sensor_common::{
    bytes::{Frame, View},
    engine::{HELD_BYTES, Held},
    tape::COPY_MAX,
};

/// Frames are read up to this offset; the verifier wants a bound below 65,536 on packet offsets.
const OFFSET_MAX: usize = 0xff00;

/// The linear part of a frame.
#[derive(Clone, Copy)]
pub(crate) struct XdpFrame {
    data: usize,
    end: usize,
}

impl XdpFrame {
    /// The frame of an XDP context.
    #[inline(always)]
    pub(crate) fn new(context: *mut xdp_md) -> Self {
        // SAFETY: the kernel calls an XDP program with a valid context.
        unsafe {
            Self {
                data: (*context).data as usize,
                end: (*context).data_end as usize,
            }
        }
    }

    /// The address of `offset`, with a bound that the verifier has seen on the very register that is
    /// added: LLVM otherwise checks one copy of the number and adds another.
    #[inline(always)]
    fn at(&self, offset: u32) -> Option<usize> {
        let mut offset = offset as usize;
        // SAFETY: a register is copied to itself.
        unsafe { core::arch::asm!("{0} = {0}", inout(reg) offset) };
        if offset > OFFSET_MAX {
            None
        } else {
            Some(self.data + offset)
        }
    }
}

impl Frame for XdpFrame {
    #[inline(always)]
    fn len(&self) -> u32 {
        (self.end - self.data) as u32
    }

    type View<const N: usize> = XdpView<N>;

    #[inline(always)]
    fn view<const N: usize>(&self, offset: u32) -> Option<XdpView<N>> {
        let Some(start) = self.at(offset) else {
            return None;
        };
        let mut stop = start;
        if N == 1 {
            // Written as `stop += 1; if stop > end`, LLVM makes of it `if start >= end`, from which the
            // verifier learns nothing (find_good_pkt_pointers).
            // SAFETY: one addition.
            unsafe { core::arch::asm!("{0} += 1", inout(reg) stop) };
        } else {
            stop += N;
        }
        if stop > self.end {
            return None;
        }
        Some(XdpView(start))
    }

    #[inline(always)]
    fn head<const N: usize>(&self) -> Option<XdpView<N>> {
        (self.data + N <= self.end).then_some(XdpView(self.data))
    }

    #[inline(always)]
    fn array<const N: usize>(&self, offset: u32) -> Option<[u8; N]> {
        let XdpView(start) = self.view::<N>(offset)?;
        // SAFETY: `view` checked the range, and bytes have no alignment.
        Some(unsafe { *(start as *const [u8; N]) })
    }

    #[inline(always)]
    fn copy<const CAP: usize>(&self, offset: u32, len: u32, out: &mut [u8; CAP], at: u32) -> bool {
        if len > COPY_MAX || at > CAP as u32 - COPY_MAX {
            return false;
        }
        let Some(start) = self.at(offset) else {
            return false;
        };
        if start + len as usize > self.end {
            return false;
        }
        // SAFETY: the source lies within the frame, the target within `out`. The helper takes a length
        // that the compiler does not know, without a loop.
        unsafe {
            bpf_probe_read_kernel(
                out.as_mut_ptr().add(at as usize).cast(),
                len,
                start as *const core::ffi::c_void,
            ) == 0
        }
    }
}

/// The payload of a segment that was kept.
#[derive(Clone, Copy)]
pub(crate) struct HeldFrame {
    data: usize,
    length: u32,
}

impl HeldFrame {
    /// What a place holds.
    ///
    /// # Safety
    /// `held` is an element of the map of places.
    #[inline(always)]
    pub(crate) unsafe fn new(held: *mut Held) -> Self {
        // SAFETY: the caller's.
        unsafe {
            Self {
                data: (&raw const (*held).data) as usize,
                length: (*held).length,
            }
        }
    }
}

impl Frame for HeldFrame {
    #[inline(always)]
    fn len(&self) -> u32 {
        self.length
    }

    type View<const N: usize> = XdpView<N>;

    #[inline(always)]
    fn view<const N: usize>(&self, offset: u32) -> Option<XdpView<N>> {
        let mut offset = offset as usize;
        // SAFETY: a register is copied to itself, so that the verifier sees the bound on the very one that is added.
        unsafe { core::arch::asm!("{0} = {0}", inout(reg) offset) };
        if offset > HELD_BYTES - N || offset as u32 + N as u32 > self.length {
            return None;
        }
        Some(XdpView(self.data + offset))
    }

    #[inline(always)]
    fn array<const N: usize>(&self, offset: u32) -> Option<[u8; N]> {
        let XdpView(start) = self.view::<N>(offset)?;
        // SAFETY: `view` checked the range, and bytes have no alignment.
        Some(unsafe { *(start as *const [u8; N]) })
    }

    #[inline(always)]
    fn copy<const CAP: usize>(&self, offset: u32, len: u32, out: &mut [u8; CAP], at: u32) -> bool {
        if len > COPY_MAX || at > CAP as u32 - COPY_MAX || offset > HELD_BYTES as u32 {
            return false;
        }
        if offset + len > self.length {
            return false;
        }
        // SAFETY: the source lies within the place, the target within `out`.
        unsafe {
            bpf_probe_read_kernel(
                out.as_mut_ptr().add(at as usize).cast(),
                len,
                (self.data + offset as usize) as *const core::ffi::c_void,
            ) == 0
        }
    }
}

/// `N` bytes of a frame, at an address that was checked.
#[derive(Clone, Copy)]
pub(crate) struct XdpView<const N: usize>(usize);

/// A number at an address whose range was checked, by one load: Rust would read it byte by byte.
macro_rules! load {
    ($type:literal, $base:expr, $at:expr) => {{
        let value: u64;
        // SAFETY: the range was checked.
        unsafe {
            core::arch::asm!(
                concat!("{value} = *(", $type, " *)({base} + {at})"),
                value = lateout(reg) value,
                base = in(reg) $base,
                at = const $at,
                options(pure, readonly, nostack, preserves_flags)
            );
        }
        value
    }};
}

/// A number of a view, of so many bytes.
macro_rules! number {
    ($type:literal, $base:expr, $at:ident, $size:literal) => {{
        // The view's range was checked when it was made.
        const { assert!($at + $size <= N) };
        let value = load!($type, $base, $at);
        // SAFETY: a load leaves the upper bits zero (RFC 9669, section 5.1), which the compiler can't know.
        unsafe { core::hint::assert_unchecked(value <= u64::MAX >> (64 - 8 * $size)) };
        value
    }};
}

impl<const N: usize> View for XdpView<N> {
    #[inline(always)]
    fn u8<const AT: usize>(self) -> u8 {
        number!("u8", self.0, AT, 1) as u8
    }

    #[inline(always)]
    fn ne16<const AT: usize>(self) -> u16 {
        number!("u16", self.0, AT, 2) as u16
    }

    #[inline(always)]
    fn ne32<const AT: usize>(self) -> u32 {
        number!("u32", self.0, AT, 4) as u32
    }

    #[inline(always)]
    fn ne64<const AT: usize>(self) -> u64 {
        number!("u64", self.0, AT, 8)
    }
}
