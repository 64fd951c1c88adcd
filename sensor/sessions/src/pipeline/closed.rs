//! The last sessions of each protocol that are over, for lists.

use std::collections::VecDeque;

use sensor_common::layer7::Protocol;
use sensor_facts::event::Event;

/// The events of the last sessions of each protocol, the latest first.
#[derive(Debug)]
pub(crate) struct ClosedSessions {
    of: Vec<(Protocol, VecDeque<Event>)>,
    max: usize,
}

impl ClosedSessions {
    /// Room for `max` sessions of each protocol.
    pub(super) fn new(max: usize) -> Self {
        let all = Protocol::ALL.iter();
        Self {
            of: all.map(|protocol| (*protocol, VecDeque::new())).collect(),
            max,
        }
    }

    /// Keeps the event of a session; the oldest of its protocol makes room.
    pub(super) fn keep(&mut self, event: Event) {
        let protocol = event.body.session().map(|(protocol, _)| protocol);
        let list = self.of.iter_mut().find(|(of, _)| Some(*of) == protocol);
        let Some((_, list)) = list.filter(|_| self.max > 0) else {
            return;
        };
        if list.len() >= self.max {
            list.pop_back();
        }
        list.push_front(event);
    }

    /// The kept events of a protocol.
    pub(super) fn of(&self, protocol: Protocol) -> impl Iterator<Item = &Event> {
        let lists = self.of.iter().filter(move |(of, _)| *of == protocol);
        lists.flat_map(|(_, list)| list)
    }
}
