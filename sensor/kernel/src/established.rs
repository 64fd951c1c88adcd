//! The slots of established IPv4 flows ([`sensor_common::flow::slot`]), read where the kernel has them.

use std::{
    io,
    os::fd::{AsFd, AsRawFd},
    ptr::{self, NonNull},
};

use aya::{
    Ebpf,
    maps::{Map, MapData, Queue},
};
use sensor_common::{
    flow::{Flow, slot::Kept4},
    key::Key4,
};

use super::{KernelError, maps};

const SLOTS: &str = "KEPT4";
const FREE: &str = "FREE4";

/// The slots and the list of free ones.
pub(super) struct EstablishedSlots {
    slots: SlotArray,
    free: Queue<MapData, u32>,
}

impl EstablishedSlots {
    /// Takes both maps out of an instance.
    pub(super) fn take(ebpf: &mut Ebpf) -> Result<Self, KernelError> {
        Ok(Self {
            slots: SlotArray::open(ebpf)?,
            free: maps::take(ebpf, FREE)?,
        })
    }

    /// The flow at `slot`; `None` where it is not that of `key` (any more).
    pub(super) fn flow(&self, slot: u32, key: &[u8]) -> Option<Flow> {
        let entry = self.slots.get(slot)?;
        (bytes(&entry.key) == key).then_some(entry.flow)
    }

    /// The flow at `slot`, which then is free. For who has just removed `key` from the directory: until the key is gone
    /// from here too, packets find it by a hint, and one in between is missing from the flow's last state.
    pub(super) fn take_flow(&mut self, slot: u32, key: &[u8]) -> Result<Option<Flow>, KernelError> {
        let Some(flow) = self.flow(slot, key) else {
            return Ok(None);
        };
        self.slots.set_key(slot, Key4::EMPTY);
        self.free.push(slot, 0)?;
        Ok(Some(flow))
    }
}

/// Puts the slots that no daemon has known yet among the free ones: all, or what a daemon left that was killed here.
pub(super) fn prepare(ebpf: &mut Ebpf) -> Result<(), KernelError> {
    let slots = SlotArray::open(ebpf)?;
    let map = ebpf
        .map_mut(FREE)
        .ok_or(KernelError::Shape { name: FREE })?;
    let mut free = Queue::<_, u32>::try_from(map)?;
    for slot in 0..slots.count {
        if slots.get(slot).is_some_and(|entry| entry.known == 0) {
            slots.set_known(slot);
            free.push(slot, 0)?;
        }
    }
    Ok(())
}

/// The array, mapped.
struct SlotArray {
    start: NonNull<Kept4>,
    count: u32,
    length: usize,
}

// SAFETY: the mapping is the process's, and each access is one of memory that others change anyway.
unsafe impl Send for SlotArray {}

impl SlotArray {
    fn open(ebpf: &Ebpf) -> Result<Self, KernelError> {
        let shape = KernelError::Shape { name: SLOTS };
        let Some(Map::Array(map)) = ebpf.map(SLOTS) else {
            return Err(shape);
        };
        let info = map.info()?;
        if info.value_size() as usize != size_of::<Kept4>() {
            return Err(shape);
        }
        let count = info.max_entries();
        let length = count as usize * size_of::<Kept4>();
        // SAFETY: a new mapping of a file descriptor that is open; the kernel checks the length.
        let start = unsafe {
            libc::mmap(
                ptr::null_mut(),
                length,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                map.fd().as_fd().as_raw_fd(),
                0,
            )
        };
        match NonNull::new(start.cast::<Kept4>()) {
            Some(start) if start.as_ptr().cast() != libc::MAP_FAILED => Ok(Self {
                start,
                count,
                length,
            }),
            _ => Err(KernelError::System {
                call: "mmap of the established flows",
                source: io::Error::last_os_error(),
            }),
        }
    }

    fn at(&self, slot: u32) -> Option<NonNull<Kept4>> {
        if slot >= self.count {
            return None;
        }
        // SAFETY: within the mapping, which has `count` slots.
        Some(unsafe { self.start.add(slot as usize) })
    }

    fn get(&self, slot: u32) -> Option<Kept4> {
        // SAFETY: mapped memory of integers alone. The kernel may write meanwhile, as it may while a look-up copies.
        self.at(slot)
            .map(|entry| unsafe { entry.as_ptr().read_volatile() })
    }

    fn set_key(&self, slot: u32, key: Key4) {
        if let Some(entry) = self.at(slot) {
            // SAFETY: mapped memory, writable, of a slot that is in no directory.
            unsafe { (&raw mut (*entry.as_ptr()).key).write_volatile(key) }
        }
    }

    fn set_known(&self, slot: u32) {
        if let Some(entry) = self.at(slot) {
            // SAFETY: mapped memory, writable; only a daemon that starts writes this field.
            unsafe { (&raw mut (*entry.as_ptr()).known).write_volatile(1) }
        }
    }
}

impl Drop for SlotArray {
    fn drop(&mut self) {
        // SAFETY: the mapping that `open` made, whose references have all ended.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.length) };
    }
}

fn bytes(key: &Key4) -> &[u8] {
    // SAFETY: integers alone, without implicit padding.
    unsafe { std::slice::from_raw_parts(ptr::from_ref(key).cast(), size_of::<Key4>()) }
}
