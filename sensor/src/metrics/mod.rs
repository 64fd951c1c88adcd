//! Metrics for Prometheus: one [table], from which the registry and `docs/metrics.md` are made.

pub mod docs;
pub mod sample;
mod server;
pub mod table;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use prometheus::{
    Encoder, Registry, TextEncoder,
    core::{Collector, Desc},
    proto::{Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType},
};
use sensor_facts::lock::lock;

use crate::live::snapshot::Snapshot;

pub use server::serve;

use self::{
    sample::{MetricKind, Row, Sample},
    table::TABLE,
};

/// The exposition of snapshots.
#[derive(Clone, Debug)]
pub struct Exposition {
    registry: Registry,
    snapshot: Arc<Mutex<Option<Snapshot>>>,
}

impl Exposition {
    /// Registers every row of the table.
    ///
    /// # Errors
    /// When the table breaks the rules for names.
    pub fn new() -> prometheus::Result<Self> {
        let snapshot = Arc::new(Mutex::new(None));
        let descriptions = TABLE.iter().map(describe).collect::<Result<_, _>>()?;
        let registry = Registry::new();
        registry.register(Box::new(Rows {
            descriptions,
            snapshot: Arc::clone(&snapshot),
        }))?;
        Ok(Self { registry, snapshot })
    }

    /// A snapshot as text, in the format 0.0.4.
    ///
    /// # Errors
    /// When a row gives two values under the same labels.
    pub fn text(&self, snapshot: Snapshot) -> prometheus::Result<Vec<u8>> {
        *lock(&self.snapshot) = Some(snapshot);
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(text)
    }
}

fn describe(row: &Row) -> prometheus::Result<Desc> {
    Desc::new(
        row.name.into(),
        row.help.into(),
        row.labels.iter().map(|label| (*label).into()).collect(),
        HashMap::new(),
    )
}

/// The table as a collector.
struct Rows {
    descriptions: Vec<Desc>,
    snapshot: Arc<Mutex<Option<Snapshot>>>,
}

impl Collector for Rows {
    fn desc(&self) -> Vec<&Desc> {
        self.descriptions.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let snapshot = lock(&self.snapshot);
        let families = snapshot
            .iter()
            .flat_map(|snapshot| TABLE.iter().map(|row| family(row, (row.read)(snapshot))));
        families.collect()
    }
}

fn family(row: &Row, samples: Vec<Sample>) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(row.name.into());
    family.set_help(row.help.into());
    family.set_field_type(match row.kind {
        MetricKind::Counter => MetricType::COUNTER,
        MetricKind::Gauge => MetricType::GAUGE,
    });
    family.set_metric(
        samples
            .into_iter()
            .map(|sample| metric(row, sample))
            .collect(),
    );
    family
}

fn metric(row: &Row, sample: Sample) -> Metric {
    let labels = row.labels.iter().zip(sample.labels).map(|(name, value)| {
        let mut pair = LabelPair::default();
        pair.set_name((*name).into());
        pair.set_value(value);
        pair
    });
    let mut metric = Metric::from_label(labels.collect());
    match row.kind {
        MetricKind::Counter => {
            let mut counter = Counter::default();
            counter.set_value(sample.value);
            metric.set_counter(counter);
        }
        MetricKind::Gauge => {
            let mut gauge = Gauge::default();
            gauge.set_value(sample.value);
            metric.set_gauge(gauge);
        }
    }
    metric
}
