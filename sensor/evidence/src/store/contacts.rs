//! Contacts in sum, from what flows report of themselves.
//!
//! A flow that goes on reports all that it had so far, so what counts is what came since the report before: its
//! *mark*. Marks are in the store too, so a restart counts nothing twice. Bytes count for the hour of the flow's last
//! packet.

use std::{collections::HashMap, net::IpAddr, num::NonZeroUsize};

use lru::LruCache;
use rusqlite::{Connection, Transaction, params};
use sensor_facts::event::{Event, FlowReport};

use super::time::{hour, int, micros};

/// Flows that go on and are kept in mind.
const MARKS: usize = 1 << 18;

/// How far a flow is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Mark {
    /// When it began; of one that an earlier daemon left, at the latest.
    start: i64,
    /// Its last packet.
    last: i64,
    to_server: u64,
    to_client: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    hour: i64,
    client: IpAddr,
    server: IpAddr,
    proto: String,
    port: i64,
    app: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sum {
    first: i64,
    last: i64,
    flows: u64,
    refused: u64,
    to_server: u64,
    to_client: u64,
}

/// See the module's description.
#[derive(Debug)]
pub(super) struct Contacts {
    marks: LruCache<u64, Mark>,
    /// When the latest of the flows began whose marks made room: an unknown one that began before may be one of them.
    forgotten: i64,
    sums: HashMap<Key, Sum>,
    /// Marks that changed since the last commit; none: it is over.
    changed: HashMap<u64, Option<Mark>>,
}

impl Default for Contacts {
    fn default() -> Self {
        Self::with_room(MARKS)
    }
}

impl Contacts {
    fn with_room(marks: usize) -> Self {
        Self {
            marks: LruCache::new(NonZeroUsize::new(marks).unwrap_or(NonZeroUsize::MIN)),
            forgotten: i64::MIN,
            sums: HashMap::new(),
            changed: HashMap::new(),
        }
    }

    /// Reads the marks that an earlier daemon left.
    pub(super) fn recall(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut statement = connection.prepare(
            "SELECT flow_id, last, bytes_to_server, bytes_to_client FROM mark ORDER BY last",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let count = |index| row.get::<_, i64>(index).map(i64::unsigned_abs);
            let mark = Mark {
                start: row.get(1)?,
                last: row.get(1)?,
                to_server: count(2)?,
                to_client: count(3)?,
            };
            let id = count(0)?;
            // What this daemon knows is later.
            if !self.marks.contains(&id) {
                self.keep(id, mark);
            }
        }
        Ok(())
    }

    fn keep(&mut self, id: u64, mark: Mark) {
        if let Some((old, gone)) = self.marks.push(id, mark)
            && old != id
        {
            self.forgotten = self.forgotten.max(gone.start);
            self.changed.insert(old, None);
        }
    }

    /// Takes what a flow reports.
    pub(super) fn take(&mut self, event: &Event, flow: &FlowReport) {
        let (Some(id), Some(client), Some(server)) = (event.flow_id, event.src_ip, event.dest_ip)
        else {
            return;
        };
        let (start, last) = (micros(flow.start), micros(flow.end));
        let maybe_forgotten = start <= self.forgotten;
        let now = Mark {
            start,
            last,
            to_server: flow.to_server.bytes,
            to_client: flow.to_client.bytes,
        };
        let over = flow.reason.is_over();
        let before = if over {
            let known = self.marks.pop(&id);
            if known.is_some() {
                self.changed.insert(id, None);
            }
            known
        } else {
            let known = self.marks.peek(&id).copied();
            self.keep(id, now);
            self.changed.insert(id, Some(now));
            known
        };
        if before.is_none() && maybe_forgotten {
            return;
        }
        let begun = before.map_or(start, |mark| mark.last);
        let counted = before.unwrap_or_default();
        let hour = hour(last);
        let key = Key {
            hour,
            client,
            server,
            proto: event.proto.as_deref().unwrap_or_default().to_owned(),
            port: event.dest_port.map_or(-1, i64::from),
            app: flow.app_proto.as_deref().unwrap_or_default().to_owned(),
        };
        let new = Sum {
            first: begun.max(hour).min(last),
            last,
            flows: u64::from(before.is_none()),
            refused: u64::from(over && is_refused(event, flow)),
            to_server: now.to_server.saturating_sub(counted.to_server),
            to_client: now.to_client.saturating_sub(counted.to_client),
        };
        self.sums
            .entry(key)
            .and_modify(|sum| sum.add(&new))
            .or_insert(new);
    }

