//! A connection that carries HL7.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use sensor_common::{key::Direction, layer7::hl7::COMMIT, tape::Tag};
use sensor_facts::{
    event::{AckTimes, Acknowledgements, Hl7Message, Hl7SessionEnd, Party},
    time::Time,
};

use super::{
    error::Hl7Error,
    header::{Header, parse_acknowledgement, parse_header},
    separators::Separators,
};
use crate::protocol::session::{Record, Skipped};

/// Message types that are counted separately.
const TYPES_MAX: usize = 64;
/// Senders and receivers that are counted separately.
const PARTIES_MAX: usize = 32;
/// Versions that are counted separately.
const VERSIONS_MAX: usize = 8;
/// Messages of one side that wait for an acknowledgement.
const WAITING_MAX: usize = 128;
/// Control ids of one side among which a repetition is found.
const CONTROL_IDS_MAX: usize = 256;

/// The session of one connection.
#[derive(Debug)]
pub(super) struct Hl7State {
    pub(super) initiator: Direction,
    pub(super) sides: [DirectionState; 2],
    pub(super) start: Time,
    pub(super) end: Time,
    pub(super) outcome: Hl7SessionEnd,
    pub(super) midstream: bool,
    pub(super) incomplete: bool,
    pub(super) types: BTreeMap<String, u64>,
    pub(super) senders: Vec<Party>,
    pub(super) receivers: Vec<Party>,
    pub(super) versions: Vec<String>,
    pub(super) acknowledgements: Acknowledgements,
    pub(super) times: AckTimes,
    pub(super) time_sum: u64,
    pub(super) unmatched: u64,
    pub(super) unacknowledged: u64,
    pub(super) repeated: u64,
    pub(super) batches: u64,
    pub(super) commit_acks: u64,
    pub(super) commit_naks: u64,
    pub(super) omitted: u64,
    pub(super) skipped: BTreeMap<String, u64>,
}

#[derive(Debug, Default)]
pub(super) struct DirectionState {
    pub(super) message: Option<Box<Hl7Message>>,
    pub(super) separators: Separators,
    /// The message was acknowledged before its end came, by this code.
    pub(super) answered: Option<String>,
    pub(super) batch: bool,
    pub(super) messages: u64,
    pub(super) bytes: u64,
    pub(super) waiting: VecDeque<Waiting>,
    pub(super) seen: HashSet<u64>,
    pub(super) seen_order: VecDeque<u64>,
}

/// A message without its final acknowledgement.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) control_id: String,
    pub(super) sent: Time,
    /// An accept acknowledgement (CA) came; the application's may follow.
    pub(super) committed: bool,
}

impl Hl7State {
    /// A session of a connection that `initiator`'s sender opened.
    pub(super) fn new(initiator: Direction, midstream: bool, now: Time) -> Self {
        Self {
            initiator,
            sides: [DirectionState::default(), DirectionState::default()],
            start: now,
            end: now,
            outcome: Hl7SessionEnd::Open,
            midstream,
            incomplete: false,
            types: BTreeMap::new(),
            senders: Vec::new(),
            receivers: Vec::new(),
            versions: Vec::new(),
            acknowledgements: Acknowledgements::default(),
            times: AckTimes::default(),
            time_sum: 0,
            unmatched: 0,
            unacknowledged: 0,
            repeated: 0,
            batches: 0,
            commit_acks: 0,
            commit_naks: 0,
            omitted: 0,
            skipped: BTreeMap::new(),
        }
    }

