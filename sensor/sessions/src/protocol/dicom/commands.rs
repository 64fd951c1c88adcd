//! What was asked and answered in an association.

use std::collections::BTreeMap;

use sensor_facts::event::{CommandCounts, CommandSummary, Responses, Side, SubOperations};

use super::{
    command::{CANCEL, CommandSet, StatusClass},
    error::DicomError,
    names::{self, RESPONSE, Uid},
};

/// Commands and SOP classes that are counted separately.
const ENTRIES_MAX: usize = 128;
/// Requests that wait for their last response.
const PENDING_MAX: usize = 128;
/// Status codes that are counted separately for each command.
const STATUSES_MAX: usize = 16;
/// Move destinations that are kept.
const DESTINATIONS_MAX: usize = 32;

/// Whether a command asked or answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// It asked for something.
    Request,
    /// It answered a request.
    Response,
}

/// The tally of an association's commands.
#[derive(Debug, Default)]
pub(super) struct Commands {
    entries: Vec<Entry>,
    pending: Vec<Pending>,
    // Index of the entry, and whether a request, whose data set each side sends next.
    data_of: [Option<(usize, Asked)>; 2],
    destinations: Vec<String>,
    data_bytes: [u64; 2],
    omitted: u64,
}

#[derive(Debug)]
struct Entry {
    scu: Side,
    command: u16,
    sop_class: Option<Uid>,
    requests: u64,
    responses: Responses,
    statuses: BTreeMap<u16, u64>,
    sub_operations: Option<SubOperations>,
    data_bytes: [u64; 2],
    unfinished: u64,
    message_ids: Option<(u16, u16)>,
}

/// A request without its last response.
#[derive(Debug)]
struct Pending {
    scu: Side,
    message_id: u16,
    entry: usize,
    /// As the latest response has them.
    sub_operations: Option<SubOperations>,
}

impl Commands {
    /// Takes a whole command set that `from` sent.
    pub(super) fn command(&mut self, from: Side, set: CommandSet) -> Result<Asked, DicomError> {
        let field = set.field.ok_or(DicomError {
            what: "command set without its field",
            offset: 0,
        })?;
        let has_data = set.has_data_set();
        let (entry, asked) = if field & RESPONSE == 0 {
            (self.request(from, field, set), Asked::Request)
        } else {
            (
                self.response(from.other(), field & !RESPONSE, set),
                Asked::Response,
            )
        };
        self.data_of[from.index()] = entry.filter(|_| has_data).map(|entry| (entry, asked));
        Ok(asked)
    }

    fn request(&mut self, scu: Side, field: u16, set: CommandSet) -> Option<usize> {
        if let Some(title) = set.destination
            && !self.destinations.contains(&title)
        {
            if self.destinations.len() < DESTINATIONS_MAX {
                self.destinations.push(title);
            } else {
                self.omitted += 1;
            }
        }
        let cancelled = set.responds_to.filter(|_| field == CANCEL);
        let cancelled = cancelled.and_then(|id| self.find_pending(scu, id));
        let sop_class = match cancelled {
            // C-CANCEL names only the message it cancels.
            Some(at) => self
                .pending
                .get(at)
                .and_then(|p| self.entries.get(p.entry)?.sop_class.clone()),
            None => set.sop_class,
        };
        let at = self.entry(scu, field, sop_class)?;
        let entry = self.entries.get_mut(at)?;
        entry.requests += 1;
        let id = set.message_id?;
        let first = entry.message_ids.map_or(id, |(first, _)| first);
        entry.message_ids = Some((first, id));
        if let Some(old) = self.find_pending(scu, id) {
            self.settle(old);
        }
        if self.pending.len() >= PENDING_MAX {
            self.settle(0);
        }
        self.pending.push(Pending {
            scu,
            message_id: id,
            entry: at,
            sub_operations: None,
        });
        Some(at)
    }

    fn response(&mut self, scu: Side, field: u16, set: CommandSet) -> Option<usize> {
        let pending = set.responds_to.and_then(|id| self.find_pending(scu, id));
        let entry = pending
            .and_then(|at| self.pending.get(at))
            .map(|pending| pending.entry);
        let at = match entry {
            Some(at)
                if self
                    .entries
                    .get(at)
                    .is_some_and(|entry| entry.command == field) =>
            {
                at
            }
            _ => self.entry(scu, field, set.sop_class)?,
        };
        let entry = self.entries.get_mut(at)?;
        let status = set.status.unwrap_or(0);
        let class = StatusClass::of(status);
        let responses = &mut entry.responses;
        match class {
            StatusClass::Success => responses.success += 1,
            StatusClass::Pending => responses.pending += 1,
            StatusClass::Warning => responses.warning += 1,
            StatusClass::Failure => responses.failure += 1,
            StatusClass::Cancel => responses.cancel += 1,
        }
        if !matches!(class, StatusClass::Success | StatusClass::Pending) {
            if entry.statuses.len() < STATUSES_MAX || entry.statuses.contains_key(&status) {
                *entry.statuses.entry(status).or_default() += 1;
            } else {
                self.omitted += 1;
            }
        }
        let reported = [set.remaining, set.completed, set.failed, set.warning];
        let reported = reported.iter().any(Option::is_some).then(|| SubOperations {
            remaining: u64::from(set.remaining.unwrap_or(0)),
            completed: u64::from(set.completed.unwrap_or(0)),
            failed: u64::from(set.failed.unwrap_or(0)),
            warning: u64::from(set.warning.unwrap_or(0)),
        });
        match pending {
            Some(waiting) => {
                if let Some(pending) = self.pending.get_mut(waiting) {
                    pending.sub_operations = reported.or(pending.sub_operations);
                }
                if class != StatusClass::Pending {
                    self.settle(waiting);
                }
            }
            // Of a request before the capture: its last response has the totals.
            None if class != StatusClass::Pending => add(&mut entry.sub_operations, reported),
            None => {}
        }
        Some(at)
    }

