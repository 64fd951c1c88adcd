//! Connections that carry a protocol that is read: from chunks to sessions and their events.

use std::{collections::VecDeque, num::NonZeroUsize};

use lru::LruCache;
use sensor_common::{
    event::ChunkHeader,
    flow::{self, Flow},
    key::{Direction, FlowKey},
    layer7::Protocol,
};
use sensor_facts::event::Event;

use super::{
    connection::{Connection, StreamEnd},
    open::Open,
    options::PipelineOptions,
    outlet::Outlet,
    reason::FlowEndReason,
};
use crate::protocol::{assembler::Tally, session::SessionEnd};

/// Names a connection: its key, and when its flow entry was made.
pub(super) type ConnectionId = (FlowKey, u64);

/// A session whose connection was reset is reported this much later, nanoseconds, unless it goes on.
const RESET_LINGER: u64 = 5_000_000_000;
/// Connections that are over and of which a late chunk is known for what it is.
const ENDED_MAX: usize = 4_096;

/// Connections with a protocol that is read, from their first chunk until they are reported.
#[derive(Debug)]
pub(super) struct Sessions {
    open: Open,
    ended: LruCache<ConnectionId, ()>,
    /// Sessions whose end was seen, and when they are reported.
    lingering: VecDeque<(u64, ConnectionId)>,
}

impl Sessions {
    pub(super) fn new(options: &PipelineOptions) -> Self {
        let capacity = |size| NonZeroUsize::new(size).unwrap_or(NonZeroUsize::MIN);
        Self {
            open: Open::new(options.limits.sessions),
            ended: LruCache::new(capacity(ENDED_MAX)),
            lingering: VecDeque::new(),
        }
    }

    /// Takes a chunk of tape.
    pub(super) fn chunk(
        &mut self,
        header: &ChunkHeader,
        direction: Direction,
        tape: &[u8],
        outlet: &mut Outlet<'_>,
    ) {
        let id = (header.key, header.flow_start);
        if self.ended.contains(&id) {
            outlet.stats.chunks_late += 1;
            return;
        }
        if !self.open.contains(&id) {
            self.add(id, header, outlet);
        }
        let Some(connection) = self.open.get_mut(&id) else {
            return;
        };
        connection.last = connection.last.max(header.header.time);
        connection.header(header, direction, outlet);
        let now = outlet.options.timebase.wall(header.header.time);
        let mut tally = Tally::default();
        let Connection { assemblers, .. } = connection;
        let mut assembler = std::mem::take(&mut assemblers[direction as usize]);
        let mut ended = false;
        assembler.push(header.number, tape, &mut tally, |element| {
            ended |= connection.element(direction, element, now, outlet);
        });
        connection.assemblers[direction as usize] = assembler;
        connection.heard[direction as usize] = true;
        if connection.heard == [true; 2] {
            self.open.answered(&id);
        }
        outlet.stats.add(&tally);
        if ended {
            self.linger(id, header.header.time, outlet.options.linger_ns);
        }
    }

    fn add(&mut self, id: ConnectionId, header: &ChunkHeader, outlet: &mut Outlet<'_>) {
        outlet.stats.sessions_opened += 1;
        let in_iface = outlet
            .options
            .interfaces
            .get(&header.header.interface)
            .cloned();
        let connection = Connection::new(header, in_iface);
        if let Some(mut evicted) = self.open.push(id, connection) {
            outlet.stats.sessions_evicted += 1;
            outlet.stats.sessions_evicted_answered += u64::from(evicted.heard == [true; 2]);
            close(&mut evicted, SessionEnd::Evicted, outlet);
        }
    }

    fn linger(&mut self, id: ConnectionId, time: u64, linger: u64) {
        if let Some(connection) = self.open.peek_mut(&id)
            && connection.due.is_none()
            && !connection.over
        {
            let due = time.saturating_add(linger);
            connection.due = Some(due);
            self.lingering.push_back((due, id));
        }
    }

