//! The places of established IPv4 flows ([`sensor_common::flow::slot`]), read where the kernel has them.

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

use super::{KernelError, load};

const PLACES: &str = "KEPT4";
const FREE: &str = "FREE4";

/// The places and the list of free ones.
pub(super) struct Kept {
    places: Places,
    free: Queue<MapData, u32>,
}

impl Kept {
    /// Takes both maps out of an instance.
    pub(super) fn take(ebpf: &mut Ebpf) -> Result<Self, KernelError> {
        Ok(Self {
            places: Places::open(ebpf)?,
            free: load::take(ebpf, FREE)?,
        })
    }

    /// The flow at `place`; `None` where it is not that of `key` (any more).
    pub(super) fn flow(&self, place: u32, key: &[u8]) -> Option<Flow> {
        let kept = self.places.get(place)?;
        (bytes(&kept.key) == key).then_some(kept.flow)
    }

    /// The flow at `place`, which then is free. For who has just removed `key` from the directory: until the key is gone
    /// from here too, packets find it by a hint, and one in between is missing from the flow's last state.
    pub(super) fn take_flow(
        &mut self,
        place: u32,
        key: &[u8],
    ) -> Result<Option<Flow>, KernelError> {
        let Some(flow) = self.flow(place, key) else {
            return Ok(None);
        };
        self.places.set_key(place, Key4::EMPTY);
        self.free.push(place, 0)?;
        Ok(Some(flow))
    }
}

/// Puts the places that no daemon has known yet among the free ones: all, or what a daemon left that was killed here.
pub(super) fn prepare(ebpf: &mut Ebpf) -> Result<(), KernelError> {
    let places = Places::open(ebpf)?;
    let map = ebpf
        .map_mut(FREE)
        .ok_or(KernelError::Shape { name: FREE })?;
    let mut free = Queue::<_, u32>::try_from(map)?;
    for place in 0..places.count {
        if places.get(place).is_some_and(|kept| kept.known == 0) {
            places.set_known(place);
            free.push(place, 0)?;
        }
    }
    Ok(())
}

/// The array, mapped.
struct Places {
    start: NonNull<Kept4>,
    count: u32,
    length: usize,
}

// SAFETY: the mapping is the process's, and each access is one of memory that others change anyway.
unsafe impl Send for Places {}

impl Places {
    fn open(ebpf: &Ebpf) -> Result<Self, KernelError> {
        let shape = KernelError::Shape { name: PLACES };
        let Some(Map::Array(map)) = ebpf.map(PLACES) else {
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

    fn at(&self, place: u32) -> Option<NonNull<Kept4>> {
        if place >= self.count {
            return None;
        }
        // SAFETY: within the mapping, which has `count` places.
        Some(unsafe { self.start.add(place as usize) })
    }

    fn get(&self, place: u32) -> Option<Kept4> {
        // SAFETY: mapped memory of integers alone. The kernel may write meanwhile, as it may while a look-up copies.
        self.at(place)
            .map(|kept| unsafe { kept.as_ptr().read_volatile() })
    }

    fn set_key(&self, place: u32, key: Key4) {
        if let Some(kept) = self.at(place) {
            // SAFETY: mapped memory, writable, of a place that is in no directory.
            unsafe { (&raw mut (*kept.as_ptr()).key).write_volatile(key) }
        }
    }

    fn set_known(&self, place: u32) {
        if let Some(kept) = self.at(place) {
            // SAFETY: mapped memory, writable; only a daemon that starts writes this field.
            unsafe { (&raw mut (*kept.as_ptr()).known).write_volatile(1) }
        }
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        // SAFETY: the mapping that `open` made, whose references have all ended.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.length) };
    }
}

fn bytes(key: &Key4) -> &[u8] {
    // SAFETY: integers alone, without implicit padding.
    unsafe { std::slice::from_raw_parts(ptr::from_ref(key).cast(), size_of::<Key4>()) }
}
