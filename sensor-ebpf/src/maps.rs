//! The kernel's maps. The daemon sets their sizes when it loads the object, pins them by name, and
//! shares them between the program instances of all interfaces.

use aya_ebpf::{
    macros::map,
    maps::{Array, HashMap, LruHashMap, PerCpuArray, RingBuf},
};
use sensor_common::{
    cpu::Cpu,
    flow::Flow,
    key::{FlowKey, Key4},
    settings::Settings,
};

/// Scratch memory and counters; the element of an interface is its slot.
#[map]
pub(crate) static CPU: PerCpuArray<Cpu> = PerCpuArray::pinned(1, 0);

/// Settings that change at run time; one element.
#[map]
pub(crate) static SETTINGS: Array<Settings> = Array::pinned(1, 0);

/// Events to the daemon.
#[map]
pub(crate) static EVENTS: RingBuf = RingBuf::pinned(4096, 0);

/// Established IPv4 flows.
#[map]
pub(crate) static ESTABLISHED4: HashMap<Key4, Flow> = HashMap::pinned(1, 0);

/// Established IPv6 flows.
#[map]
pub(crate) static ESTABLISHED6: HashMap<FlowKey, Flow> = HashMap::pinned(1, 0);

/// New IPv4 flows; the least recently used make room.
#[map]
pub(crate) static FRESH4: LruHashMap<Key4, Flow> = LruHashMap::pinned(1, 0);

/// New IPv6 flows.
#[map]
pub(crate) static FRESH6: LruHashMap<FlowKey, Flow> = LruHashMap::pinned(1, 0);
