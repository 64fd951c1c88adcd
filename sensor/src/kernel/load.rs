//! Loading one program instance.

use std::path::Path;

use aya::{Btf, Ebpf, EbpfLoader, maps::Map};
use nix::sys::utsname::uname;

use super::{Clock, KernelError, Options};

/// The oldest kernel that the programs load on, and the oldest with a coarse clock.
const OLDEST: (u32, u32) = (5, 10);
const COARSE_CLOCK: (u32, u32) = (5, 11);

/// Capabilities that loading and attaching take, with their numbers (linux/capability.h).
const CAPABILITIES: [(&str, u32); 3] =
    [("CAP_NET_ADMIN", 12), ("CAP_PERFMON", 38), ("CAP_BPF", 39)];
/// Has all of them by itself.
const CAP_SYS_ADMIN: u32 = 21;

/// What can be known before anything is touched.
pub(super) fn preflight(options: &Options) -> Result<(), KernelError> {
    if options.interfaces.is_empty() {
        return Err(KernelError::NoInterface);
    }
    let found = release();
    if version(&found) < OLDEST {
        return Err(KernelError::OldKernel { found });
    }
    let missing = missing_capabilities();
    if !missing.is_empty() {
        return Err(KernelError::NotPermitted {
            missing: missing.join(", "),
        });
    }
    let there = nix::net::if_::if_nameindex().map_err(|error| KernelError::System {
        call: "if_nameindex",
        source: error.into(),
    })?;
    let names: Vec<_> = there
        .iter()
        .map(|interface| interface.name().to_string_lossy().into_owned())
        .collect();
    for interface in &options.interfaces {
        if !names.contains(&interface.name) {
            return Err(KernelError::UnknownInterface {
                name: interface.name.clone(),
                there: names.join(", "),
            });
        }
    }
    Ok(())
}

/// The kernel's release.
fn release() -> String {
    uname().map_or_else(
        |_| String::new(),
        |name| name.release().to_string_lossy().into_owned(),
    )
}

/// Major and minor of a release such as `6.1.0-28-cloud-amd64`.
fn version(release: &str) -> (u32, u32) {
    let mut numbers = release
        .split(|c: char| !c.is_ascii_digit())
        .map(|n| n.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

/// Capabilities of this process that are missing, by name.
fn missing_capabilities() -> Vec<&'static str> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok())
        .unwrap_or(0);
    let has = |number: u32| effective >> number & 1 == 1;
    CAPABILITIES
        .iter()
        .filter(|(_, number)| {
            let covered = has(CAP_SYS_ADMIN) && *number >= CAPABILITIES[1].1;
            !has(*number) && !covered
        })
        .map(|(name, _)| *name)
        .collect()
}

/// Loads an instance of `object` for `slot`; its maps are shared with the other instances through `pins`.
pub(super) fn instance(
    object: &[u8],
    options: &Options,
    pins: &Path,
    slot: u32,
) -> Result<Ebpf, KernelError> {
    if object.is_empty() {
        return Err(KernelError::NoObject);
    }
    let slots = u32::try_from(options.interfaces.len())
        .unwrap_or(u32::MAX)
        .max(1);
    let clock = effective_clock(options.clock) as u32;
    let tables = &options.tables;
    // The programs use no type of the running kernel, so a kernel without BTF of its own will do.
    let btf = Btf::from_sys_fs().ok();
    let ebpf = EbpfLoader::new()
        .btf(btf.as_ref())
        .default_map_pin_directory(pins)
        .map_max_entries("CPU", slots)
        .map_max_entries("EVENTS", options.ring_bytes)
        .map_max_entries("ESTABLISHED4", tables.established4)
        .map_max_entries("ESTABLISHED6", tables.established6)
        .map_max_entries("FRESH4", tables.fresh4)
        .map_max_entries("FRESH6", tables.fresh6)
        .override_global("WARDTAP_SLOT", &slot, true)
        .override_global("WARDTAP_CLOCK", &clock, true)
        .load(object)?;
    Ok(ebpf)
}

/// The clock that the kernel has, of the one asked for.
fn effective_clock(asked: Clock) -> Clock {
    if asked == Clock::Coarse && version(&release()) < COARSE_CLOCK {
        tracing::warn!("this kernel has no coarse clock (Linux 5.11): using the precise one");
        return Clock::Precise;
    }
    asked
}

/// Takes a map out of an instance.
pub(super) fn take<T: TryFrom<Map>>(ebpf: &mut Ebpf, name: &'static str) -> Result<T, KernelError> {
    ebpf.take_map(name)
        .and_then(|map| T::try_from(map).ok())
        .ok_or(KernelError::Shape { name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_releases() {
        assert_eq!(version("6.1.0-28-cloud-amd64"), (6, 1));
        assert_eq!(version("5.10"), (5, 10));
        assert_eq!(version(""), (0, 0));
    }
}
