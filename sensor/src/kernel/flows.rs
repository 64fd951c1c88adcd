//! Reading and sweeping the kernel's flow tables, in batches.

use std::{
    io,
    os::fd::{AsFd, AsRawFd},
    time::Duration,
};

use aya::{
    Ebpf,
    maps::{Map, MapData},
};
use sensor_common::{
    flow::Flow,
    key::{FlowKey, Key4},
    packet::protocol,
    settings::Settings,
};

use crate::response::effect::Lookout;

use super::{KernelError, Options};

/// Entries that one batch reads at most; larger than any hash bucket.
const BATCH: usize = 4_096;

/// Why the sweeper hands a flow out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// No packet for longer than the idle time; the entry is gone.
    Idle,
    /// The connection was closed a while ago; the entry is gone.
    Closed,
    /// The active time-out has passed; the flow goes on.
    Active,
    /// The sensor stops; the entry is gone.
    Shutdown,
}

/// A flow that the sweeper hands out.
#[derive(Clone, Copy, Debug)]
pub struct SweepItem {
    /// Its key.
    pub key: FlowKey,
    /// Its state.
    pub flow: Flow,
    /// Why it is handed out.
    pub why: Why,
}

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SweepStats {
    /// Entries looked at.
    pub visited: u64,
    /// Entries removed.
    pub removed: u64,
    /// The sweep reached the end of all tables.
    pub complete: bool,
}

/// Entries in the tables, as the last complete sweep found them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Occupancy {
    /// Established flows.
    pub established: u64,
    /// Room for them.
    pub established_capacity: u64,
    /// New flows.
    pub fresh: u64,
    /// Room for them.
    pub fresh_capacity: u64,
}

/// The share of the established table from which only clinical flows may enter it.
const PRESSURE: (u64, u64) = (3, 4);

/// The four tables and the sweeper's place in them.
pub struct FlowTables {
    tables: Vec<Table>,
    current: usize,
    settings: Settings,
    active: u64,
    occupancy: Occupancy,
    counting: Occupancy,
    lookout: Lookout,
    keys: Vec<u8>,
    values: Vec<Flow>,
}

struct Table {
    map: MapData,
    key: KeyKind,
    established: bool,
    cursor: Option<u32>,
    // Engine time at which the last pass began and at which this one did: the active time-out is due
    // for a flow when it passed in between.
    last_pass: u64,
    pass: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum KeyKind {
    V4,
    V6,
}

impl KeyKind {
    const fn size(self) -> usize {
        match self {
            Self::V4 => size_of::<Key4>(),
            Self::V6 => size_of::<FlowKey>(),
        }
    }

    fn read(self, bytes: &[u8]) -> Option<FlowKey> {
        if bytes.len() != self.size() {
            return None;
        }
        // SAFETY: the length was checked, and both are integers alone without padding.
        Some(unsafe {
            match self {
                Self::V4 => FlowKey::from(&bytes.as_ptr().cast::<Key4>().read_unaligned()),
                Self::V6 => bytes.as_ptr().cast::<FlowKey>().read_unaligned(),
            }
        })
    }
}

impl FlowTables {
    pub(super) fn new(ebpf: &mut Ebpf, options: &Options) -> Result<Self, KernelError> {
        let mut tables = Vec::new();
        for (name, key, established) in [
            ("ESTABLISHED4", KeyKind::V4, true),
            ("ESTABLISHED6", KeyKind::V6, true),
            ("FRESH4", KeyKind::V4, false),
            ("FRESH6", KeyKind::V6, false),
        ] {
            let Some(Map::HashMap(map) | Map::LruHashMap(map)) = ebpf.take_map(name) else {
                return Err(KernelError::Shape { name });
            };
            tables.push(Table {
                map,
                key,
                established,
                cursor: None,
                last_pass: 0,
                pass: 0,
            });
        }
        let sizes = &options.tables;
        let occupancy = Occupancy {
            established_capacity: u64::from(sizes.established4) + u64::from(sizes.established6),
            fresh_capacity: u64::from(sizes.fresh4) + u64::from(sizes.fresh6),
            ..Occupancy::default()
        };
        Ok(Self {
            tables,
            current: 0,
            settings: options.settings,
            active: u64::try_from(options.active.as_nanos())
                .unwrap_or(u64::MAX)
                .max(1),
            occupancy,
            counting: occupancy,
            lookout: Lookout::default(),
            keys: vec![0; BATCH * size_of::<FlowKey>()],
            values: vec![Flow::EMPTY; BATCH],
        })
    }

