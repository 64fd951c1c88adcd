//! One connection that carries a protocol that is read.

use std::sync::Arc;

use sensor_common::{
    event::{self, ChunkHeader},
    flow,
    key::Direction,
    layer7::{Protocol, Reason, Stream},
    tape::Tag,
};
use sensor_facts::{address::Conversation, event::Event, time::Time};

use super::outlet::Outlet;
use crate::protocol::{
    assembler::{Assembler, Element, Tally},
    entry,
    session::{Context, Opening, Progress, Record, Session, SessionEnd, Skipped},
};

/// Notes of what was left out that wait for a session.
const SKIPPED_MAX: usize = 32;
const BOTH: [Direction; 2] = [Direction::AToB, Direction::BToA];

/// How a direction's stream stood when the flow was last reported.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct StreamEnd {
    /// Bytes that no reader understood, and why, since it lost its place.
    unread: Option<Skipped>,
    /// DICOM: bytes of a data set without its end, or none of one in a PDU without its end.
    open: Option<u64>,
}

impl StreamEnd {
    pub(super) fn of(stream: &Stream) -> Self {
        let unread = stream.unread(stream.offset).and_then(|(reason, bytes)| {
            let reason = Reason::try_from(reason).ok()?;
            Some(Skipped {
                reason,
                bytes,
                known: reason != Reason::Before,
            })
        });
        Self {
            unread: unread.filter(|it| it.bytes > 0),
            open: (stream.open_data() > 0 || stream.is_in_pdu()).then_some(stream.open_data()),
        }
    }
}

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) conversation: Conversation,
    opening: Opening,
    pub(super) assemblers: [Assembler; 2],
    /// Something of this side was heard.
    pub(super) heard: [bool; 2],
    /// The running session and its protocol; none before the first and after one that is over.
    session: Option<(Protocol, Box<dyn Session>)>,
    pub(super) last: u64,
    /// When the session, whose end was seen, is reported.
    pub(super) due: Option<u64>,
    /// It was reported.
    pub(super) over: bool,
    /// When its TCP connection was closed, as far as is known, nanoseconds.
    pub(super) closed: Option<u64>,
    /// Something is missing of which no session knows yet.
    damaged: bool,
    /// What was left out and no session knows of yet.
    skipped: Vec<(Direction, Skipped)>,
    pub(super) ends: [StreamEnd; 2],
    /// Directions of which bytes are missing by the last flow record.
    pub(super) lacking: [bool; 2],
    /// Chunks of each direction by the last flow record.
    pub(super) chunks: Option<[u32; 2]>,
}

impl Connection {
    /// The connection whose first chunk begins with `header`.
    pub(super) fn new(header: &ChunkHeader, in_iface: Option<Arc<str>>) -> Self {
        let b_opened = header.flags & event::INITIATOR_B != 0;
        let mut conversation = Conversation::new(&header.key, header.flow_start, b_opened);
        conversation.in_iface = in_iface;
        conversation.macs = if b_opened {
            [header.mac_b, header.mac_a]
        } else {
            [header.mac_a, header.mac_b]
        };
        Self {
            conversation,
            opening: Opening {
                initiator: if b_opened {
                    Direction::BToA
                } else {
                    Direction::AToB
                },
                midstream: header.flags & event::MIDSTREAM != 0,
                follows: false,
            },
            assemblers: [Assembler::default(), Assembler::default()],
            heard: [false; 2],
            session: None,
            last: header.header.time,
            due: None,
            over: false,
            closed: None,
            damaged: false,
            skipped: Vec::new(),
            ends: [StreamEnd::default(); 2],
            lacking: [false; 2],
            chunks: None,
        }
    }

    /// Takes what a chunk says of its connection before its records: who opened it, whether it goes on after all, and
    /// whether something is missing.
    pub(super) fn header(
        &mut self,
        header: &ChunkHeader,
        direction: Direction,
        outlet: &mut Outlet<'_>,
    ) {
        self.opened_by(header.flags & event::INITIATOR_B != 0);
        let goes_on = !flow::is_closed(header.flags);
        if goes_on && self.closed.is_some_and(|at| header.header.time > at) {
            self.closed = None;
            self.due = None;
            outlet.stats.sessions_resumed += 1;
            // What was said between is told of as missing.
            self.damaged |= std::mem::take(&mut self.over);
        }
        if header.flags & event::DAMAGED != 0 {
            let now = outlet.options.timebase.wall(header.header.time);
            self.gap(direction, now, outlet);
        }
    }

    /// The sender of B opened the connection, or that of A.
    pub(super) fn opened_by(&mut self, b_opened: bool) {
        if self.conversation.initiator_b == b_opened {
            return;
        }
        self.conversation.turn();
        self.opening.initiator = self.opening.initiator.reversed();
        if let Some((_, session)) = &mut self.session {
            session.turned(self.opening.initiator);
        }
    }

