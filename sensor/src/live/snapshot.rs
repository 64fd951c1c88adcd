//! The daemon's state at one moment: for status, metrics and `stats` events.

use std::{collections::BTreeMap, sync::Arc};

use sensor_analysis::{Account, model};
use sensor_common::counter::{Counter, Counters};
use sensor_evidence::store::StoreStatus;
use sensor_facts::time::Time;
use sensor_kernel::{Attached, Occupancy};
use sensor_output::OutputStats;
use sensor_sessions::pipeline::PipelineStats;

use super::{mirror::Health, tally::Tally};
use crate::live::responder::Summary;

/// An interface with its counters.
#[derive(Clone, Debug)]
pub struct InterfaceSnapshot {
    /// How it is attached.
    pub attached: Attached,
    /// Its counters since its program was attached, over all CPUs.
    pub counters: Counters,
    /// What of them is of earlier daemons' time.
    pub inherited: Counters,
    /// How what it brings fares.
    pub health: Health,
}

/// Where the flow entries are, of all that were made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlowAccount {
    /// Flows that the sweeper ended.
    pub swept: u64,
    /// Entries in the tables, by the last complete sweep.
    pub live: u64,
    /// Entries of new flows that the kernel removed to make room, unreported:
    /// created - (ended by the sweeper + replaced) - live, by the last complete sweep.
    pub evicted: u64,
}

/// The daemon's state at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// When it was taken.
    pub time: Time,
    /// When the daemon began to listen.
    pub start: Time,
    /// The interfaces.
    pub interfaces: Vec<InterfaceSnapshot>,
    /// Entries in the flow tables, by the last complete sweep.
    pub tables: Occupancy,
    /// What became of the flows.
    pub flows: FlowAccount,
    /// The established table is so full that only clinical flows may enter it.
    pub pressure: bool,
    /// What the pipeline did.
    pub pipeline: PipelineStats,
    /// Ring records that it took from what earlier daemons left.
    pub left_over: LeftOver,
    /// What was seen of DICOM and HL7.
    pub tally: Tally,
    /// How containment stands.
    pub containment: Arc<Summary>,
    /// Packets and ring events of the last minute, and how many of these were lost to the evidence.
    pub loss: (u64, u64),
    /// How alerts and baselines stand.
    pub analysis: Arc<Account>,
    /// Observations that did not get to the analysis, because it was too slow.
    pub unobserved: u64,
    /// The anomaly models in use, and what they scored.
    pub model: model::Summary,
    /// What the outputs did.
    pub outputs: Vec<OutputStats>,
    /// How the store stands, where there is one.
    pub store: Option<StoreStatus>,
    /// The configuration in force.
    pub configuration: Configuration,
}

/// The configuration in force, and what became of the file since.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    /// BLAKE3 of it, in hex.
    pub hash: String,
    /// When it was put in force.
    pub since: Time,
    /// Keys that are another in the file and take a restart.
    pub restart: Vec<&'static str>,
    /// The last reload, if it failed.
    pub failed: Option<FailedReload>,
}

/// A reload that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedReload {
    /// When it was tried.
    pub time: Time,
    /// What is wrong.
    pub error: String,
}

/// Ring records of earlier daemons, which this one has read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOver {
    /// All records.
    pub records: u64,
    /// Flow events.
    pub flows: u64,
    /// Layer-7 events.
    pub chunks: u64,
}

/// Records of one kind in the ring buffer. At a quiet moment `offered = received + lost`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RingAccount {
    /// Offered by the kernel.
    pub offered: u64,
    /// Received by the daemon.
    pub received: u64,
    /// Not taken by the ring buffer, being full.
    pub lost: u64,
}

impl Snapshot {
    /// A counter's sum over all interfaces.
    #[must_use]
    pub fn total(&self, counter: Counter) -> u64 {
        let values = self.interfaces.iter().map(|one| one.counters.get(counter));
        values.sum()
    }

    /// A counter's sum over all interfaces in this daemon's time.
    fn since_start(&self, counter: Counter) -> u64 {
        let inherited = self.interfaces.iter().map(|one| one.inherited.get(counter));
        self.total(counter) - inherited.sum::<u64>()
    }

    /// Flow events in this daemon's ring buffer.
    #[must_use]
    pub fn ring_flows(&self) -> RingAccount {
        RingAccount {
            offered: self.since_start(Counter::FlowEvents),
            received: self.pipeline.flow_records - self.left_over.flows,
            lost: self.since_start(Counter::FlowEventsLost),
        }
    }

    /// Layer-7 events in this daemon's ring buffer.
    #[must_use]
    pub fn ring_chunks(&self) -> RingAccount {
        RingAccount {
            offered: self.since_start(Counter::ChunkEvents),
            received: self.pipeline.chunks - self.left_over.chunks,
            lost: self.since_start(Counter::ChunkEventsLost),
        }
    }

    /// All events in the ring buffer, bad records among the received ones.
    #[must_use]
    pub fn ring(&self) -> RingAccount {
        let (flows, chunks) = (self.ring_flows(), self.ring_chunks());
        RingAccount {
            offered: flows.offered + chunks.offered,
            received: self.pipeline.records - self.left_over.records,
            lost: flows.lost + chunks.lost,
        }
    }

    /// The counters of a `stats` event, by name.
    #[must_use]
    pub fn stats(&self) -> BTreeMap<String, u64> {
        let ring = self.ring();
        let mut stats: BTreeMap<String, u64> = Counter::ALL
            .iter()
            .map(|counter| (counter.label().to_owned(), self.total(*counter)))
            .collect();
        let more = [
            ("ring_offered", ring.offered),
            ("ring_received", ring.received),
            ("ring_lost", ring.lost),
            ("ring_bad", self.pipeline.bad()),
            ("chunks_lost", self.pipeline.chunks_lost),
            ("flows_live", self.flows.live),
            ("flows_swept", self.flows.swept),
            ("flows_evicted", self.flows.evicted),
            ("sessions_open", self.pipeline.sessions_open),
            ("associations", self.pipeline.associations),
            ("hl7_messages", self.pipeline.hl7_messages),
            ("flows_scored", self.model.flows.scored),
            ("flows_strange", self.model.flows.strange),
            (
                "flows_not_scored",
                self.model.flows.queue_full + self.model.flows.no_model + self.model.flows.failed,
            ),
        ];
        stats.extend(more.map(|(name, value)| (name.to_owned(), value)));
        for output in &self.outputs {
            let all = [
                ("events", output.events),
                ("dropped_queue_full", output.dropped_queue_full),
                ("dropped_write_error", output.dropped_write_error),
            ];
            stats
                .extend(all.map(|(what, value)| (format!("output_{}_{what}", output.name), value)));
        }
        stats
    }
}