    /// Adds what came since the last commit.
    pub(super) fn write(&self, to: &Transaction<'_>) -> rusqlite::Result<()> {
        let mut upsert = to.prepare_cached(
            "INSERT INTO contact VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET
                 first = min(first, excluded.first), last = max(last, excluded.last),
                 flows = flows + excluded.flows, refused = refused + excluded.refused,
                 bytes_to_server = bytes_to_server + excluded.bytes_to_server,
                 bytes_to_client = bytes_to_client + excluded.bytes_to_client",
        )?;
        for (key, sum) in &self.sums {
            upsert.execute(params![
                key.hour,
                key.client.to_string(),
                key.server.to_string(),
                key.proto,
                key.port,
                key.app,
                sum.first,
                sum.last,
                int(sum.flows),
                int(sum.refused),
                int(sum.to_server),
                int(sum.to_client),
            ])?;
        }
        let mut set = to.prepare_cached("INSERT OR REPLACE INTO mark VALUES (?, ?, ?, ?)")?;
        let mut clear = to.prepare_cached("DELETE FROM mark WHERE flow_id = ?")?;
        for (id, mark) in &self.changed {
            match mark {
                Some(mark) => set.execute(params![
                    int(*id),
                    mark.last,
                    int(mark.to_server),
                    int(mark.to_client)
                ])?,
                None => clear.execute([int(*id)])?,
            };
        }
        Ok(())
    }

    /// What was written is committed.
    pub(super) fn committed(&mut self) {
        self.sums.clear();
        self.changed.clear();
    }
}

impl Sum {
    fn add(&mut self, other: &Self) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.flows += other.flows;
        self.refused += other.refused;
        self.to_server += other.to_server;
        self.to_client += other.to_client;
    }
}

/// Nothing but handshakes and resets came back.
pub(crate) fn is_refused(event: &Event, flow: &FlowReport) -> bool {
    let (out, back) = (&flow.to_server, &flow.to_client);
    let answered = out.packets > 0 && back.packets > 0;
    if event.proto.as_deref() != Some("TCP") {
        return !answered;
    }
    let established = out.packets > u64::from(out.syn) && (back.syn > 0 || back.payload_bytes > 0);
    !(answered && established)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{NOON, SECOND, flow};
    use sensor_facts::event::FlowWhy;

    fn take(contacts: &mut Contacts, id: u64, seconds: (i64, i64), why: FlowWhy, bytes: u64) {
        let [start, end] = [seconds.0, seconds.1].map(|at| NOON + at * SECOND);
        let event = flow(id, start, end, why, (bytes, 0));
        if let sensor_facts::event::Body::Flow { flow } = &event.body {
            contacts.take(&event, flow);
        }
    }

    fn sum(contacts: &Contacts) -> (u64, u64) {
        let sums = contacts.sums.values();
        sums.fold((0, 0), |(flows, bytes), one| {
            (flows + one.flows, bytes + one.to_server)
        })
    }

    #[test]
    fn what_was_forgotten_for_want_of_room_is_not_counted_twice() {
        let mut contacts = Contacts::with_room(2);
        for id in 1..=3 {
            let at = i64::try_from(id).expect("small");
            take(&mut contacts, id, (at, 10 + at), FlowWhy::Active, 1_000);
        }
        assert_eq!(sum(&contacts), (3, 3_000));
        // The first made room. Its next report is where it is counted from now on.
        take(&mut contacts, 1, (1, 20), FlowWhy::Active, 1_500);
        assert_eq!(sum(&contacts), (3, 3_000));
        take(&mut contacts, 1, (1, 30), FlowWhy::Closed, 1_600);
        assert_eq!(sum(&contacts), (3, 3_100));
        // One that began after all that was forgotten is new.
        take(&mut contacts, 9, (50, 60), FlowWhy::Closed, 7);
        assert_eq!(sum(&contacts), (4, 3_107));
    }
}
