//! One daemon's life: its own ring buffer and counters, and what it takes over from those before it.
//!
//! Every start is an upgrade: new program instances with a ring and counters of their own replace the old
//! ones on the pinned links, each at one stroke, so a packet runs through the old or the new program,
//! never through both and never through none. Afterwards the old counters, which stand still now, are
//! added to the new life's inheritance, and the old ring is emptied. A daemon that dies between these
//! steps leaves two lives behind; the inheritance says which were added already, so nothing counts twice.

use std::{fs, path::PathBuf, thread, time::Duration};

use aya::maps::{Array, Map, MapData, PerCpuArray, RingBuf};
use sensor_common::{counter::Counters, cpu::Cpu};

use super::{KernelError, pins, pins::InterfaceId, pins::PinDirectory, pod::Pod, ring::Ring};

/// What a program's last packet takes at most, unless its CPU is stopped meanwhile.
const LAST_PACKET: Duration = Duration::from_millis(20);

/// Names of the pins in a life's directory.
pub(super) const CPU: &str = "CPU";
pub(super) const EVENTS: &str = "EVENTS";
const INHERITED: &str = "INHERITED";

/// What an interface's slot took over from the lives before.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(super) struct Inherited {
    namespace: u64,
    index: u32,
    /// Not 0: the counters hold all lives before this one.
    complete: u32,
    counters: Counters,
}

/// This daemon's life.
pub(super) struct Life {
    pub(super) path: PathBuf,
    inherited: Array<MapData, Pod<Inherited>>,
}

/// What was left by daemons before.
pub(super) struct Legacy {
    /// Counters by interface.
    counters: Vec<(InterfaceId, Counters)>,
    /// Their ring buffers.
    pub(super) rings: Vec<Ring>,
    paths: Vec<PathBuf>,
}

impl Life {
    /// Begins a life on `interfaces`, whose order gives the slots.
    pub(super) fn begin(
        pins: &PinDirectory,
        interfaces: &[InterfaceId],
    ) -> Result<Self, KernelError> {
        let path = pins.begin_life()?;
        let slots = u32::try_from(interfaces.len()).unwrap_or(u32::MAX).max(1);
        let map = Array::<MapData, Pod<Inherited>>::create(slots, 0)?;
        map.pin(path.join(INHERITED))
            .map_err(|error| KernelError::Pin(error.to_string()))?;
        let mut inherited = Array::try_from(Map::Array(MapData::from_pin(path.join(INHERITED))?))?;
        for (slot, interface) in (0..).zip(interfaces) {
            let nothing = Inherited {
                namespace: interface.namespace,
                index: interface.index,
                complete: 0,
                counters: Counters::ZERO,
            };
            inherited.set(slot, Pod(nothing), 0)?;
        }
        Ok(Self { path, inherited })
    }

    /// Takes over the counters of `legacy`; one write an interface.
    pub(super) fn inherit(&mut self, legacy: &Legacy) -> Result<Vec<Counters>, KernelError> {
        let mut all = Vec::new();
        for slot in 0..self.inherited.len() {
            let mut one = self.inherited.get(&slot, 0)?.0;
            let before = legacy.counters.iter().find(|(id, _)| {
                *id == InterfaceId {
                    namespace: one.namespace,
                    index: one.index,
                }
            });
            one.counters = before.map_or(Counters::ZERO, |(_, counters)| *counters);
            one.complete = 1;
            self.inherited.set(slot, Pod(one), 0)?;
            all.push(one.counters);
        }
        Ok(all)
    }
}

impl Legacy {
    /// Reads what the lives in `old` left, the oldest first. To be called when none of their programs is
    /// on an interface any more. What can't be read is said and left out.
    pub(super) fn read(old: Vec<(u32, PathBuf)>) -> Self {
        let mut legacy = Self {
            counters: Vec::new(),
            rings: Vec::new(),
            paths: Vec::new(),
        };
        if !old.is_empty() {
            wait_for_last_packets();
        }
        for (_, path) in old {
            if let Err(error) = legacy.add(&path) {
                tracing::warn!(path = %path.display(), "what an earlier daemon left can't be read: {error}");
            }
            legacy.paths.push(path);
        }
        legacy
    }

    fn add(&mut self, path: &std::path::Path) -> Result<(), KernelError> {
        let pinned = |name| MapData::from_pin(path.join(name));
        let inherited: Array<_, Pod<Inherited>> = Array::try_from(Map::Array(pinned(INHERITED)?))?;
        let cpu: PerCpuArray<_, Pod<Cpu>> = PerCpuArray::try_from(Map::PerCpuArray(pinned(CPU)?))?;
        for slot in 0..inherited.len() {
            let one = inherited.get(&slot, 0)?.0;
            let interface = InterfaceId {
                namespace: one.namespace,
                index: one.index,
            };
            let mut sum = counters(&cpu, slot)?;
            let before = self.counters.iter().position(|(id, _)| *id == interface);
            let before = before.map(|at| self.counters.swap_remove(at).1);
            // What this life took over holds all that came before it.
            let before = if one.complete != 0 {
                Some(one.counters)
            } else {
                before
            };
            if let Some(before) = before {
                sum.merge(&before);
            }
            self.counters.push((interface, sum));
        }
        let ring = RingBuf::try_from(Map::RingBuf(pinned(EVENTS)?))?;
        self.rings.push(Ring::new(ring));
        Ok(())
    }

    /// Removes the old lives' directories; their rings can still be read.
    pub(super) fn bury(&mut self) {
        for path in self.paths.drain(..) {
            if let Err(error) = pins::remove(&path) {
                tracing::warn!(path = %path.display(), "can't remove what an earlier daemon left: {error}");
            }
        }
    }

    /// True if nothing was left.
    pub(super) fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }
}

/// Waits until no program that was taken off an interface runs any more. It may be at its last packet on another CPU, and
/// programs run under RCU: `membarrier(2)` waits for a grace period (Linux 4.3, `kernel/sched/membarrier.c`). Where it is
/// refused, as with `nohz_full`, this sleeps for longer than a packet takes.
pub(super) fn wait_for_last_packets() {
    // SAFETY: numbers alone.
    let waited = unsafe { libc::syscall(libc::SYS_membarrier, libc::MEMBARRIER_CMD_GLOBAL, 0, 0) };
    if waited != 0 {
        thread::sleep(LAST_PACKET);
    }
}

/// Forgets pinned maps whose size is not the one that is wanted: they are made anew.
pub(super) fn forget_resized(
    pins: &PinDirectory,
    sizes: &[(&'static str, u32)],
) -> Result<(), KernelError> {
    for (name, entries) in sizes {
        let path = pins.path().join(name);
        if !path.exists() {
            continue;
        }
        let there = MapData::from_pin(&path)?.info()?.max_entries();
        if there != *entries {
            fs::remove_file(&path).map_err(|source| KernelError::BpfFs {
                path: path.clone(),
                source,
            })?;
            tracing::warn!(
                table = name,
                from = there,
                to = entries,
                "the flow table has another size now: the flows in it are forgotten"
            );
        }
    }
    Ok(())
}

/// The counters of a slot, summed over the CPUs.
pub(super) fn counters(
    cpu: &PerCpuArray<MapData, Pod<Cpu>>,
    slot: u32,
) -> Result<Counters, KernelError> {
    let mut sum = Counters::default();
    for value in cpu.get(&slot, 0)?.iter() {
        sum.merge(&value.0.counters);
    }
    Ok(sum)
}
