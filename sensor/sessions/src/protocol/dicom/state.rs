//! The state of one association.

use std::collections::BTreeMap;

use sensor_common::{key::Direction, layer7::dicom::pdu, tape::Tag};
use sensor_facts::{
    event::{AssociationOutcome, Implementation, Side},
    time::Time,
};

use super::{
    command::CommandSet,
    commands::{Asked, Commands},
    error::DicomError,
    names::Uid,
};
use crate::protocol::session::{Opening, Record};

/// What a record changed that is worth an event or a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// The association was accepted, and its acceptance is whole.
    Opened,
    /// It was rejected.
    Rejected,
    /// It was released or aborted.
    Ended,
    /// A command set is whole.
    Command {
        /// True for a response.
        response: bool,
        /// The Command Field (0000,0100).
        field: u16,
    },
}

/// An association, or what can be known of one that began before the capture.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts about what was seen"
)]
#[derive(Debug)]
pub(super) struct DicomState {
    pub(super) start: Time,
    pub(super) end: Time,
    /// The direction in which the requestor sends.
    pub(super) requests: Direction,
    pub(super) outcome: AssociationOutcome,
    /// The opening of the connection was seen, so that `requests` is certain.
    opening_seen: bool,
    pub(super) request_seen: bool,
    /// It goes on though no request for it was read.
    unasked: bool,
    /// Another association ended on the connection before.
    pub(super) follows: bool,
    /// The acceptor accepted or rejected.
    answered: bool,
    /// Each side asked for the release, by [`Side::index`].
    release_asked: [bool; 2],
    pub(super) opened_reported: bool,
    pub(super) midstream: bool,
    pub(super) incomplete: bool,
    pub(super) senders: [Sender; 2],
    pub(super) titles: Option<Titles>,
    pub(super) application_context: Option<Uid>,
    pub(super) contexts: BTreeMap<u8, Context>,
    pub(super) implementations: [Option<Implementation>; 2],
    pub(super) roles: Vec<(Side, Uid, bool, bool)>,
    pub(super) user_identity: Option<u8>,
    pub(super) reject: Option<[u8; 3]>,
    pub(super) abort: Option<(Side, [u8; 2])>,
    pub(super) commands: Commands,
    /// Move Destination of the last command.
    pub(super) destination: Option<String>,
    pub(super) text: usize,
    pub(super) omitted: u64,
    pub(super) skipped: BTreeMap<String, u64>,
}

#[derive(Debug)]
pub(super) struct Titles {
    pub(super) calling: String,
    pub(super) called: String,
}

/// What one direction is in the middle of.
#[derive(Debug, Default)]
pub(super) struct Sender {
    /// Type of the association PDU whose items come, or of the PDU whose reason comes; 0 where it changes nothing.
    pub(super) pdu: u8,
    pub(super) command: Option<CommandSet>,
}

#[derive(Debug, Default)]
pub(super) struct Context {
    pub(super) abstract_syntax: Option<Uid>,
    pub(super) transfer_syntaxes: Vec<Uid>,
    pub(super) answer: Option<(u8, Option<Uid>)>,
}

impl DicomState {
    /// A session of a connection that was opened like this.
    pub(super) fn new(opening: Opening, now: Time) -> Self {
        Self {
            start: now,
            end: now,
            requests: opening.initiator,
            outcome: AssociationOutcome::Pending,
            opening_seen: !opening.midstream,
            request_seen: false,
            unasked: false,
            follows: opening.follows,
            answered: false,
            release_asked: [false; 2],
            opened_reported: false,
            midstream: false,
            incomplete: false,
            senders: [Sender::default(), Sender::default()],
            titles: None,
            application_context: None,
            contexts: BTreeMap::new(),
            implementations: [None, None],
            roles: Vec::new(),
            user_identity: None,
            reject: None,
            abort: None,
            commands: Commands::default(),
            destination: None,
            text: 0,
            omitted: 0,
            skipped: BTreeMap::new(),
        }
    }

    /// True if another request begins another association. On one that is open, a second request changes nothing: acceptors
    /// abort (PS3.8 table 9-10, AA-8), and after an abort they wait for the connection's end (AA-7).
    pub(super) fn is_succeeded(&self) -> bool {
        if self.request_seen {
            self.is_over() && self.outcome != AssociationOutcome::Aborted
        } else {
            self.unasked || self.outcome != AssociationOutcome::Pending
        }
    }

