//! A session as events have it.

use sensor_facts::event::{AckTimes, Hl7SessionSummary};

use super::state::Hl7State;

impl Hl7State {
    /// The session as events have it.
    pub(super) fn summary(&self) -> Hl7SessionSummary {
        let to_server = &self.sides[self.initiator as usize];
        let to_client = &self.sides[self.initiator.reversed() as usize];
        let waiting = self.sides.iter().flat_map(|side| &side.waiting);
        let acks = self.acknowledgements;
        let times = self.times;
        Hl7SessionSummary {
            start: self.start,
            end: self.end,
            outcome: self.outcome,
            midstream: self.midstream,
            incomplete: self.incomplete,
            messages: to_server.messages + to_client.messages,
            to_server: to_server.messages,
            to_client: to_client.messages,
            bytes_to_server: to_server.bytes,
            bytes_to_client: to_client.bytes,
            types: self.types.clone(),
            senders: self.senders.clone(),
            receivers: self.receivers.clone(),
            versions: self.versions.clone(),
            acknowledgements: acks,
            nak_ratio: ratio(acks.negative(), acks.total()),
            ack_times: (times.count > 0).then(|| AckTimes {
                mean_us: self.time_sum / times.count,
                ..times
            }),
            unmatched_acks: self.unmatched,
            unacknowledged: self.unacknowledged
                + waiting.filter(|waiting| !waiting.committed).count() as u64,
            repeated_control_ids: self.repeated,
            batches: self.batches,
            commit_acks: self.commit_acks,
            commit_naks: self.commit_naks,
            omitted: self.omitted,
            skipped: self.skipped.clone(),
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a ratio; counts stay far below 2^52"
)]
fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
