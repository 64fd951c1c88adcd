//! What a report of a flow adds to the one before.

use std::num::NonZeroUsize;

use lru::LruCache;
use sensor_facts::observation::{Observation, What};

/// Flows that go on whose bytes are counted already.
const RUNNING: NonZeroUsize = NonZeroUsize::new(65_536).expect("it is not zero");

/// Bytes of a flow since its last report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delta {
    /// From the client.
    pub to_server: u64,
    /// To the client.
    pub to_client: u64,
    /// It is the flow's first report.
    pub first: bool,
    /// The server is outside of the site.
    pub outside: bool,
}

/// Bytes of running flows as they were last reported: from the client, to the client.
pub(super) struct Running(LruCache<u64, (u64, u64)>);

impl Default for Running {
    fn default() -> Self {
        Self(LruCache::new(RUNNING))
    }
}

impl Running {
    /// Bytes of a flow since its last report.
    pub(super) fn delta(&mut self, seen: &Observation) -> Option<Delta> {
        let What::Flow(facts) = &seen.what else {
            return None;
        };
        let all = (facts.to_server.bytes, facts.to_client.bytes);
        let before = if facts.over {
            self.0.pop(&facts.id)
        } else {
            self.0
                .push(facts.id, all)
                .filter(|(id, _)| *id == facts.id)
                .map(|(_, before)| before)
        };
        let (to_server, to_client) = before.unwrap_or_default();
        Some(Delta {
            to_server: all.0.saturating_sub(to_server),
            to_client: all.1.saturating_sub(to_client),
            first: before.is_none(),
            outside: false,
        })
    }
}