    /// Counts the chunks missing at the end of each direction, and marks the session as incomplete if anything is.
    pub(super) fn settle(&mut self, outlet: &mut Outlet<'_>) {
        let now = outlet.options.timebase.wall(self.last);
        for direction in BOTH {
            if std::mem::take(&mut self.lacking[direction as usize]) {
                self.gap(direction, now, outlet);
            }
        }
        let Some(chunks) = self.chunks else { return };
        let mut tally = Tally::default();
        for (direction, chunks) in BOTH.into_iter().zip(chunks) {
            if self.assemblers[direction as usize].settle(chunks, &mut tally) {
                let now = outlet.options.timebase.wall(self.last);
                self.gap(direction, now, outlet);
            }
        }
        outlet.stats.add(&tally);
    }

    /// Takes one element; true if the session's end was seen.
    pub(super) fn element(
        &mut self,
        direction: Direction,
        element: Element<'_>,
        now: Time,
        outlet: &mut Outlet<'_>,
    ) -> bool {
        let record = match element {
            Element::Record { tag, bytes } => Record {
                direction,
                tag,
                bytes,
            },
            Element::Gap => {
                self.gap(direction, now, outlet);
                return false;
            }
        };
        outlet.stats.elements += 1;
        if record.tag == Tag::Skipped {
            if let Some(skipped) = Skipped::of(record.bytes) {
                self.skip(direction, skipped, outlet);
            } else {
                outlet.stats.elements_malformed += 1;
            }
            return false;
        }
        if self.over {
            // Only a new session brings a connection back; all else is what came late.
            if !entry(record.tag.protocol()).is_some_and(|entry| (entry.begins)(&record)) {
                outlet.stats.elements_late += 1;
                return false;
            }
            self.over = false;
        }
        if record.tag == Tag::Desync {
            outlet.stats.desyncs += 1;
            let reason = record
                .bytes
                .first()
                .and_then(|it| Reason::try_from(*it).ok());
            if let Some(reason) = reason {
                let skipped = Skipped {
                    reason,
                    bytes: 0,
                    known: false,
                };
                self.skip(direction, skipped, outlet);
            }
            self.gap(direction, now, outlet);
            return false;
        }
        self.record(&record, now, outlet)
    }

    fn record(&mut self, record: &Record<'_>, now: Time, outlet: &mut Outlet<'_>) -> bool {
        let protocol = record.tag.protocol();
        let Some(entry) = entry(protocol) else {
            // What belongs to no connection.
            outlet.stats.elements_malformed += 1;
            return false;
        };
        let mut context = Context {
            conversation: &self.conversation,
            now,
            outlet,
        };
        if let Some((of, session)) = &mut self.session
            && *of == protocol
            && session.is_succeeded_by(record)
        {
            session.close(SessionEnd::Closed, &mut context);
            self.session = None;
            self.due = None;
        }
        let (of, session) = self.session.get_or_insert_with(|| {
            context.outlet.stats.count_session(protocol);
            let mut session = (entry.open)(self.opening, &mut context);
            for (direction, skipped) in self.skipped.drain(..) {
                session.skipped(direction, skipped);
            }
            if std::mem::take(&mut self.damaged) {
                session.gap(record.direction, &mut context);
            }
            (protocol, session)
        });
        // A connection carries one protocol at a time.
        let taken = (*of == protocol).then(|| session.record(record, &mut context));
        if let Some(Ok(progress)) = taken {
            let ended = progress == Progress::Ended;
            self.opening.follows |= ended;
            return ended;
        }
        context.outlet.stats.elements_malformed += 1;
        false
    }

    /// Bytes were left out.
    fn skip(&mut self, direction: Direction, skipped: Skipped, outlet: &mut Outlet<'_>) {
        outlet.stats.skip(skipped);
        match &mut self.session {
            Some((_, session)) => session.skipped(direction, skipped),
            None if self.skipped.len() < SKIPPED_MAX => self.skipped.push((direction, skipped)),
            None => {}
        }
    }

    fn gap(&mut self, direction: Direction, now: Time, outlet: &mut Outlet<'_>) {
        let Some((_, session)) = &mut self.session else {
            self.damaged = true;
            return;
        };
        let mut context = Context {
            conversation: &self.conversation,
            now,
            outlet,
        };
        session.gap(direction, &mut context);
    }

    /// Closes the session, if there is one.
    pub(super) fn close(&mut self, end: SessionEnd, outlet: &mut Outlet<'_>) {
        let now = outlet.options.timebase.wall(self.last);
        if self.session.is_some() {
            for (direction, end) in BOTH.into_iter().zip(self.ends) {
                if let Some(unread) = end.unread {
                    self.skip(direction, unread, outlet);
                }
            }
        }
        let mut context = Context {
            conversation: &self.conversation,
            now,
            outlet,
        };
        if let Some((_, mut session)) = self.session.take() {
            for (direction, end) in BOTH.into_iter().zip(self.ends) {
                if let Some(bytes) = end.open {
                    session.left_open(direction, bytes);
                }
            }
            session.close(end, &mut context);
        }
    }

    /// The event of the session as it stands, if it is one of `protocol` that is listed.
    pub(super) fn view(&self, protocol: Protocol) -> Option<Event> {
        let (of, session) = self.session.as_ref()?;
        if *of != protocol {
            return None;
        }
        let (time, body) = session.view(self.due.is_some())?;
        Some(Event::of(&self.conversation, time, body))
    }
}