    pub(super) fn apply(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// Sets the active time-out.
    pub fn set_active(&mut self, active: Duration) {
        self.active = u64::try_from(active.as_nanos()).unwrap_or(u64::MAX).max(1);
    }

    /// Who looks at each flow as the sweep comes by.
    pub fn lookout(&mut self) -> &mut Lookout {
        &mut self.lookout
    }

    /// Entries in the tables, as the last complete sweep found them.
    #[must_use]
    pub const fn occupancy(&self) -> Occupancy {
        self.occupancy
    }

    /// True if the established table is so full that [`Settings::pressure`] should be set.
    #[must_use]
    pub const fn under_pressure(&self) -> bool {
        self.occupancy.established * PRESSURE.1 > self.occupancy.established_capacity * PRESSURE.0
    }

    /// Reads one batch of the tables: removes flows that are over at `now` (engine time, nanoseconds)
    /// and hands them out, and hands out long ones whose active time-out has passed.
    ///
    /// # Errors
    /// When the kernel refuses the look-up. The sweep goes on at the next call.
    pub fn sweep(
        &mut self,
        now: u64,
        mut on: impl FnMut(SweepItem),
    ) -> Result<SweepStats, KernelError> {
        self.batch(now, false, &mut on)
    }

    /// Removes all flows and hands them out.
    ///
    /// # Errors
    /// When the kernel refuses the look-up.
    pub fn drain(&mut self, mut on: impl FnMut(SweepItem)) -> Result<SweepStats, KernelError> {
        self.current = 0;
        for table in &mut self.tables {
            table.cursor = None;
        }
        let mut total = SweepStats::default();
        while !total.complete {
            let stats = self.batch(u64::MAX, true, &mut on)?;
            total.visited += stats.visited;
            total.removed += stats.removed;
            total.complete = stats.complete;
        }
        Ok(total)
    }

    fn batch(
        &mut self,
        now: u64,
        all: bool,
        on: &mut impl FnMut(SweepItem),
    ) -> Result<SweepStats, KernelError> {
        let mut stats = SweepStats::default();
        let Some(table) = self.tables.get_mut(self.current) else {
            return Ok(stats);
        };
        if table.cursor.is_none() {
            table.last_pass = table.pass;
            table.pass = now;
        }
        let (count, next) =
            lookup_batch(&table.map, table.cursor, &mut self.keys, &mut self.values)?;
        let size = table.key.size();
        for (bytes, flow) in self.keys.chunks_exact(size).zip(&self.values).take(count) {
            let Some(key) = table.key.read(bytes) else {
                continue;
            };
            self.lookout.look(&key, flow);
            stats.visited += 1;
            if table.established {
                self.counting.established += 1;
            } else {
                self.counting.fresh += 1;
            }
            let why = if all {
                Some(Why::Shutdown)
            } else if flow.is_idle(key.protocol == protocol::TCP, now, &self.settings) {
                Some(if flow.is_closed() {
                    Why::Closed
                } else {
                    Why::Idle
                })
            } else if is_active_due(flow, self.active, table.last_pass, table.pass) {
                on(SweepItem {
                    key,
                    flow: flow.concealed(),
                    why: Why::Active,
                });
                None
            } else {
                None
            };
            if let Some(why) = why {
                // The final state may hold a packet more than the batch saw. `None`: the packet path
                // removed it meanwhile and has sent its final record itself.
                if let Some(flow) = lookup_and_delete(&table.map, bytes)? {
                    stats.removed += 1;
                    on(SweepItem {
                        key,
                        flow: flow.concealed(),
                        why,
                    });
                }
            }
        }
        table.cursor = next;
        if next.is_none() {
            self.current += 1;
            if self.current == self.tables.len() {
                self.current = 0;
                stats.complete = true;
                let empty = Occupancy {
                    established: 0,
                    fresh: 0,
                    ..self.counting
                };
                self.occupancy = std::mem::replace(&mut self.counting, empty);
            }
        }
        Ok(stats)
    }
}

/// True if a multiple of `active` after the flow's start lies between two passes, and the flow has had
/// packets since.
pub(crate) fn is_active_due(flow: &Flow, active: u64, last_pass: u64, pass: u64) -> bool {
    let periods = |time: u64| time.saturating_sub(flow.start) / active;
    periods(pass) > periods(last_pass.max(flow.start)) && flow.last() > last_pass
}

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

/// Reads up to [`BATCH`] entries from `cursor` on (Linux 5.6, commit 057996380a42): how many, and where
/// to go on, `None` at the end.
fn lookup_batch(
    map: &MapData,
    cursor: Option<u32>,
    keys: &mut [u8],
    values: &mut [Flow],
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

/// Removes an entry and gives its last state; `None` if it was gone.
fn lookup_and_delete(map: &MapData, key: &[u8]) -> Result<Option<Flow>, KernelError> {
    let mut flow = Flow::EMPTY;
    let mut attr = ElementAttr {
        map_fd: fd_of(map),
        pad: 0,
        key: key.as_ptr() as u64,
        value: std::ptr::from_mut(&mut flow) as u64,
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
        Ok(()) => Ok(Some(flow)),
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(None),
        Err(source) => Err(KernelError::System {
            call: "BPF_MAP_LOOKUP_AND_DELETE_ELEM",
            source,
        }),
    }
}
