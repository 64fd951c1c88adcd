//! Reading the frame between `data` and `data_end`.

use aya_ebpf::{bindings::xdp_md, helpers::generated::bpf_probe_read_kernel};
use sensor_common::{bytes::Frame, tape::COPY_MAX};

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

    #[inline(always)]
    fn array<const N: usize>(&self, offset: u32) -> Option<[u8; N]> {
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
        // SAFETY: `start..start + N` lies within the frame, and bytes have no alignment.
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