    /// True if nothing came of it: after a rejection, a release or an abort, acceptors wait for the connection's end and take
    /// no further request (PS3.8 table 9-10, state 13, AA-7). One that is answered all the same is an association.
    pub(super) fn is_ignored(&self) -> bool {
        self.follows && self.outcome == AssociationOutcome::Pending
    }

    fn is_over(&self) -> bool {
        !matches!(
            self.outcome,
            AssociationOutcome::Pending | AssociationOutcome::Accepted
        )
    }

    /// It goes on, and its request was not read.
    fn goes_on(&mut self) {
        if self.request_seen || self.outcome != AssociationOutcome::Pending {
            return;
        }
        self.unasked = true;
        if self.opening_seen {
            self.incomplete = true;
        } else {
            self.midstream = true;
        }
    }

    /// Takes one record of one direction.
    ///
    /// # Errors
    /// [`DicomError`] if the record breaks the standard; the session goes on without it.
    pub(super) fn take_record(
        &mut self,
        record: &Record<'_>,
        now: Time,
    ) -> Result<Option<Change>, DicomError> {
        let Record { tag, bytes, .. } = *record;
        self.end = self.end.max(now);
        let taken = self.take(record);
        if taken.is_err() {
            self.incomplete = true;
        }
        // Whatever follows the items of an acceptance shows that they are whole.
        let follows = !matches!(tag, Tag::DicomItem | Tag::DicomAssociate);
        match taken {
            Ok(None)
                if self
                    .acceptance_is_whole(follows && bytes.first() != Some(&pdu::ASSOCIATE_AC)) =>
            {
                self.opened_reported = true;
                Ok(Some(Change::Opened))
            }
            other => other,
        }
    }

    fn acceptance_is_whole(&self, followed: bool) -> bool {
        self.outcome == AssociationOutcome::Accepted && !self.opened_reported && followed
    }

    fn take(&mut self, record: &Record<'_>) -> Result<Option<Change>, DicomError> {
        let Record {
            direction,
            tag,
            bytes,
        } = *record;
        let short = |what| DicomError {
            what,
            offset: bytes.len(),
        };
        match tag {
            Tag::DicomPdu => {
                let [kind, ..] = *bytes.first_chunk::<6>().ok_or(short("PDU header"))?;
                return Ok(self.pdu(direction, kind));
            }
            Tag::DicomAssociate => self.associate(direction, bytes)?,
            Tag::DicomItem => self.item(direction, bytes)?,
            Tag::DicomReason => {
                let [_, a, b, c] = *bytes.first_chunk::<4>().ok_or(short("reason"))?;
                match std::mem::take(&mut self.sender(direction).pdu) {
                    pdu::ASSOCIATE_RJ => {
                        self.reject = Some([a, b, c]);
                        return Ok(Some(Change::Rejected));
                    }
                    // Only now is it whole, and a receiver acts on it.
                    pdu::ABORT if !self.is_over() => {
                        self.outcome = AssociationOutcome::Aborted;
                        self.abort = Some((self.side(direction), [b, c]));
                        return Ok(Some(Change::Ended));
                    }
                    _ => {}
                }
            }
            Tag::DicomPdv => {
                self.goes_on();
                let encoding = bytes.get(6).copied().unwrap_or_default();
                self.sender(direction).command = Some(CommandSet::new(encoding));
            }
            Tag::DicomElement => {
                let command = self.sender(direction).command.get_or_insert_default();
                if !command.element(bytes)? {
                    return Err(short("command element"));
                }
            }
            Tag::DicomCommandEnd => {
                if let Some(command) = self.sender(direction).command.take() {
                    let field = command.field.unwrap_or(0);
                    self.destination.clone_from(&command.destination);
                    let asked = self.commands.command(self.side(direction), command)?;
                    return Ok(Some(Change::Command {
                        response: asked == Asked::Response,
                        field,
                    }));
                }
            }
            Tag::DicomDataEnd => {
                self.goes_on();
                let size = *bytes.first_chunk::<8>().ok_or(short("data set's size"))?;
                // The context id is between.
                let complete = bytes.get(9) != Some(&0);
                self.data_set(direction, u64::from_le_bytes(size), complete);
            }
            // Of other protocols, or of none.
            _ => {}
        }
        Ok(None)
    }

