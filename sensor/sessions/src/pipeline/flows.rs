//! Flows as they were last reported: a bounded memory of them.

use std::{collections::VecDeque, num::NonZeroUsize};

use lru::LruCache;
use sensor_common::{
    flow::{self, Flow},
    key::FlowKey,
    packet::{TCP_FIN, TCP_RST, protocol},
};
use sensor_facts::{
    address::Conversation,
    event::{Body, Event, FlowReport, FlowWhy},
    time::Timebase,
};

use super::options::Limits;

/// Closed connections of which late segments are known for what they are.
const CLOSED_MAX: NonZeroUsize = NonZeroUsize::new(8_192).unwrap();
/// Segments of a connection can come this much later, nanoseconds: twice the maximum segment lifetime (RFC 9293 section
/// 3.4.2).
const LATE: u64 = 240_000_000_000;

/// A flow as it was last reported.
#[derive(Clone, Debug)]
pub struct FlowSnapshot {
    /// Key of the flow in the flow table.
    pub key: FlowKey,
    /// The entry of the flow table when it was reported.
    pub flow: Flow,
    /// Why it was reported.
    pub why: FlowWhy,
}

impl FlowSnapshot {
    /// The event of it, made without the pipeline: it has no name of an interface.
    #[must_use]
    pub fn event(&self, timebase: Timebase) -> Event {
        let conversation = Conversation::of_flow(&self.key, &self.flow);
        let report = FlowReport::of(&self.flow, &conversation, self.why, timebase);
        let time = report.end;
        let flow = Box::new(report);
        Event::of(&conversation, time, Body::Flow { flow })
    }
}

/// The last ended flows and the running ones.
#[derive(Debug)]
pub(super) struct FlowMemory {
    recent: VecDeque<FlowSnapshot>,
    recent_max: usize,
    live: LruCache<(FlowKey, u64), FlowSnapshot>,
    /// TCP connections that were closed, by key, and the time of their last packet, nanoseconds.
    closed: LruCache<FlowKey, u64>,
    evicted: u64,
}

impl FlowMemory {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            recent: VecDeque::new(),
            recent_max: limits.recent_flows,
            live: LruCache::new(NonZeroUsize::new(limits.live_flows).unwrap_or(NonZeroUsize::MIN)),
            closed: LruCache::new(CLOSED_MAX),
            evicted: 0,
        }
    }

    /// True for late FINs and resets of a connection that was closed and reported before, which are no conversation of
    /// their own.
    pub(super) fn is_remainder(&mut self, key: &FlowKey, flow: &Flow) -> bool {
        if key.protocol != protocol::TCP {
            return false;
        }
        let [a, b] = &flow.directions;
        let late = flow.flags & flow::MIDSTREAM != 0
            && a.payload + b.payload == 0
            && a.syn | b.syn == 0
            && (a.tcp_flags | b.tcp_flags) & (TCP_FIN | TCP_RST) != 0
            && self
                .closed
                .get(key)
                .is_some_and(|end| flow.start.saturating_sub(*end) < LATE);
        if late {
            self.live.pop(&(*key, flow.start));
        } else if flow.is_closed() {
            self.closed.put(*key, flow.end());
        }
        late
    }

    pub(super) fn run(&mut self, key: &FlowKey, flow: &Flow, why: FlowWhy) {
        let id = (*key, flow.start);
        let snapshot = FlowSnapshot {
            key: *key,
            flow: *flow,
            why,
        };
        if let Some((old, _)) = self.live.push(id, snapshot)
            && old != id
        {
            self.evicted += 1;
        }
    }

    /// The flow is over; why it was reported last, if it is known.
    pub(super) fn end(&mut self, key: &FlowKey, flow: &Flow, why: FlowWhy) -> Option<FlowWhy> {
        let last = self.live.pop(&(*key, flow.start)).map(|one| one.why);
        if self.recent_max == 0 {
            return last;
        }
        if self.recent.len() >= self.recent_max {
            self.recent.pop_back();
        }
        self.recent.push_front(FlowSnapshot {
            key: *key,
            flow: *flow,
            why,
        });
        last
    }

    pub(super) fn recent(&self) -> impl Iterator<Item = &FlowSnapshot> {
        self.recent.iter()
    }

    pub(super) fn live(&self) -> impl Iterator<Item = &FlowSnapshot> {
        self.live.iter().map(|(_, snapshot)| snapshot)
    }

    pub(super) fn live_count(&self) -> u64 {
        self.live.len() as u64
    }

    pub(super) fn evicted(&self) -> u64 {
        self.evicted
    }
}
