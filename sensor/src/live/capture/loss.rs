//! The share of traffic that was lost. Beyond a limit the policy no longer acts by itself.

use sensor_common::counter::Counter;
use sensor_sessions::pipeline::PipelineStats;

/// Counters of layer-7 data that the sensor did not read, beside the records that the ring buffer did not take.
const UNREAD: [Counter; 5] = [
    Counter::TcpGapLost,
    Counter::L7Desync,
    Counter::L7Budget,
    Counter::TcpHeldFull,
    Counter::TcpHeldLost,
];

/// What was offered and lost so far: packets, ring events, and what was made of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Loss {
    pub(super) offered: u64,
    pub(super) lost: u64,
}

/// What was lost behind the ring buffer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Behind {
    /// Flows that were evicted before they were reported while flows of both directions may have been among them. At other
    /// times a flood of made-up flows pushes out its own kind alone, which convicts and clears nobody.
    pub(super) flows: u64,
    /// Observations that the detectors did not get.
    pub(super) observations: u64,
}

impl Loss {
    /// From the sums of the kernel's counters, the pipeline's counters, and what was lost behind them.
    pub(super) fn of(
        sum: impl Fn(Counter) -> u64,
        pipeline: &PipelineStats,
        behind: Behind,
    ) -> Self {
        let unprocessed = Counter::DISPOSITIONS
            .iter()
            .filter(|one| one.is_unprocessed());
        Self {
            offered: sum(Counter::Packets) + sum(Counter::FlowEvents) + sum(Counter::ChunkEvents),
            lost: unprocessed.map(|one| sum(*one)).sum::<u64>()
                + sum(Counter::FlowEventsLost)
                + sum(Counter::ChunkEventsLost)
                + UNREAD.iter().map(|one| sum(*one)).sum::<u64>()
                + pipeline.sessions_evicted_answered
                + pipeline.missing()
                + pipeline.bad()
                + behind.flows
                + behind.observations,
        }
    }

    /// What was added since `before`.
    pub(super) const fn since(self, before: Self) -> Self {
        Self {
            offered: self.offered.saturating_sub(before.offered),
            lost: self.lost.saturating_sub(before.lost),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(one: Option<Counter>, pipeline: &PipelineStats, behind: Behind) -> u64 {
        Loss::of(|counter| u64::from(Some(counter) == one), pipeline, behind).lost
    }

    #[test]
    fn every_way_of_losing_evidence_counts() {
        let (whole, nothing) = (PipelineStats::default(), Behind::default());
        assert_eq!(lost(None, &whole, nothing), 0);
        for counter in Counter::ALL {
            let name = counter.label();
            let expected =
                counter.is_unprocessed() || name.ends_with("_lost") || UNREAD.contains(counter);
            let counted = lost(Some(*counter), &whole, nothing);
            assert_eq!(counted, u64::from(expected), "{name}");
        }
        let behind = Behind {
            flows: 1,
            ..nothing
        };
        assert_eq!(lost(None, &whole, behind), 1, "evicted flows");
        let mut forged = whole.clone();
        forged.sessions_evicted = 1;
        assert_eq!(lost(None, &forged, nothing), 0, "sessions of one side");
        let behind = Behind {
            observations: 1,
            ..nothing
        };
        assert_eq!(lost(None, &whole, behind), 1, "observations");
        let mut bad = whole.clone();
        bad.bad_records.insert("version".to_owned(), 1);
        assert_eq!(lost(None, &bad, nothing), 1, "bad records");
        for (name, set) in [
            (
                "sessions",
                (|it| it.sessions_evicted_answered = 1) as fn(&mut PipelineStats),
            ),
            ("incomplete", |it| it.elements_incomplete = 1),
            ("oversize", |it| it.elements_oversize = 1),
            ("malformed", |it| it.elements_malformed = 1),
        ] {
            let mut stats = whole.clone();
            set(&mut stats);
            assert_eq!(lost(None, &stats, nothing), 1, "{name}");
        }
    }

    #[test]
    fn only_what_is_new_counts() {
        let at = |offered, lost| Loss { offered, lost };
        assert_eq!(at(110, 12).since(at(100, 10)), at(10, 2));
        assert_eq!(at(5, 0).since(at(100, 10)), at(0, 0), "counters began anew");
    }
}