    /// Move Destination (0000,0600) of the last command.
    pub(super) fn destination(&self) -> Option<&str> {
        self.destination.as_deref()
    }

    /// Something of a direction is missing from here on.
    pub(super) fn lose(&mut self, direction: Direction) {
        self.incomplete |= !self.has_left(direction);
        self.sender(direction).command = None;
    }

    /// True once a direction's sender asked for the release. What it sends after that belongs to nothing, and no receiver reads
    /// it.
    pub(super) fn has_left(&self, direction: Direction) -> bool {
        self.release_asked[self.side(direction).index()]
    }

    /// A data set is over, complete or given up by its sender.
    pub(super) fn data_set(&mut self, direction: Direction, bytes: u64, complete: bool) {
        self.incomplete |= !complete;
        self.commands
            .data_set(self.side(direction), bytes, complete);
    }

    /// The connection is over.
    pub(super) fn cut(&mut self) {
        if matches!(
            self.outcome,
            AssociationOutcome::Pending | AssociationOutcome::Accepted
        ) {
            self.outcome = AssociationOutcome::Cut;
        }
    }

    /// Calling and called AE title, once they were seen.
    pub(super) fn titles(&self) -> (Option<&str>, Option<&str>) {
        let titles = self.titles.as_ref();
        (
            titles.map(|titles| titles.calling.as_str()),
            titles.map(|titles| titles.called.as_str()),
        )
    }

    /// Source and reason of a rejection (PS3.8 section 9.3.4).
    pub(super) fn rejection(&self) -> Option<(u8, u8)> {
        self.reject.map(|[_, source, reason]| (source, reason))
    }

    /// Takes a PDU's type. What only the other side may send is no PDU of this one: receivers abort, and where the place is
    /// wrong, such a type is found in the midst of data. What came first decides.
    fn pdu(&mut self, direction: Direction, kind: u8) -> Option<Change> {
        let roles_known = self.request_seen || self.opening_seen;
        let by_requestor = direction == self.requests;
        let by_acceptor = !roles_known || !by_requestor;
        let taken = match kind {
            pdu::ASSOCIATE_RQ => !self.request_seen,
            pdu::ASSOCIATE_AC | pdu::ASSOCIATE_RJ => by_acceptor && !self.answered,
            pdu::RELEASE_RP => {
                let asked = self.release_asked[self.side(direction).other().index()];
                match self.outcome {
                    AssociationOutcome::Pending | AssociationOutcome::Accepted => {
                        by_acceptor || asked
                    }
                    // The requestor's abort came after it had asked for the release.
                    AssociationOutcome::Aborted => {
                        !by_requestor && asked && self.aborted_by_requestor()
                    }
                    _ => false,
                }
            }
            _ => !self.is_over(),
        };
        self.sender(direction).pdu = if taken { kind } else { 0 };
        if !taken {
            return None;
        }
        match kind {
            pdu::ASSOCIATE_RQ => {
                self.request_seen = true;
                self.requests = direction;
            }
            pdu::ASSOCIATE_AC => {
                self.goes_on();
                self.answered = true;
                self.requests = direction.reversed();
                if !self.is_over() {
                    self.outcome = AssociationOutcome::Accepted;
                }
            }
            pdu::ASSOCIATE_RJ => {
                self.goes_on();
                self.answered = true;
                self.requests = direction.reversed();
                self.outcome = AssociationOutcome::Rejected;
            }
            pdu::RELEASE_RQ => {
                self.goes_on();
                self.release_asked[self.side(direction).index()] = true;
            }
            pdu::RELEASE_RP => {
                self.goes_on();
                self.outcome = AssociationOutcome::Released;
                return Some(Change::Ended);
            }
            pdu::ABORT => self.goes_on(),
            _ => {}
        }
        None
    }

    fn aborted_by_requestor(&self) -> bool {
        self.abort.is_some_and(|(by, _)| by == Side::Requestor)
    }

    pub(super) fn sender(&mut self, direction: Direction) -> &mut Sender {
        &mut self.senders[direction as usize]
    }

    pub(super) fn side(&self, direction: Direction) -> Side {
        if direction == self.requests {
            Side::Requestor
        } else {
            Side::Acceptor
        }
    }
}
