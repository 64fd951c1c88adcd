//! The connections that are open, in a bounded table that strangers can't empty.
//!
//! One forged message opens a session. So a full table first forgets those of which one side alone was heard, the one that
//! was quiet longest before the others; on a mirror of one direction these are all, and share the room as equals.

use lru::LruCache;

use super::{connection::Connection, sessions::ConnectionId};

/// See the module's description.
#[derive(Debug)]
pub(super) struct Open {
    /// Both sides were heard.
    answered: LruCache<ConnectionId, Connection>,
    /// One side alone was.
    unanswered: LruCache<ConnectionId, Connection>,
    /// Room for both together.
    capacity: usize,
}

impl Open {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            answered: LruCache::unbounded(),
            unanswered: LruCache::unbounded(),
            capacity: capacity.max(1),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.answered.len() + self.unanswered.len()
    }

    pub(super) fn contains(&self, id: &ConnectionId) -> bool {
        self.answered.contains(id) || self.unanswered.contains(id)
    }

    /// The connection, which is used now.
    pub(super) fn get_mut(&mut self, id: &ConnectionId) -> Option<&mut Connection> {
        if self.answered.contains(id) {
            return self.answered.get_mut(id);
        }
        self.unanswered.get_mut(id)
    }

    pub(super) fn peek_mut(&mut self, id: &ConnectionId) -> Option<&mut Connection> {
        if self.answered.contains(id) {
            return self.answered.peek_mut(id);
        }
        self.unanswered.peek_mut(id)
    }

    /// Adds a connection of which nothing was heard yet; the one that makes room for it.
    pub(super) fn push(&mut self, id: ConnectionId, connection: Connection) -> Option<Connection> {
        let full = self.len() >= self.capacity;
        let oldest = full.then(|| {
            let stranger = self.unanswered.pop_lru();
            stranger.or_else(|| self.answered.pop_lru())
        });
        self.unanswered.push(id, connection);
        oldest.flatten().map(|(_, connection)| connection)
    }

    /// Both sides of a connection were heard.
    pub(super) fn answered(&mut self, id: &ConnectionId) {
        if let Some(connection) = self.unanswered.pop(id) {
            self.answered.push(*id, connection);
        }
    }

    pub(super) fn pop(&mut self, id: &ConnectionId) -> Option<Connection> {
        self.answered.pop(id).or_else(|| self.unanswered.pop(id))
    }

    /// The next connection that was last heard so long ago that `is_over` says so.
    pub(super) fn pop_quiet(
        &mut self,
        is_over: impl Fn(&Connection) -> bool,
    ) -> Option<Connection> {
        for table in [&mut self.answered, &mut self.unanswered] {
            if table.peek_lru().is_some_and(|(_, oldest)| is_over(oldest)) {
                return table.pop_lru().map(|(_, connection)| connection);
            }
        }
        None
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Connection> {
        let all = self.answered.iter().chain(self.unanswered.iter());
        all.map(|(_, connection)| connection)
    }
}