    /// Takes the size of a data set that `from` sent, whole or as far as it came.
    pub(super) fn data_set(&mut self, from: Side, bytes: u64, complete: bool) {
        let side = from.index();
        self.data_bytes[side] = self.data_bytes[side].saturating_add(bytes);
        if let Some((entry, asked)) = self.data_of[side].take()
            && let Some(entry) = self.entries.get_mut(entry)
        {
            let sum = &mut entry.data_bytes[usize::from(asked == Asked::Response)];
            *sum = sum.saturating_add(bytes);
            entry.unfinished += u64::from(!complete);
        }
    }

    /// Bytes of data sets that `side` sent.
    pub(super) fn data_bytes(&self, side: Side) -> u64 {
        self.data_bytes[side.index()]
    }

    /// AE titles to which C-MOVE requests had images sent.
    pub(super) fn destinations(&self) -> &[String] {
        &self.destinations
    }

    /// Things left out because they were too many.
    pub(super) fn omitted(&self) -> u64 {
        self.omitted
    }

    /// True if the acceptor answered something of which no request was read.
    pub(super) fn lacks_requests(&self) -> bool {
        self.entries.iter().any(|entry| {
            entry.scu == Side::Requestor
                && entry.requests == 0
                && entry.responses != Responses::default()
        })
    }

    /// The tally as events have it.
    pub(super) fn summaries(&self) -> Vec<CommandSummary> {
        self.entries
            .iter()
            .enumerate()
            .map(|(at, entry)| {
                let mut sub_operations = entry.sub_operations;
                for pending in self.pending.iter().filter(|pending| pending.entry == at) {
                    add(&mut sub_operations, pending.sub_operations);
                }
                let [request_data_bytes, response_data_bytes] = entry.data_bytes;
                let name = names::command(entry.command);
                CommandSummary {
                    scu: entry.scu,
                    command: name.map_or_else(|| format!("{:04X}", entry.command), str::to_owned),
                    sop_class: entry.sop_class.as_ref().map(Uid::named),
                    counts: CommandCounts {
                        requests: entry.requests,
                        responses: entry.responses,
                        statuses: entry
                            .statuses
                            .iter()
                            .map(|(status, count)| (format!("{status:04X}"), *count))
                            .collect(),
                        sub_operations,
                        request_data_bytes,
                        response_data_bytes,
                        unfinished_data_sets: entry.unfinished,
                        first_message_id: entry.message_ids.map(|(first, _)| first),
                        last_message_id: entry.message_ids.map(|(_, last)| last),
                    },
                }
            })
            .collect()
    }

    fn entry(&mut self, scu: Side, command: u16, sop_class: Option<Uid>) -> Option<usize> {
        let same = |e: &Entry| e.scu == scu && e.command == command && e.sop_class == sop_class;
        if let Some(at) = self.entries.iter().position(same) {
            return Some(at);
        }
        if self.entries.len() >= ENTRIES_MAX {
            self.omitted += 1;
            return None;
        }
        self.entries.push(Entry {
            scu,
            command,
            sop_class,
            requests: 0,
            responses: Responses::default(),
            statuses: BTreeMap::new(),
            sub_operations: None,
            data_bytes: [0; 2],
            unfinished: 0,
            message_ids: None,
        });
        Some(self.entries.len() - 1)
    }

    fn find_pending(&self, scu: Side, message_id: u16) -> Option<usize> {
        self.pending
            .iter()
            .position(|p| p.scu == scu && p.message_id == message_id)
    }

    /// Ends the wait of a request.
    fn settle(&mut self, at: usize) {
        let pending = self.pending.remove(at);
        if let Some(entry) = self.entries.get_mut(pending.entry) {
            add(&mut entry.sub_operations, pending.sub_operations);
        }
    }
}

fn add(sum: &mut Option<SubOperations>, more: Option<SubOperations>) {
    if let Some(more) = more {
        let sum = sum.get_or_insert_default();
        sum.completed += more.completed;
        sum.failed += more.failed;
        sum.warning += more.warning;
        sum.remaining += more.remaining;
    }
}
