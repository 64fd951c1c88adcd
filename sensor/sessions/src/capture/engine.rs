//! The engine's platform in memory of the process: what the kernel does with a packet, anywhere.

use std::{num::NonZeroUsize, ptr, slice, time::Duration};

use lru::LruCache;
use sensor_common::{
    counter::Counters,
    cpu::Cpu,
    engine::{self, HELD_PLACES, Held, Platform, Table},
    event::{ChunkHeader, EventHeader, FlowEvent, FlowReason},
    flow::{self, Flow},
    key::{FlowKey, Key4},
    layer7,
    notice::{
        self,
        arp::{ArpKey, CLAIMS, Claim},
    },
    packet::Layer,
    settings::Settings,
};
use sensor_kernel::TableSizes;

pub use super::sweep::SWEEPS;
use super::table::{FlowTable, WhenFull};

/// The packet engine with its tables. What the kernel would put in its ring buffer goes, byte by byte
/// the same, to a sink.
pub struct PortableEngine {
    cpu: Box<Cpu>,
    pub(super) settings: Settings,
    pub(super) established4: FlowTable<Key4>,
    pub(super) established6: FlowTable<FlowKey>,
    pub(super) fresh4: FlowTable<Key4>,
    pub(super) fresh6: FlowTable<FlowKey>,
    claims: LruCache<ArpKey, Claim>,
    /// Places for segments that came too early; made when the first is wanted.
    held: Vec<Held>,
    pub(super) active: u64,
    received: u64,
}

impl PortableEngine {
    /// An empty engine.
    #[must_use]
    pub fn new(sizes: TableSizes, settings: Settings) -> Self {
        Self {
            cpu: Box::new(Cpu::EMPTY),
            settings,
            established4: FlowTable::new(sizes.established4, WhenFull::Refuse),
            established6: FlowTable::new(sizes.established6, WhenFull::Refuse),
            fresh4: FlowTable::new(sizes.fresh4, WhenFull::Evict),
            fresh6: FlowTable::new(sizes.fresh6, WhenFull::Evict),
            claims: LruCache::new(NonZeroUsize::new(CLAIMS as usize).unwrap_or(NonZeroUsize::MIN)),
            held: Vec::new(),
            active: u64::MAX,
            received: 0,
        }
    }

    /// Sets the active time-out, after which [`PortableEngine::sweep`] reports a flow that goes on.
    pub fn set_active(&mut self, active: Duration) {
        self.active = u64::try_from(active.as_nanos()).unwrap_or(u64::MAX).max(1);
    }

    /// Processes a frame that begins with `layer` and came in at `time` (nanoseconds).
    #[inline]
    pub fn process<S: FnMut(&[u8])>(
        &mut self,
        frame: &[u8],
        layer: Layer,
        interface: u32,
        time: u64,
        sink: &mut S,
    ) {
        let mut visit = Visit {
            engine: self,
            frame,
            interface,
            time,
            sink,
            looked_up: None,
        };
        engine::process(&mut visit, layer);
    }

    /// The counters.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.cpu.counters
    }

    /// The counters, to add what never reached the engine.
    pub fn counters_mut(&mut self) -> &mut Counters {
        &mut self.cpu.counters
    }

    /// Events handed to the sink.
    #[must_use]
    pub const fn events(&self) -> u64 {
        self.received
    }

    /// Flows in the tables: established, new.
    #[must_use]
    pub fn flows(&self) -> (usize, usize) {
        (
            self.established4.len() + self.established6.len(),
            self.fresh4.len() + self.fresh6.len(),
        )
    }

    /// New flows that made room for others.
    #[must_use]
    pub fn evicted(&self) -> u64 {
        self.fresh4.evicted() + self.fresh6.evicted()
    }
}

/// One packet in the engine.
struct Visit<'a, S> {
    engine: &'a mut PortableEngine,
    frame: &'a [u8],
    interface: u32,
    time: u64,
    sink: &'a mut S,
    /// What [`Platform::find_fast`] found, null for nothing, until a flow is added or removed.
    looked_up: Option<*mut Flow>,
}

