//! Loading one program instance.

use std::path::Path;

use aya::{Btf, Ebpf, EbpfLoader};
use sensor_common::{flow::slot::hints, settings::Clock};

use super::{
    KernelError, established, host,
    life::{CPU, EVENTS},
    options::Options,
};

/// The oldest kernel with a coarse clock.
const COARSE_CLOCK: (u32, u32) = (5, 11);

/// Loads an instance of `object` for `slot`; its maps are shared with the other instances through `pins`,
/// ring and counters through `life`.
pub(super) fn instance(
    object: &[u8],
    options: &Options,
    pins: &Path,
    life: &Path,
    slot: u32,
    inline: bool,
) -> Result<Ebpf, KernelError> {
    if object.is_empty() {
        return Err(KernelError::NoObject);
    }
    let slots = u32::try_from(options.interfaces.len())
        .unwrap_or(u32::MAX)
        .max(1);
    let clock = effective_clock(options.clock) as u32;
    let inline = u32::from(inline);
    // The programs use no type of the running kernel, so a kernel without BTF of its own will do.
    let btf = Btf::from_sys_fs().ok();
    let mut loader = EbpfLoader::new();
    for (name, entries) in options.tables.entries() {
        loader.map_max_entries(name, entries);
    }
    let last_hint = hints(options.tables.established4) - 1;
    let mut ebpf = loader
        .btf(btf.as_ref())
        .default_map_pin_directory(pins)
        .map_pin_path(CPU, life.join(CPU))
        .map_pin_path(EVENTS, life.join(EVENTS))
        .map_max_entries(CPU, slots)
        .map_max_entries(EVENTS, options.ring_bytes)
        .override_global("WARDTAP_HINTS", &last_hint, true)
        .override_global("WARDTAP_SLOT", &slot, true)
        .override_global("WARDTAP_CLOCK", &clock, true)
        .override_global("WARDTAP_INLINE", &inline, true)
        .load(object)?;
    if slot == 0 {
        established::prepare(&mut ebpf)?;
    }
    Ok(ebpf)
}

/// The clock that the kernel has, of the one asked for.
fn effective_clock(asked: Clock) -> Clock {
    if asked == Clock::Coarse && host::version(&host::release()) < COARSE_CLOCK {
        tracing::warn!("this kernel has no coarse clock (Linux 5.11): using the precise one");
        return Clock::Precise;
    }
    asked
}