    /// Takes one record of one direction; gives the message that it completes.
    ///
    /// # Errors
    /// [`Hl7Error`] if the record breaks the standard; the session goes on without it.
    pub(super) fn take_record(
        &mut self,
        record: &Record<'_>,
        now: Time,
    ) -> Result<Option<Hl7Message>, Hl7Error> {
        let Record {
            direction,
            tag,
            bytes,
        } = *record;
        self.end = self.end.max(now);
        let short = |what| Hl7Error {
            what,
            offset: bytes.len(),
        };
        match tag {
            Tag::Hl7Header => {
                let header = parse_header(bytes)?.ok_or(short("header segment"))?;
                let side = &mut self.sides[direction as usize];
                // In a batch the next header ends a message; else its end is missing.
                let before = side.message.take();
                let whole = side.batch;
                match header {
                    Header::Message(message, separators) => {
                        side.message = Some(message);
                        side.separators = separators;
                    }
                    Header::Batch => {
                        self.batches += u64::from(!side.batch);
                        side.batch = true;
                    }
                }
                Ok(before.map(|message| self.complete(direction, message, None, whole, now)))
            }
            Tag::Hl7Acknowledgement => {
                let acknowledgement = parse_acknowledgement(bytes)?.ok_or(short("MSA segment"))?;
                if let Some(message) = self.sides[direction as usize].message.as_mut() {
                    message.ack_code = acknowledgement.code;
                    message.ack_control_id = acknowledgement.control_id;
                }
                Ok(None)
            }
            Tag::Hl7End => {
                let length = u32::from_le_bytes(*bytes.first_chunk().ok_or(short("length"))?);
                let side = &mut self.sides[direction as usize];
                side.bytes = side.bytes.saturating_add(u64::from(length));
                let batch = side.batch;
                let message = side.message.take();
                let length = (!batch).then_some(length);
                let message =
                    message.map(|message| self.complete(direction, message, length, true, now));
                self.sides[direction as usize].batch = false;
                Ok(message)
            }
            Tag::Hl7Commit => {
                if bytes.first() == Some(&COMMIT) {
                    self.commit_acks += 1;
                } else {
                    self.commit_naks += 1;
                }
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    /// Bytes were left out.
    pub(super) fn skip(&mut self, skipped: Skipped) {
        self.incomplete |= skipped.add_to(&mut self.skipped);
    }

    /// The sender of `initiator` opened the connection.
    pub(super) fn turn(&mut self, initiator: Direction) {
        self.initiator = initiator;
    }

    /// Something of a direction is missing here; gives the message that it cuts.
    pub(super) fn lose(&mut self, direction: Direction, now: Time) -> Option<Hl7Message> {
        self.incomplete = true;
        let message = self.sides[direction as usize].message.take();
        let message = message.map(|message| self.complete(direction, message, None, false, now));
        self.sides[direction as usize].batch = false;
        message
    }

    /// The connection is over; gives the messages that this cuts.
    pub(super) fn end(&mut self, outcome: Hl7SessionEnd) -> Vec<Hl7Message> {
        self.outcome = outcome;
        let end = self.end;
        [Direction::AToB, Direction::BToA]
            .into_iter()
            .filter_map(|direction| {
                let message = self.sides[direction as usize].message.take()?;
                Some(self.complete(direction, message, None, false, end))
            })
            .collect()
    }

    fn complete(
        &mut self,
        direction: Direction,
        message: Box<Hl7Message>,
        bytes: Option<u32>,
        complete: bool,
        now: Time,
    ) -> Hl7Message {
        let mut message = *message;
        message.to_server = direction == self.initiator;
        message.bytes = bytes;
        message.complete = complete;
        let side = &mut self.sides[direction as usize];
        message.batch = side.batch;
        side.messages += 1;
        let kind = kind_of(&message);
        if self.types.len() < TYPES_MAX || self.types.contains_key(&kind) {
            *self.types.entry(kind).or_default() += 1;
        } else {
            self.omitted += 1;
        }
        // Who acknowledges turns the names around: it is the receiver.
        if !is_answer(&message) {
            let sender = Party {
                application: message.sending_application.clone(),
                facility: message.sending_facility.clone(),
            };
            let receiver = Party {
                application: message.receiving_application.clone(),
                facility: message.receiving_facility.clone(),
            };
            self.omitted += u64::from(!remember(&mut self.senders, sender, PARTIES_MAX));
            self.omitted += u64::from(!remember(&mut self.receivers, receiver, PARTIES_MAX));
        }
        if let Some(version) = message.version.clone() {
            self.omitted += u64::from(!remember(&mut self.versions, version, VERSIONS_MAX));
        }
        if is_answer(&message) {
            message.ack_time_us = self.acknowledge(direction, &message, now);
        } else {
            message.repeated = self.expect(direction, &message, now);
        }
        message
    }

    /// Takes an acknowledgement; gives the time it took, where this is the first for its message.
    fn acknowledge(
        &mut self,
        direction: Direction,
        message: &Hl7Message,
        now: Time,
    ) -> Option<u64> {
        let counts = &mut self.acknowledgements;
        let code = message.ack_code.as_deref().unwrap_or_default();
        *match code {
            "AA" => &mut counts.aa,
            "AE" => &mut counts.ae,
            "AR" => &mut counts.ar,
            "CA" => &mut counts.ca,
            "CE" => &mut counts.ce,
            "CR" => &mut counts.cr,
            _ => &mut counts.other,
        } += 1;
        let separators = self.sides[direction as usize].separators;
        let wanted = message.ack_control_id.as_deref();
        let wanted = wanted.map(|id| separators.plain(id));
        let sender = &mut self.sides[direction.reversed() as usize];
        let waiting = &mut sender.waiting;
        let found = waiting
            .iter()
            .position(|w| Some(&w.control_id) == wanted.as_ref());
        let Some(at) = found else {
            let running = sender
                .message
                .as_ref()
                .and_then(|it| it.control_id.as_deref());
            if wanted.is_some() && running.map(|id| sender.separators.plain(id)) == wanted {
                // Its end is still to come.
                let first = sender.answered.is_none();
                sender.answered = Some(code.to_owned());
                return first.then(|| self.take_time(0));
            }
            self.unmatched += 1;
            return None;
        };
        let first = waiting.get(at).filter(|w| !w.committed).map(|w| w.sent);
        if code == "CA" {
            if let Some(waiting) = waiting.get_mut(at) {
                waiting.committed = true;
            }
        } else {
            waiting.remove(at);
        }
        let taken = u64::try_from(now.0.saturating_sub(first?.0)).unwrap_or(0) / 1_000;
        Some(self.take_time(taken))
    }

    /// Takes the time that an acknowledgement took, in microseconds.
    fn take_time(&mut self, taken: u64) -> u64 {
        let times = &mut self.times;
        times.min_us = if times.count == 0 {
            taken
        } else {
            times.min_us.min(taken)
        };
        times.max_us = times.max_us.max(taken);
        times.count += 1;
        self.time_sum = self.time_sum.saturating_add(taken);
        taken
    }

    /// Takes a message that is to be acknowledged; true if its control id came before.
    fn expect(&mut self, direction: Direction, message: &Hl7Message, now: Time) -> bool {
        let side = &mut self.sides[direction as usize];
        let answered = side.answered.take();
        let Some(control_id) = &message.control_id else {
            return false;
        };
        let control_id = side.separators.plain(control_id);
        let mut hasher = DefaultHasher::new();
        control_id.hash(&mut hasher);
        let name = hasher.finish();
        let repeated = !side.seen.insert(name);
        if repeated {
            self.repeated += 1;
        } else {
            side.seen_order.push_back(name);
            if side.seen_order.len() > CONTROL_IDS_MAX
                && let Some(oldest) = side.seen_order.pop_front()
            {
                side.seen.remove(&oldest);
            }
        }
        let committed = answered.as_deref() == Some("CA");
        if answered.is_some() && !committed {
            return repeated;
        }
        if side.waiting.len() >= WAITING_MAX
            && let Some(oldest) = side.waiting.pop_front()
        {
            self.unacknowledged += u64::from(!oldest.committed);
        }
        side.waiting.push_back(Waiting {
            control_id,
            sent: now,
            committed,
        });
        repeated
    }
}

/// True for an acknowledgement, or a response that holds one (MSA): its sender answers.
pub(super) const fn is_answer(message: &Hl7Message) -> bool {
    message.ack_code.is_some() || message.ack_control_id.is_some()
}

/// The type of a message as in MSH-9, without its structure.
pub(super) fn kind_of(message: &Hl7Message) -> String {
    match (&message.message_code, &message.trigger_event) {
        (Some(code), Some(trigger)) => format!("{code}^{trigger}"),
        (Some(code), None) => code.clone(),
        _ => String::new(),
    }
}

/// Adds `value` to a bounded set; false if there was no room.
fn remember<T: PartialEq>(set: &mut Vec<T>, value: T, max: usize) -> bool {
    if set.contains(&value) {
        return true;
    }
    let room = set.len() < max;
    if room {
        set.push(value);
    }
    room
}
