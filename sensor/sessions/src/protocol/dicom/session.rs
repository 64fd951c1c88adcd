//! The state of one association.

use std::collections::BTreeMap;

use sensor_common::{key::Direction, layer7::dicom::pdu, tape::Tag};

use super::{
    DicomError,
    command::CommandSet,
    commands::{Asked, Commands},
    names::Uid,
};
use sensor_facts::{
    event::{AssociationOutcome, Implementation, Side},
    time::Time,
};

/// What a record changed that is worth an event or a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
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
pub struct Session {
    pub(super) start: Time,
    pub(super) end: Time,
    /// The direction in which the requestor sends.
    pub(super) requests: Direction,
    pub(super) outcome: AssociationOutcome,
    pub(super) request_seen: bool,
    pub(super) opened_told: bool,
    pub(super) midstream: bool,
    pub(super) incomplete: bool,
    pub(super) halves: [Half; 2],
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
}

#[derive(Debug)]
pub(super) struct Titles {
    pub(super) calling: String,
    pub(super) called: String,
}

/// What one direction is in the middle of.
#[derive(Debug, Default)]
pub(super) struct Half {
    /// Type of the association PDU whose items come.
    pub(super) associate: u8,
    /// Bytes of it that have not come yet.
    pub(super) left: i64,
    /// The user information's header was taken off `left`.
    pub(super) user_information: bool,
    pub(super) command: Option<CommandSet>,
}

#[derive(Debug, Default)]
pub(super) struct Context {
    pub(super) abstract_syntax: Option<Uid>,
    pub(super) transfer_syntaxes: Vec<Uid>,
    pub(super) answer: Option<(u8, Option<Uid>)>,
}

impl Session {
    /// A session of a connection that `initiator`'s sender opened.
    #[must_use]
    pub fn new(initiator: Direction, now: Time) -> Self {
        Self {
            start: now,
            end: now,
            requests: initiator,
            outcome: AssociationOutcome::Pending,
            request_seen: false,
            opened_told: false,
            midstream: false,
            incomplete: false,
            halves: [Half::default(), Half::default()],
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
        }
    }

    /// True if `tag` with `bytes` begins another association, so that this one must be over.
    #[must_use]
    pub fn is_succeeded_by(&self, tag: Tag, bytes: &[u8]) -> bool {
        tag == Tag::DicomPdu
            && bytes.first() == Some(&pdu::ASSOCIATE_RQ)
            && (self.request_seen || self.outcome != AssociationOutcome::Pending || self.midstream)
    }

