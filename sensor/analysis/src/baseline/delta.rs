//! What a report of a flow adds to the one before.

use sensor_facts::observation::{Observation, What};

use super::Baselines;

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

impl Baselines {
    /// Bytes of a flow since its last report.
    pub fn delta(&mut self, seen: &Observation) -> Option<Delta> {
        let What::Flow(facts) = &seen.what else {
            return None;
        };
        let all = (facts.to_server.bytes, facts.to_client.bytes);
        let before = if facts.over {
            self.running.pop(&facts.id)
        } else {
            self.running
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
