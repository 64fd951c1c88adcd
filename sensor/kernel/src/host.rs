//! What can be known of the host without touching anything.

use std::path::Path;

use nix::sys::{
    statfs::{BPF_FS_MAGIC, statfs},
    utsname::uname,
};

/// Where the BPF file system belongs.
pub(super) const BPF_FS: &str = "/sys/fs/bpf";

/// The oldest kernel that the programs load on.
const OLDEST: (u32, u32) = (5, 10);

/// Capabilities that loading and attaching take, with their numbers (linux/capability.h).
const CAPABILITIES: [(&str, u32); 4] = [
    ("CAP_NET_ADMIN", 12),
    ("CAP_NET_RAW", 13),
    ("CAP_PERFMON", CAP_PERFMON),
    ("CAP_BPF", 39),
];
/// The first of those that were split off `CAP_SYS_ADMIN` (Linux 5.8).
const CAP_PERFMON: u32 = 38;
/// Has all of them by itself.
const CAP_SYS_ADMIN: u32 = 21;

/// The kernel's release.
#[must_use]
pub fn release() -> String {
    uname().map_or_else(
        |_| String::new(),
        |name| name.release().to_string_lossy().into_owned(),
    )
}

/// Major and minor of a release such as `6.1.0-28-cloud-amd64`.
pub(super) fn version(release: &str) -> (u32, u32) {
    let mut numbers = release
        .split(|c: char| !c.is_ascii_digit())
        .map(|n| n.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

/// Capabilities of this process that are missing, by name.
#[must_use]
pub fn missing_capabilities() -> Vec<&'static str> {
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
            let covered = has(CAP_SYS_ADMIN) && *number >= CAP_PERFMON;
            !has(*number) && !covered
        })
        .map(|(name, _)| *name)
        .collect()
}

/// True if the programs load on a kernel of this release.
#[must_use]
pub fn is_new_enough(release: &str) -> bool {
    version(release) >= OLDEST
}

/// True if the BPF file system is mounted.
#[must_use]
pub fn has_bpf_fs() -> bool {
    statfs(Path::new(BPF_FS)).is_ok_and(|found| found.filesystem_type() == BPF_FS_MAGIC)
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