    /// Takes one record of one direction.
    ///
    /// # Errors
    /// [`DicomError`] if the record breaks the standard; the session goes on without it.
    pub fn record(
        &mut self,
        direction: Direction,
        tag: Tag,
        bytes: &[u8],
        now: Time,
    ) -> Result<Option<Change>, DicomError> {
        self.end = self.end.max(now);
        let taken = self.take(direction, tag, bytes);
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
                self.opened_told = true;
                Ok(Some(Change::Opened))
            }
            other => other,
        }
    }

    fn acceptance_is_whole(&self, followed: bool) -> bool {
        self.outcome == AssociationOutcome::Accepted
            && !self.opened_told
            && (followed || self.halves[self.acceptor() as usize].left <= 0)
    }

    fn take(
        &mut self,
        direction: Direction,
        tag: Tag,
        bytes: &[u8],
    ) -> Result<Option<Change>, DicomError> {
        let short = |what| DicomError {
            what,
            offset: bytes.len(),
        };
        let first = !self.request_seen && self.outcome == AssociationOutcome::Pending;
        match tag {
            Tag::DicomPdu => {
                let [kind, _, length @ ..] =
                    *bytes.first_chunk::<6>().ok_or(short("PDU header"))?;
                return Ok(self.pdu(direction, kind, u32::from_be_bytes(length)));
            }
            Tag::DicomAssociate => self.associate(direction, bytes)?,
            Tag::DicomItem => self.item(direction, bytes)?,
            Tag::DicomReason => {
                let [_, a, b, c] = *bytes.first_chunk::<4>().ok_or(short("reason"))?;
                if self.outcome == AssociationOutcome::Rejected {
                    self.reject = Some([a, b, c]);
                    return Ok(Some(Change::Rejected));
                }
                self.abort = Some((self.side(direction), [b, c]));
                return Ok(Some(Change::Ended));
            }
            Tag::DicomPdv => {
                self.midstream |= first;
                // A command set may come in several fragments.
                self.half(direction).command.get_or_insert_default();
            }
            Tag::DicomElement => {
                let command = self.half(direction).command.get_or_insert_default();
                if !command.element(bytes)? {
                    return Err(short("command element"));
                }
            }
            Tag::DicomCommandEnd => {
                if let Some(command) = self.half(direction).command.take() {
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
                self.midstream |= first;
                let size = *bytes.first_chunk::<8>().ok_or(short("data set's size"))?;
                self.commands
                    .data_set(self.side(direction), u64::from_le_bytes(size));
            }
            Tag::Desync => self.gap(direction),
            // Of other protocols, or of none.
            _ => {}
        }
        Ok(None)
    }

    /// Move Destination (0000,0600) of the last command.
    #[must_use]
    pub fn destination(&self) -> Option<&str> {
        self.destination.as_deref()
    }

    /// Something of a direction is missing from here on.
    pub fn gap(&mut self, direction: Direction) {
        self.incomplete = true;
        let half = self.half(direction);
        half.command = None;
        half.left = 0;
    }

    /// The connection is over.
    pub fn cut(&mut self) {
        if matches!(
            self.outcome,
            AssociationOutcome::Pending | AssociationOutcome::Accepted
        ) {
            self.outcome = AssociationOutcome::Cut;
        }
    }

    /// How it went so far.
    #[must_use]
    pub fn outcome(&self) -> AssociationOutcome {
        self.outcome
    }

    /// Calling and called AE title, once they were seen.
    #[must_use]
    pub fn titles(&self) -> (Option<&str>, Option<&str>) {
        let titles = self.titles.as_ref();
        (
            titles.map(|titles| titles.calling.as_str()),
            titles.map(|titles| titles.called.as_str()),
        )
    }

    /// Source and reason of a rejection (PS3.8 section 9.3.4).
    #[must_use]
    pub fn rejection(&self) -> Option<(u8, u8)> {
        self.reject.map(|[_, source, reason]| (source, reason))
    }

    /// True if the association request was seen.
    #[must_use]
    pub fn request_seen(&self) -> bool {
        self.request_seen
    }

    /// The direction in which the requestor sends.
    #[must_use]
    pub fn requests(&self) -> Direction {
        self.requests
    }

    fn pdu(&mut self, direction: Direction, kind: u8, length: u32) -> Option<Change> {
        match kind {
            pdu::ASSOCIATE_RQ | pdu::ASSOCIATE_AC => {
                if kind == pdu::ASSOCIATE_RQ {
                    self.request_seen = true;
                    self.requests = direction;
                } else {
                    self.midstream |= !self.request_seen;
                    self.requests = direction.reversed();
                    self.outcome = AssociationOutcome::Accepted;
                }
                let half = self.half(direction);
                half.associate = kind;
                half.left = i64::from(length);
                half.user_information = false;
            }
            pdu::ASSOCIATE_RJ => {
                self.midstream |= !self.request_seen;
                self.requests = direction.reversed();
                self.outcome = AssociationOutcome::Rejected;
            }
            pdu::RELEASE_RQ => self.midstream |= self.outcome == AssociationOutcome::Pending,
            pdu::RELEASE_RP => {
                self.midstream |= self.outcome == AssociationOutcome::Pending;
                self.outcome = AssociationOutcome::Released;
                return Some(Change::Ended);
            }
            pdu::ABORT => {
                self.midstream |= !self.request_seen && self.outcome == AssociationOutcome::Pending;
                self.outcome = AssociationOutcome::Aborted;
            }
            _ => {}
        }
        None
    }

    pub(super) fn half(&mut self, direction: Direction) -> &mut Half {
        &mut self.halves[direction as usize]
    }

    fn acceptor(&self) -> Direction {
        self.requests.reversed()
    }

    pub(super) fn side(&self, direction: Direction) -> Side {
        if direction == self.requests {
            Side::Requestor
        } else {
            Side::Acceptor
        }
    }
}
