//! Flows: from the engine's entry to the report, and a bounded memory of them.

use std::{borrow::Cow, collections::VecDeque, num::NonZeroUsize};

use lru::LruCache;
use sensor_common::{
    flow::{self, Flow, Half},
    key::FlowKey,
    packet::Tunnel,
};

use super::options::Limits;
use sensor_facts::{
    address::{Conversation, mac_text},
    event::{Body, Event, FlowHalf, FlowReport, FlowState, FlowWhy},
    time::Timebase,
};

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
        let report = report(&self.flow, &conversation, self.why, timebase);
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
    evicted: u64,
}

impl FlowMemory {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            recent: VecDeque::new(),
            recent_max: limits.recent_flows,
            live: LruCache::new(NonZeroUsize::new(limits.live_flows).unwrap_or(NonZeroUsize::MIN)),
            evicted: 0,
        }
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

/// The report of a flow entry.
#[must_use]
pub(super) fn report(
    flow: &Flow,
    conversation: &Conversation,
    why: FlowWhy,
    timebase: Timebase,
) -> FlowReport {
    let (to_server, to_client) = flow.client_and_server();
    let (src_mac, dest_mac) = flow.client_and_server_macs();
    let state = if flow.is_closed() {
        FlowState::Closed
    } else if to_server.packets > 0 && to_client.packets > 0 {
        FlowState::Established
    } else {
        FlowState::New
    };
    let tunnels = [
        (Tunnel::Gre, "gre"),
        (Tunnel::Erspan, "erspan"),
        (Tunnel::Vxlan, "vxlan"),
    ]
    .into_iter()
    .filter(|(tunnel, _)| flow.tunnels & *tunnel as u8 != 0)
    .map(|(_, name)| Cow::Borrowed(name))
    .collect();
    let sign = if flow.flags & flow::INITIATOR_B != 0 {
        -1
    } else {
        1
    };
    let counted = flow.first_count as usize;
    FlowReport {
        start: timebase.wall(flow.start),
        end: timebase.wall(flow.last()),
        duration_ns: flow.last().saturating_sub(flow.start),
        state,
        reason: why,
        midstream: flow.flags & flow::MIDSTREAM != 0,
        reset: flow.flags & flow::RESET != 0,
        fragments: flow.flags & flow::FRAGMENTS != 0,
        app_proto: flow.protocol().name().map(Cow::Borrowed),
        icmp_type: conversation.icmp().map(|(kind, _)| kind),
        src_mac: mac_text(src_mac),
        dest_mac: mac_text(dest_mac),
        tunnels,
        first_payloads: flow
            .first_payloads
            .iter()
            .take(counted)
            .map(|size| i32::from(*size) * sign)
            .collect(),
        to_server: half(to_server, timebase),
        to_client: half(to_client, timebase),
    }
}

fn half(half: &Half, timebase: Timebase) -> FlowHalf {
    let seen = half.packets > 0;
    let intervals = half.packets > 1;
    FlowHalf {
        packets: half.packets,
        bytes: half.bytes,
        payload_bytes: half.payload,
        first: seen.then(|| timebase.wall(half.first)),
        last: seen.then(|| timebase.wall(half.last)),
        length_min: half.length_min,
        length_max: half.length_max,
        length_squares: half.length_squares,
        sizes: half.sizes,
        interval_min_us: intervals.then_some(half.interval_min),
        interval_max_us: intervals.then_some(half.interval_max),
        interval_squares: half.interval_squares,
        intervals: half.intervals,
        retransmissions: half.retransmissions,
        gaps: half.gaps,
        duplicates: half.duplicates,
        psh: half.push,
        syn: half.syn,
        fin: half.fin,
        rst: half.rst,
        tcp_flags: half.tcp_flags,
        window_min: half.window_min,
        window_max: half.window_max,
        ttl_min: half.ttl_min,
        ttl_max: half.ttl_max,
    }
}
