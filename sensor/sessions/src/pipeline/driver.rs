//! The daemon's single-threaded heart, used live and in replay: ring records and ended flows in,
//! events out, and a bounded memory of what was seen for status and command line.

use std::net::IpAddr;

use sensor_common::{
    event::FlowReason,
    flow::{self, Flow},
    key::FlowKey,
    layer7::Protocol,
    packet::protocol,
};
use sensor_facts::{
    address::Conversation,
    event::{Body, Event, FlowReport, FlowWhy},
    observation::{Observation, What, of_flow},
    time::{Time, Timebase},
};
use sensor_kernel::decode::{RingEvent, decode};

use super::{
    closed::ClosedSessions,
    flows::{FlowMemory, FlowSnapshot},
    options::PipelineOptions,
    outlet::{self, Outlet},
    reason::FlowEndReason,
    sessions::Sessions,
    stats::PipelineStats,
};
use crate::inventory::{hosts::Inventory, memory::Memory, report::HostReport};

/// A record whose time lies further than this before the latest, in nanoseconds, shows that the clock went back. CPUs hand
/// theirs over within milliseconds.
const CLOCK_BACK: u64 = 1_000_000_000;

/// The pipeline: see the module's description.
#[derive(Debug)]
pub struct Pipeline {
    pub(super) options: PipelineOptions,
    pub(super) stats: PipelineStats,
    flows: FlowMemory,
    sessions: Sessions,
    pub(super) inventory: Inventory,
    closed: ClosedSessions,
    pub(super) observations: Vec<Observation>,
    now: u64,
}

impl Pipeline {
    /// An empty pipeline.
    #[must_use]
    pub fn new(options: PipelineOptions) -> Self {
        Self {
            flows: FlowMemory::new(options.limits),
            sessions: Sessions::new(&options),
            inventory: Inventory::new(options.limits.known_hosts, options.limits.fresh_hosts),
            closed: ClosedSessions::new(options.limits.closed_sessions),
            observations: Vec::new(),
            options,
            stats: PipelineStats::default(),
            now: 0,
        }
    }

    /// Sets how the engine's clock stands to the wall clock from now on.
    pub fn set_timebase(&mut self, timebase: Timebase) {
        self.options.timebase = timebase;
    }

    /// Gives an interface its name in events from now on.
    pub fn name_interface(&mut self, index: u32, name: &str) {
        self.options.interfaces.insert(index, name.into());
    }

    /// Takes one record of the ring buffer (or of the portable engine), and appends the events that
    /// follow from it. A bad record is counted by reason.
    pub fn ring_record(&mut self, bytes: &[u8], out: &mut Vec<Event>) {
        self.stats.records += 1;
        match decode(bytes) {
            Ok(RingEvent::Flow { reason, event }) => {
                self.stats.flow_records += 1;
                self.count_clock(event.header.time);
                self.advance(event.header.time);
                match reason {
                    FlowReason::Snapshot => {
                        self.flow_running(&event.key, &event.flow, FlowWhy::Snapshot, out);
                    }
                    FlowReason::Closed => {
                        self.flow_running(&event.key, &event.flow, FlowWhy::Closed, out);
                    }
                    FlowReason::Ended => {
                        self.flow_ended(&event.key, &event.flow, FlowEndReason::Replaced, out);
                    }
                }
            }
            Ok(RingEvent::Chunk {
                header,
                direction,
                tape,
            }) => {
                self.stats.chunks += 1;
                self.stats.tape_bytes += tape.len() as u64;
                self.count_clock(header.header.time);
                self.advance(header.header.time);
                let (sessions, mut outlet) = self.outlet(out);
                sessions.chunk(&header, direction, tape, &mut outlet);
            }
            Ok(RingEvent::Notice {
                header,
                direction,
                tape,
            }) => {
                self.stats.chunks += 1;
                self.stats.notices += 1;
                self.stats.tape_bytes += tape.len() as u64;
                self.count_clock(header.header.time);
                self.advance(header.header.time);
                self.notice(&header, direction, tape);
            }
            Err(error) => self.stats.count_bad(error),
        }
    }