impl<'a, S: FnMut(&[u8])> Platform for Visit<'a, S> {
    type Frame = &'a [u8];

    #[inline]
    fn frame(&self) -> &'a [u8] {
        self.frame
    }

    #[inline]
    fn interface(&self) -> u32 {
        self.interface
    }

    #[inline]
    fn parse_headers(&mut self) -> u32 {
        self.engine.cpu.packet.parse_headers(&self.frame).to_code()
    }

    fn parse_shim(&mut self) -> u32 {
        self.engine.cpu.packet.parse_shim(&self.frame).to_code()
    }

    fn parse_inside(&mut self) -> u32 {
        self.engine.cpu.packet.parse_inside(&self.frame).to_code()
    }

    fn join(&mut self) {
        let frame = self.frame;
        self.engine.cpu.join(&frame);
    }

    fn read(&mut self) {
        engine::read(self);
    }

    #[inline]
    fn step(&mut self) -> u32 {
        layer7::step(&self.frame, &mut self.engine.cpu) as u32
    }

    fn step_held(&mut self) -> u32 {
        let Some(place) = self.engine.cpu.work.held.checked_sub(1) else {
            return layer7::Step::Done as u32;
        };
        let Some(held) = self.engine.held.get(place as usize) else {
            return layer7::Step::Done as u32;
        };
        let bytes = held.data.get(..held.length as usize).unwrap_or_default();
        layer7::step(&bytes, &mut self.engine.cpu) as u32
    }

    #[inline]
    fn examine(&mut self) {
        engine::examine(self);
    }

    #[inline]
    fn sum(&mut self, from: u32, length: u32) -> u32 {
        engine::sum(&self.frame, from, length)
    }

    #[inline]
    fn option(&mut self, at: u32) -> u32 {
        engine::option(&self.frame, at)
    }

    fn owner(&mut self, flow_start: u64, direction: u32) -> u64 {
        engine::owner(&self.engine.cpu.packet, flow_start, direction)
    }

    #[inline]
    fn take_segment(&mut self, table: Table, now: u64) -> u32 {
        engine::take_segment(self, table, now)
    }

    #[inline]
    fn services(&mut self, source: u16, destination: u16) -> u32 {
        flow::services(source, destination)
    }

    fn held(&mut self, place: u32) -> Option<*mut Held> {
        let held = &mut self.engine.held;
        if held.is_empty() {
            held.resize(HELD_PLACES as usize, Held::EMPTY);
        }
        held.get_mut(place as usize).map(ptr::from_mut)
    }

    fn take_special(&mut self, table: Table, examined: bool, now: u64) -> u32 {
        engine::take_special(self, table, examined, now).to_code()
    }

    fn inspect(&mut self, table: Table, now: u64) {
        engine::inspect_packet(self, table, now);
    }

    fn hold(&mut self, table: Table, now: u64) -> u32 {
        engine::hold(self, table, now)
    }

    fn skip(&mut self, table: Table, now: u64) {
        engine::skip(self, table, now);
    }

    fn nearest(&mut self, table: Table, direction: u32) -> u32 {
        engine::nearest(self, table, direction)
    }

    fn settle_one(&mut self, table: Table, direction: u32, now: u64) -> u32 {
        engine::settle_one(self, table, direction, now)
    }

    fn settle(&mut self, table: Table, direction: u32, now: u64) {
        engine::settle(self, table, direction, now);
    }

    fn release(&mut self, place: u32) {
        engine::release(self, place);
    }

    fn flush(&mut self) {
        engine::flush(self);
    }

    fn notice(&mut self, now: u64) {
        notice::send(self, now);
    }

    fn notice_step(&mut self) -> u32 {
        notice::step(&self.frame, &mut self.engine.cpu) as u32
    }

    fn send_notice(&mut self, now: u64) {
        notice::hand_over(self, now);
    }

    fn count_claim(&mut self, now: u64) {
        notice::count_claim(self, now);
    }

    fn claim(&mut self) -> Option<*mut Claim> {
        let key = self.engine.cpu.notice.arp.key;
        self.engine.claims.get_mut(&key).map(ptr::from_mut)
    }

    fn keep_claim(&mut self, claim: &Claim) {
        let key = self.engine.cpu.notice.arp.key;
        self.engine.claims.put(key, *claim);
    }

    fn send_flow(&mut self, table: Table, reason: FlowReason, now: u64) {
        engine::send_flow(self, table, reason, now);
    }

    #[inline]
    fn cpu(&mut self) -> &mut Cpu {
        &mut self.engine.cpu
    }

    #[inline]
    fn now(&mut self) -> u64 {
        self.time
    }

    fn settings(&mut self) -> Settings {
        self.engine.settings
    }

    #[inline]
    fn find(&mut self, table: Table) -> Option<*mut Flow> {
        let engine = &mut *self.engine;
        let packet = &engine.cpu.packet;
        if let (Some(found), Table::Established) = (self.looked_up, table) {
            return (!found.is_null()).then_some(found);
        }
        match (packet.family, table) {
            (4, Table::Established) => engine.established4.find(&packet.key4),
            (4, Table::Fresh) => engine.fresh4.find(&packet.key4),
            (_, Table::Established) => engine.established6.find(&packet.key6),
            (_, Table::Fresh) => engine.fresh6.find(&packet.key6),
        }
        .map(ptr::from_mut)
    }

    #[inline]
    fn find_fast(&mut self, key: &Key4) -> Option<*mut Flow> {
        let found = self.engine.established4.find(key).map(ptr::from_mut);
        self.looked_up = Some(found.unwrap_or(ptr::null_mut()));
        found
    }

    fn insert(&mut self, table: Table, value: Option<*mut Flow>) -> bool {
        self.looked_up = None;
        let engine = &mut *self.engine;
        let packet = &engine.cpu.packet;
        // SAFETY: the engine passes a pointer that `find` gave for this packet, before any insertion.
        let flow = value.map_or(&engine.cpu.new_flow, |flow| unsafe { &*flow });
        match (packet.family, table) {
            (4, Table::Established) => engine.established4.insert(packet.key4, flow),
            (4, Table::Fresh) => engine.fresh4.insert(packet.key4, flow),
            (_, Table::Established) => engine.established6.insert(packet.key6, flow),
            (_, Table::Fresh) => engine.fresh6.insert(packet.key6, flow),
        }
    }

    fn remove(&mut self, table: Table) {
        self.looked_up = None;
        let engine = &mut *self.engine;
        let packet = &engine.cpu.packet;
        match (packet.family, table) {
            (4, Table::Established) => engine.established4.remove(&packet.key4),
            (4, Table::Fresh) => engine.fresh4.remove(&packet.key4),
            (_, Table::Established) => engine.established6.remove(&packet.key6),
            (_, Table::Fresh) => engine.fresh6.remove(&packet.key6),
        };
    }

    fn emit_flow(&mut self, header: EventHeader, flow: *const Flow) -> bool {
        // SAFETY: the engine passes a pointer that `find` has just given.
        let flow = unsafe { (*flow).concealed() };
        let event = FlowEvent {
            header,
            key: self.engine.cpu.packet.flow_key(),
            flow,
        };
        // SAFETY: `repr(C)` without implicit padding (`sensor_common::layout`).
        let bytes = unsafe {
            slice::from_raw_parts(ptr::from_ref(&event).cast::<u8>(), size_of::<FlowEvent>())
        };
        self.engine.received += 1;
        (self.sink)(bytes);
        true
    }

    fn emit_chunk(&mut self, tape_len: u32) -> bool {
        self.engine.received += 1;
        let chunk = &self.engine.cpu.chunk;
        let length = (size_of::<ChunkHeader>() + tape_len as usize).min(size_of_val(chunk));
        // SAFETY: as above, and `length` is within the chunk.
        let bytes = unsafe { slice::from_raw_parts(ptr::from_ref(chunk).cast::<u8>(), length) };
        (self.sink)(bytes);
        true
    }
}
