//! What a protocol says of a connection that carries it.

use std::{collections::BTreeMap, fmt::Debug};

use sensor_common::{
    key::Direction,
    layer7::{FOUND, Reason},
    tape::Tag,
};
use sensor_facts::{
    address::Conversation,
    event::{Body, Event},
    observation::What,
    time::Time,
};

use crate::pipeline::outlet::Outlet;

/// What the pipeline asks of a protocol before it has a session.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Opens a session at the first record of a connection.
    pub(crate) open: fn(Opening, &mut Context<'_, '_>) -> Box<dyn Session>,
    /// True if a record begins a session on a connection whose last session is over.
    pub(crate) begins: fn(&Record<'_>) -> bool,
}

/// A session of one protocol on one connection.
pub(crate) trait Session: Debug + Send {
    /// Takes a record of the protocol, and says what follows from it.
    ///
    /// # Errors
    /// [`Malformed`] if the record breaks the standard; the session goes on without it.
    fn record(
        &mut self,
        record: &Record<'_>,
        context: &mut Context<'_, '_>,
    ) -> Result<Progress, Malformed>;

    /// Bytes of a direction were left out here. Unless that is [harmless](Reason::is_harmless), something is missing.
    fn skipped(&mut self, direction: Direction, skipped: Skipped);

    /// A direction was in the midst of something when the connection ended; so many bytes of a data set had come.
    fn left_open(&mut self, _direction: Direction, _bytes: u64) {}

    /// The other side opened the connection, as better evidence shows: `initiator` is the direction in which it sends.
    fn turned(&mut self, _initiator: Direction) {}

    /// Something of a direction is missing here.
    fn gap(&mut self, direction: Direction, context: &mut Context<'_, '_>);

    /// The session is over: says what was left to be said. Called once.
    fn close(&mut self, end: SessionEnd, context: &mut Context<'_, '_>);

    /// True if a record begins another session, so that this one must be over.
    fn is_succeeded_by(&self, _record: &Record<'_>) -> bool {
        false
    }

    /// The session as it stands for lists, and its time; `ended` once its end was seen. `None` if an open session is not
    /// listed.
    fn view(&self, ended: bool) -> Option<(Time, Body)>;
}

/// A whole record of one direction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a> {
    pub(crate) direction: Direction,
    pub(crate) tag: Tag,
    pub(crate) bytes: &'a [u8],
}

/// Bytes that were left out, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Skipped {
    pub(crate) reason: Reason,
    pub(crate) bytes: u32,
    /// It was told when it began, without its bytes.
    pub(crate) known: bool,
}

impl Skipped {
    /// The content of a record; `None` if it is none.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        let [reason, length @ ..] = *bytes.first_chunk::<5>()?;
        Some(Self {
            reason: Reason::try_from(reason & !FOUND).ok()?,
            bytes: u32::from_le_bytes(length),
            known: reason & FOUND != 0,
        })
    }

    /// Adds it to a session's, and says whether something of the session is missing.
    pub(crate) fn add_to(self, sum: &mut BTreeMap<String, u64>) -> bool {
        *sum.entry(self.reason.label().to_owned()).or_default() += u64::from(self.bytes);
        !self.reason.is_harmless()
    }
}

/// Whether a session goes on after a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It goes on.
    Open,
    /// Its end was seen; it is closed once what the other direction still has came in.
    Ended,
}

/// A record that breaks its standard. What was wrong is counted, not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Why a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SessionEnd {
    /// Its connection was closed, or its end was seen.
    Closed,
    /// Nothing came for too long.
    Idle,
    /// It made room for another.
    Evicted,
    /// The sensor stops, or the capture is at its end.
    Shutdown,
}

/// How a connection began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening {
    /// The direction in which the side sends that opened the connection.
    pub(crate) initiator: Direction,
    /// The beginning of the connection was not seen.
    pub(crate) midstream: bool,
    /// A session that is over came before on the connection.
    pub(crate) follows: bool,
}

/// Where a session says what it has to say: of which connection, when, and to whom.
pub(crate) struct Context<'a, 'o> {
    pub(crate) conversation: &'a Conversation,
    /// The time of the packet.
    pub(crate) now: Time,
    pub(crate) outlet: &'a mut Outlet<'o>,
}

impl Context<'_, '_> {
    /// Tells the detectors.
    pub(crate) fn observe(&mut self, time: Time, what: What) {
        self.outlet.observe(self.conversation, time, what);
    }

    /// Writes an event.
    pub(crate) fn event(&mut self, time: Time, body: Body) {
        let event = Event::of(self.conversation, time, body);
        self.outlet.write(event);
    }

    /// Writes the event of a whole session, and keeps it for lists.
    pub(crate) fn summary(&mut self, time: Time, body: Body) {
        let event = Event::of(self.conversation, time, body);
        self.outlet.keep(event.clone());
        self.outlet.write(event);
    }
}
