//! Flows: recorded, and scored by a model where there is one.

use sensor_facts::{observation::Observation, time::Time};

use super::Analysis;
use crate::{
    baseline::{Fact, Familiar},
    model::{Row, ScoreRequest, Scored, Scorer},
};

impl Analysis {
    /// Has a flow scored, and records it unless its device is suspected.
    pub(super) fn ask(&mut self, seen: &Observation) {
        let (client, server, time) = (seen.client.ip(), seen.server.ip(), seen.time);
        let record = self.recorded.wants(time, client) && !self.alerts.suspects(client);
        if !record && self.scorer.is_none() {
            return;
        }
        let Some(row) = Row::of(seen) else {
            return;
        };
        if record {
            self.recorded.take(&row);
        }
        if let Some(scorer) = &mut self.scorer {
            let peer = Fact::Peer(server);
            let familiar = self.known.baselines.familiar(client, &peer, row.time);
            scorer.ask(ScoreRequest {
                new_peer: familiar != Familiar::Known,
                row,
            });
            if scorer.has_many() {
                self.take_scores(time);
            }
        }
    }

    /// Tells the detectors what the model said of late. Where a thread scores, to be called soon after observations.
    pub fn take_scores(&mut self, now: Time) {
        let scored: Vec<Scored> = self.scorer.as_mut().map_or_else(Vec::new, Scorer::take);
        let site = self.known.site(now, None);
        self.detectors.scored(&scored, &site);
    }
}