    /// Takes what a flow record says of a connection.
    pub(super) fn flow(&mut self, key: &FlowKey, flow: &Flow) {
        let b_opened = flow.flags & flow::INITIATOR_B != 0;
        if flow.protocol() == Protocol::None {
            return;
        }
        if let Some(connection) = self.open.peek_mut(&(*key, flow.start)) {
            connection.opened_by(b_opened);
            connection.conversation.vlan = flow.vlan_ids().collect();
            let [a, b] = &flow.directions;
            connection.lacking = [a.is_damaged(), b.is_damaged()];
            connection.chunks = Some([a.stream.chunk_number, b.stream.chunk_number]);
            connection.ends = [a, b].map(|half| StreamEnd::of(&half.stream));
        }
    }

    /// The connection was closed; what other CPUs still have of it may come yet. A reset that came from elsewhere shows by
    /// what its sender says after it, so one is waited for longer.
    pub(super) fn flow_closed(&mut self, key: &FlowKey, flow: &Flow, now: u64, linger: u64) {
        let id = (*key, flow.start);
        if let Some(connection) = self.open.peek_mut(&id) {
            connection.closed = Some(now);
        }
        let finished = flow.flags & (flow::FIN_A | flow::FIN_B) == flow::FIN_A | flow::FIN_B;
        let linger = if finished {
            linger
        } else {
            linger.max(RESET_LINGER)
        };
        self.linger(id, now, linger);
    }

    /// The flow is over.
    pub(super) fn flow_ended(
        &mut self,
        key: &FlowKey,
        flow: &Flow,
        reason: FlowEndReason,
        outlet: &mut Outlet<'_>,
    ) {
        let id = (*key, flow.start);
        let Some(mut connection) = self.open.pop(&id) else {
            return;
        };
        self.ended.push(id, ());
        let end = match reason {
            _ if flow.is_closed() => SessionEnd::Closed,
            FlowEndReason::Idle => SessionEnd::Idle,
            FlowEndReason::Closed | FlowEndReason::Replaced => SessionEnd::Closed,
            FlowEndReason::Shutdown => SessionEnd::Shutdown,
        };
        close(&mut connection, end, outlet);
    }

    /// Reports the sessions whose time has come, and gives up those that no flow accounts for.
    pub(super) fn tick(&mut self, now: u64, outlet: &mut Outlet<'_>) {
        while let Some((due, id)) = self.lingering.front().copied()
            && due <= now
        {
            self.lingering.pop_front();
            let Some(connection) = self.open.peek_mut(&id).filter(|c| c.due == Some(due)) else {
                continue;
            };
            connection.due = None;
            connection.over = true;
            connection.settle(outlet);
            connection.close(SessionEnd::Closed, outlet);
        }
        let idle = outlet.options.session_idle_ns;
        let is_over = |connection: &Connection| now.saturating_sub(connection.last) > idle;
        while let Some(mut connection) = self.open.pop_quiet(is_over) {
            close(&mut connection, SessionEnd::Idle, outlet);
        }
    }

    /// Closes all sessions.
    pub(super) fn finish(&mut self, outlet: &mut Outlet<'_>) {
        while let Some(mut connection) = self.open.pop_quiet(|_| true) {
            close(&mut connection, SessionEnd::Shutdown, outlet);
        }
        self.lingering.clear();
    }

    pub(super) fn open_count(&self) -> u64 {
        self.open.len() as u64
    }

    /// The open sessions of a protocol.
    pub(super) fn open(&self, protocol: Protocol) -> impl Iterator<Item = Event> {
        let open = self.open.iter();
        open.filter_map(move |connection| connection.view(protocol))
    }
}

/// Counts what is missing, and closes the session of a connection that is over.
fn close(connection: &mut Connection, end: SessionEnd, outlet: &mut Outlet<'_>) {
    outlet.stats.sessions_closed += 1;
    if end != SessionEnd::Evicted {
        connection.settle(outlet);
    }
    connection.close(end, outlet);
}
