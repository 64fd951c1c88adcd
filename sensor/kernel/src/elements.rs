//! Elements of hash tables by system call: in batches, and one that is removed as it is read.

use std::{
    io,
    os::fd::{AsFd, AsRawFd},
};

use aya::maps::MapData;

use super::KernelError;

/// The kernel's own "not supported" (linux/errno.h), which libc does not name.
const ENOTSUPP: i32 = 524;

const BPF_MAP_LOOKUP_ELEM: libc::c_long = 1;
const BPF_MAP_DELETE_ELEM: libc::c_long = 3;
const BPF_MAP_LOOKUP_AND_DELETE_ELEM: libc::c_long = 21;
const BPF_MAP_LOOKUP_BATCH: libc::c_long = 24;

/// `union bpf_attr` for batches (linux/bpf.h).
#[repr(C)]
struct BatchAttr {
    in_batch: u64,
    out_batch: u64,
    keys: u64,
    values: u64,
    count: u32,
    map_fd: u32,
    elem_flags: u64,
    flags: u64,
}

/// `union bpf_attr` for single elements.
#[repr(C)]
struct ElementAttr {
    map_fd: u32,
    pad: u32,
    key: u64,
    value: u64,
    flags: u64,
}

fn bpf<T>(command: libc::c_long, attr: &mut T) -> io::Result<()> {
    // SAFETY: `attr` is a `union bpf_attr` of its own size, which the kernel is told; its pointers are
    // to live buffers of the sizes that the map has.
    let result = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            command,
            std::ptr::from_mut(attr),
            size_of::<T>(),
        )
    };
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

fn fd_of(map: &MapData) -> u32 {
    map.fd().as_fd().as_raw_fd().cast_unsigned()
}

/// Reads entries from `cursor` on, as many as `values` has room for (Linux 5.6, commit 057996380a42): how many, and
/// where to go on, `None` at the end. `T` is the map's value, and `keys` has room for as many keys.
pub(super) fn lookup_batch<T: Copy>(
    map: &MapData,
    cursor: Option<u32>,
    keys: &mut [u8],
    values: &mut [T],
) -> Result<(usize, Option<u32>), KernelError> {
    let start = cursor.unwrap_or(0);
    let mut next = 0_u32;
    let mut attr = BatchAttr {
        in_batch: cursor.map_or(0, |_| std::ptr::from_ref(&start) as u64),
        out_batch: std::ptr::from_mut(&mut next) as u64,
        keys: keys.as_mut_ptr() as u64,
        values: values.as_mut_ptr() as u64,
        count: u32::try_from(values.len()).unwrap_or(0),
        map_fd: fd_of(map),
        elem_flags: 0,
        flags: 0,
    };
    match bpf(BPF_MAP_LOOKUP_BATCH, &mut attr) {
        Ok(()) => Ok((attr.count as usize, Some(next))),
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok((attr.count as usize, None)),
        Err(source) => Err(KernelError::System {
            call: "BPF_MAP_LOOKUP_BATCH",
            source,
        }),
    }
}

/// Removes an entry and gives its last state, for which `value` makes room; `None` if it was gone. `T` is the map's
/// value.
pub(super) fn lookup_and_delete<T: Copy>(
    map: &MapData,
    key: &[u8],
    mut value: T,
) -> Result<Option<T>, KernelError> {
    let mut attr = ElementAttr {
        map_fd: fd_of(map),
        pad: 0,
        key: key.as_ptr() as u64,
        value: std::ptr::from_mut(&mut value) as u64,
        flags: 0,
    };
    let result = match bpf(BPF_MAP_LOOKUP_AND_DELETE_ELEM, &mut attr) {
        // Hash maps have it since Linux 5.14. Before, a packet in between is missing from the last state.
        Err(error) if matches!(error.raw_os_error(), Some(libc::EINVAL | ENOTSUPP)) => {
            bpf(BPF_MAP_LOOKUP_ELEM, &mut attr).and_then(|()| {
                // Refused (`EINVAL`) with a field that a deletion does not have.
                attr.value = 0;
                bpf(BPF_MAP_DELETE_ELEM, &mut attr)
            })
        }
        other => other,
    };
    match result {
        Ok(()) => Ok(Some(value)),
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(None),
        Err(source) => Err(KernelError::System {
            call: "BPF_MAP_LOOKUP_AND_DELETE_ELEM",
            source,
        }),
    }
}