    /// Takes the final state of a flow entry that was taken out of the table. To be called after the
    /// ring records of its packets.
    pub fn flow_ended(
        &mut self,
        key: &FlowKey,
        flow: &Flow,
        reason: FlowEndReason,
        out: &mut Vec<Event>,
    ) {
        self.stats.flows_ended += 1;
        self.advance(flow.last());
        if self.flows.is_remainder(key, flow) {
            // Late segments of a connection that was reported before.
            self.stats.flows_late += 1;
            return;
        }
        let last = self.flows.end(key, flow, reason.into());
        if self.options.flow_events || self.options.observe {
            let conversation = self.conversation(key, flow);
            self.emit_flow(&conversation, flow, reason.into(), out);
            // A refusal was reported with the report of the close, unless that was lost.
            if last != Some(FlowWhy::Closed) && is_refused(key, flow) {
                self.note_refused(&conversation, flow);
            }
            self.note_flow(&conversation, flow, true);
        }
        self.inventory.flow_ended(key, flow, self.options.timebase);
        self.report_moves();
        let (sessions, mut outlet) = self.outlet(out);
        sessions.flow(key, flow);
        sessions.flow_ended(key, flow, reason, &mut outlet);
    }

    /// Takes the state of a flow that goes on, which is due because the flow is long.
    pub fn flow_active(&mut self, key: &FlowKey, flow: &Flow, out: &mut Vec<Event>) {
        self.advance(flow.last());
        self.note_flow(&self.conversation(key, flow), flow, false);
        self.flow_running(key, flow, FlowWhy::Active, out);
    }

    /// Housekeeping of sessions; `now_ns` is the engine's clock. To be called about every second of
    /// that clock.
    pub fn tick(&mut self, now_ns: u64, out: &mut Vec<Event>) {
        self.advance(now_ns);
        let now = self.now;
        let (sessions, mut outlet) = self.outlet(out);
        sessions.tick(now, &mut outlet);
    }

    /// Closes all sessions, at the end of a replay or at shutdown. To be called after the flows of
    /// the table were handed over.
    pub fn finish(&mut self, out: &mut Vec<Event>) {
        let (sessions, mut outlet) = self.outlet(out);
        sessions.finish(&mut outlet);
    }

    /// The counters and fill levels.
    #[must_use]
    pub fn stats(&self) -> PipelineStats {
        PipelineStats {
            live_flows: self.flows.live_count(),
            live_flows_evicted: self.flows.evicted(),
            sessions_open: self.sessions.open_count(),
            hosts: self.inventory.len(),
            hosts_evicted: self.inventory.evicted(),
            host_details_omitted: self.inventory.omitted(),
            ..self.stats.clone()
        }
    }

    /// Ended flows, the latest first, at most [`Limits::recent_flows`].
    pub fn recent_flows(&self) -> impl Iterator<Item = &FlowSnapshot> {
        self.flows.recent()
    }

    /// Running flows as they were last reported, the latest report first, at most
    /// [`Limits::live_flows`].
    pub fn live_flows(&self) -> impl Iterator<Item = &FlowSnapshot> {
        self.flows.live()
    }

    /// The event of a flow as it was kept.
    #[must_use]
    pub fn flow_event(&self, snapshot: &FlowSnapshot) -> Event {
        let conversation = self.conversation(&snapshot.key, &snapshot.flow);
        self.flow_to_event(&conversation, &snapshot.flow, snapshot.why)
    }

    /// The sessions of a protocol: those that are open, then the last ones that are over, latest first.
    pub fn sessions(&self, protocol: Protocol) -> impl Iterator<Item = Event> {
        let open = self.sessions.open(protocol);
        open.chain(self.closed.of(protocol).cloned())
    }

    /// Hosts, those seen last first; what running flows add is as of their last report.
    #[must_use]
    pub fn hosts(&self) -> Vec<HostReport> {
        let live = self
            .flows
            .live()
            .map(|snapshot| (&snapshot.key, &snapshot.flow));
        self.inventory.reports(live, self.options.timebase)
    }

