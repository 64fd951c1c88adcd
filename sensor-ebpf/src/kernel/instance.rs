//! This instance of the program: what the loader sets, and its scratch memory.

use core::ptr;

use sensor_common::{cpu::Cpu, settings::Clock};

use super::maps::CPU;

/// [`Clock`], set when the program is loaded; a constant to the verifier.
#[unsafe(no_mangle)]
pub(super) static WARDTAP_CLOCK: u32 = Clock::Precise as u32;

/// Which element of [`CPU`] this program instance uses, set when it is loaded.
#[unsafe(no_mangle)]
static WARDTAP_SLOT: u32 = 0;

/// Not 0: the interface is in the path, so rules drop there. Set when the program is loaded.
#[unsafe(no_mangle)]
pub(super) static WARDTAP_INLINE: u32 = 0;

/// This instance's scratch memory.
#[inline(always)]
pub(crate) fn cpu() -> Option<*mut Cpu> {
    // SAFETY: a static of this object, read as volatile since the loader changes it.
    let slot = unsafe { ptr::read_volatile(&raw const WARDTAP_SLOT) };
    CPU.get_ptr_mut(slot)
}
