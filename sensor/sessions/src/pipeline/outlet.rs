//! Where sessions say what follows from them: events, counters, hosts, observations.

use std::net::SocketAddr;

use sensor_facts::{
    address::Conversation,
    event::Event,
    observation::{Observation, What},
    time::Time,
};

use super::{closed::ClosedSessions, options::PipelineOptions, stats::PipelineStats};
use crate::inventory::hosts::Inventory;

/// The parts of the pipeline that sessions write to.
pub(crate) struct Outlet<'a> {
    pub(crate) options: &'a PipelineOptions,
    pub(crate) stats: &'a mut PipelineStats,
    pub(crate) inventory: &'a mut Inventory,
    pub(super) closed: &'a mut ClosedSessions,
    pub(super) out: &'a mut Vec<Event>,
    pub(super) observations: &'a mut Vec<Observation>,
}

impl Outlet<'_> {
    /// Tells the detectors.
    pub(crate) fn observe(&mut self, conversation: &Conversation, time: Time, what: What) {
        observe(self.options, self.observations, conversation, time, what);
    }

    /// Writes an event.
    pub(crate) fn write(&mut self, event: Event) {
        self.stats.events += 1;
        self.out.push(event);
    }

    /// Keeps the event of a whole session for lists.
    pub(crate) fn keep(&mut self, event: Event) {
        self.closed.keep(event);
    }
}

/// Tells the detectors, where there are any, what was done over a connection.
pub(super) fn observe(
    options: &PipelineOptions,
    observations: &mut Vec<Observation>,
    conversation: &Conversation,
    time: Time,
    what: What,
) {
    let ports = conversation.src_port.zip(conversation.dest_port);
    if let (true, Some((from, to))) = (options.observe, ports) {
        observations.push(Observation {
            time,
            protocol: conversation.protocol,
            client: SocketAddr::new(conversation.src_ip, from),
            server: SocketAddr::new(conversation.dest_ip, to),
            macs: conversation.macs,
            what,
        });
    }
}