    /// What is to be kept of the hosts.
    #[must_use]
    pub fn memory(&self) -> Memory {
        self.inventory.memory()
    }

    /// Takes what was kept of them.
    pub fn remember(&mut self, memory: Memory) {
        self.inventory.remember(memory);
    }

    fn outlet<'a>(&'a mut self, out: &'a mut Vec<Event>) -> (&'a mut Sessions, Outlet<'a>) {
        let outlet = Outlet {
            options: &self.options,
            stats: &mut self.stats,
            inventory: &mut self.inventory,
            closed: &mut self.closed,
            out,
            observations: &mut self.observations,
        };
        (&mut self.sessions, outlet)
    }

    /// What the detectors should know since the last time this was asked; only with
    /// [`PipelineOptions::observe`].
    pub fn take_observations(&mut self) -> Vec<Observation> {
        std::mem::take(&mut self.observations)
    }

    /// The same, to be drained in place.
    pub fn observations(&mut self) -> &mut Vec<Observation> {
        &mut self.observations
    }

    /// Addresses of the hosts in the inventory.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.inventory.addresses()
    }

    fn note_refused(&mut self, conversation: &Conversation, flow: &Flow) {
        let time = self.options.timebase.wall(flow.last());
        let what = What::ConnectionRefused;
        outlet::observe(
            &self.options,
            &mut self.observations,
            conversation,
            time,
            what,
        );
    }

    fn note_flow(&mut self, conversation: &Conversation, flow: &Flow, over: bool) {
        if self.options.observe {
            let timebase = self.options.timebase;
            let seen = of_flow(conversation, flow, over, timebase);
            self.observations.push(seen);
        }
    }

    fn count_clock(&mut self, time: u64) {
        self.stats.clock_back += u64::from(self.now.saturating_sub(time) > CLOCK_BACK);
    }

    fn advance(&mut self, time: u64) {
        self.now = self.now.max(time);
    }

    fn flow_running(&mut self, key: &FlowKey, flow: &Flow, why: FlowWhy, out: &mut Vec<Event>) {
        self.stats.flows_active += 1;
        if why == FlowWhy::Active || (why == FlowWhy::Snapshot && self.options.flow_snapshots) {
            self.emit_flow(&self.conversation(key, flow), flow, why, out);
        }
        self.flows.run(key, flow, why);
        self.inventory.flow_seen(key, flow, self.options.timebase);
        self.report_moves();
        self.sessions.flow(key, flow);
        if why == FlowWhy::Closed {
            if is_refused(key, flow) {
                self.note_refused(&self.conversation(key, flow), flow);
            }
            self.sessions
                .flow_closed(key, flow, self.now, self.options.linger_ns);
        }
    }

    fn conversation(&self, key: &FlowKey, flow: &Flow) -> Conversation {
        let mut conversation = Conversation::of_flow(key, flow);
        conversation.in_iface = self.options.interfaces.get(&flow.interface).cloned();
        conversation
    }

    fn emit_flow(
        &mut self,
        conversation: &Conversation,
        flow: &Flow,
        why: FlowWhy,
        out: &mut Vec<Event>,
    ) {
        if self.options.flow_events {
            out.push(self.flow_to_event(conversation, flow, why));
            self.stats.events += 1;
        }
    }

    fn flow_to_event(&self, conversation: &Conversation, flow: &Flow, why: FlowWhy) -> Event {
        let report = FlowReport::of(flow, conversation, why, self.options.timebase);
        let timestamp: Time = self.options.timebase.wall(self.now.max(flow.last()));
        Event::of(
            conversation,
            timestamp,
            Body::Flow {
                flow: Box::new(report),
            },
        )
    }
}

/// True for a TCP connection that was asked for, and never answered with SYN.
fn is_refused(key: &FlowKey, flow: &Flow) -> bool {
    let (client, server) = flow.client_and_server();
    key.protocol == protocol::TCP
        && flow.flags & flow::MIDSTREAM == 0
        && client.syn > 0
        && server.syn == 0
}
