//! Reading and sweeping the kernel's flow tables, in batches.

use std::time::Duration;

use aya::{
    Ebpf,
    maps::{Map, MapData},
};
use sensor_common::{
    flow::Flow,
    key::{FlowKey, Key4},
    packet::protocol,
    settings::Settings,
    time::since,
};
use sensor_facts::{effect::Lookout, mirror::Census};

use super::{
    KernelError, Options,
    elements::{lookup_and_delete, lookup_batch},
    established::EstablishedSlots,
};

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

/// The share of the established table from which only clinical flows may enter it, and of a table of new flows from which it
/// is crowded.
const PRESSURE: (u64, u64) = (3, 4);
/// In a crowded table an unanswered attempt is over after this many nanoseconds instead of [`Settings::idle_closed`]: a flood
/// would push it out unreported before.
const CROWDED_IDLE: u64 = 100_000_000;
/// In a crowded table of established flows, one of one direction and few packets is over after this many nanoseconds: a
/// forged message would hold its place for an hour.
const UNPROVEN_IDLE: u64 = 20_000_000_000;
/// Attempts that a batch ends so at most: a sample tells of a flood.
const EARLY_MAX: u64 = 512;

/// The four tables and the sweeper's place in them.
pub struct FlowTables {
    tables: Vec<Table>,
    current: usize,
    settings: Settings,
    active: u64,
    /// Of the smaller table of established flows.
    places: u64,
    occupancy: Occupancy,
    counting: Occupancy,
    lookout: Lookout,
    census: Census,
    keys: Vec<u8>,
    values: Vec<Flow>,
    slots: Vec<u32>,
}

struct Table {
    map: MapData,
    // Where the flows are, if the map holds only their slots.
    slots: Option<EstablishedSlots>,
    key: KeyKind,
    established: bool,
    size: u64,
    // Entries that this pass has seen so far.
    seen: u64,
    // The last pass found it nearly full.
    crowded: bool,
    cursor: Option<u32>,
    // Engine time at which the last pass began and at which this one did: the active time-out is due
    // for a flow when it passed in between.
    last_pass: u64,
    pass: u64,
}

impl Table {
    /// Removes an entry and gives its last state; `None` if it was gone.
    fn remove(&mut self, key: &[u8]) -> Result<Option<Flow>, KernelError> {
        match &mut self.slots {
            Some(slots) => match lookup_and_delete(&self.map, key, 0_u32)? {
                Some(slot) => slots.take_flow(slot, key),
                None => Ok(None),
            },
            None => lookup_and_delete(&self.map, key, Flow::EMPTY),
        }
    }
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
        let sizes = &options.tables;
        for (name, key, established, size) in [
            ("ESTABLISHED4", KeyKind::V4, true, sizes.established4),
            ("ESTABLISHED6", KeyKind::V6, true, sizes.established6),
            ("FRESH4", KeyKind::V4, false, sizes.fresh4),
            ("FRESH6", KeyKind::V6, false, sizes.fresh6),
        ] {
            let Some(Map::HashMap(map) | Map::LruHashMap(map)) = ebpf.take_map(name) else {
                return Err(KernelError::Shape { name });
            };
            let slots = match key {
                KeyKind::V4 if established => Some(EstablishedSlots::take(ebpf)?),
                _ => None,
            };
            tables.push(Table {
                map,
                slots,
                key,
                established,
                size: u64::from(size),
                seen: 0,
                crowded: false,
                cursor: None,
                last_pass: 0,
                pass: 0,
            });
        }
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
            places: sizes.established4.min(sizes.established6).into(),
            occupancy,
            counting: occupancy,
            lookout: Lookout::default(),
            census: Census::default(),
            keys: vec![0; BATCH * size_of::<FlowKey>()],
            values: vec![Flow::EMPTY; BATCH],
            slots: vec![0; BATCH],
        })
    }

    /// Takes settings; with what the size of the tables makes of them.
    pub(super) fn apply(&mut self, settings: Settings) -> Settings {
        let cpus = aya::util::online_cpus().map_or(1, |cpus| cpus.len());
        self.settings = settings.with_room(self.places, cpus as u64);
        self.settings
    }

    /// Sets the active time-out.
    pub fn set_active(&mut self, active: Duration) {
        self.active = u64::try_from(active.as_nanos()).unwrap_or(u64::MAX).max(1);
    }

    /// Who looks at each flow as the sweep comes by.
    pub fn lookout(&mut self) -> &mut Lookout {
        &mut self.lookout
    }

    /// Who counts the talkers as the sweep comes by.
    pub fn census(&mut self) -> &mut Census {
        &mut self.census
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

    /// Removes all flows and hands them out; of the attempts in a crowded table a sample alone.
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
        let (count, next) = match table.slots {
            Some(_) => lookup_batch(&table.map, table.cursor, &mut self.keys, &mut self.slots)?,
            None => lookup_batch(&table.map, table.cursor, &mut self.keys, &mut self.values)?,
        };
        let size = table.key.size();
        let mut early = 0;
        for (index, bytes) in self.keys.chunks_exact(size).take(count).enumerate() {
            let there = match &table.slots {
                Some(slots) => slots.flow(self.slots[index], bytes),
                None => Some(self.values[index]),
            };
            let (Some(key), Some(flow)) = (table.key.read(bytes), there) else {
                continue;
            };
            let flow = &flow;
            self.lookout.look(&key, flow);
            if !all {
                self.census.look(&key, flow, now);
            }
            stats.visited += 1;
            table.seen += 1;
            if table.established {
                self.counting.established += 1;
            } else {
                self.counting.fresh += 1;
            }
            let attempt = table.crowded && !table.established && flow.is_attempt();
            let why = if all {
                // Nobody waits at the end for a flood to be reported entry by entry.
                let left_out = attempt && early >= EARLY_MAX;
                early += u64::from(attempt);
                (!left_out).then_some(Why::Shutdown)
            } else if flow.is_idle(key.protocol == protocol::TCP, now, &self.settings) {
                Some(if flow.is_closed() {
                    Why::Closed
                } else {
                    Why::Idle
                })
            } else if table.crowded
                && table.established
                && !flow.is_proven()
                && since(now, flow.last()) > UNPROVEN_IDLE
            {
                Some(Why::Idle)
            } else if attempt && early < EARLY_MAX && since(now, flow.last()) > CROWDED_IDLE {
                early += 1;
                Some(Why::Idle)
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
                if let Some(flow) = table.remove(bytes)? {
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
            table.crowded = table.seen * PRESSURE.1 > table.size * PRESSURE.0;
            table.seen = 0;
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
#[must_use]
pub fn is_active_due(flow: &Flow, active: u64, last_pass: u64, pass: u64) -> bool {
    let periods = |time: u64| time.saturating_sub(flow.start) / active;
    periods(pass) > periods(last_pass.max(flow.start)) && flow.last() > last_pass
}
