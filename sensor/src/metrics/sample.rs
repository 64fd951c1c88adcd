//! A metric, and how its values are read from a snapshot.

use sensor_common::counter::{Counter, Counters};
use sensor_evidence::store::StoreStatus;
use sensor_facts::{alert::Severity, mirror::Condition};
use sensor_output::OutputStats;

use crate::live::{
    Counts,
    mirror::{Health, Rate},
    snapshot::{InterfaceSnapshot, Snapshot},
};

/// Whether a metric only grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Only grows, until the daemon starts anew.
    Counter,
    /// Goes up and down.
    Gauge,
}

/// One value with the values of its labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Values of the metric's labels, in their order.
    pub labels: Vec<String>,
    /// The value.
    pub value: f64,
}

/// A row of the table: one metric.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Name of the metric.
    pub name: &'static str,
    /// Whether it is a counter or a gauge.
    pub kind: MetricKind,
    /// What the metric says: its help in Prometheus and its row in `docs/metrics.md`.
    pub help: &'static str,
    /// Names of its labels.
    pub labels: &'static [&'static str],
    /// Where its values come from.
    pub source: &'static str,
    /// Reads the metric's samples from a snapshot.
    pub read: fn(&Snapshot) -> Vec<Sample>,
}

/// A value; beyond 2^53 it loses digits, as every Prometheus value does.
#[expect(
    clippy::cast_precision_loss,
    reason = "Prometheus values are 64-bit floats"
)]
pub(super) fn sample<const N: usize>(labels: [&str; N], value: u64) -> Sample {
    Sample {
        labels: labels.map(str::to_owned).to_vec(),
        value: value as f64,
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "microseconds are kept until the year 2255"
)]
pub(super) fn seconds(nanoseconds: i64) -> f64 {
    nanoseconds as f64 / 1e9
}

pub(super) fn plain(value: u64) -> Vec<Sample> {
    vec![sample([], value)]
}

pub(super) fn of_store(
    snapshot: &Snapshot,
    read: impl Fn(&StoreStatus) -> Vec<Sample>,
) -> Vec<Sample> {
    snapshot.store.as_ref().map(read).unwrap_or_default()
}

pub(super) fn by_output(snapshot: &Snapshot, read: impl Fn(&OutputStats) -> u64) -> Vec<Sample> {
    let outputs = snapshot.outputs.iter();
    outputs
        .map(|it| sample([it.name.as_str()], read(it)))
        .collect()
}

pub(super) const fn yes(yes: bool) -> &'static str {
    if yes { "true" } else { "false" }
}

pub(super) fn by_severity(counts: &[u64; Severity::ALL.len()]) -> Vec<Sample> {
    let all = Severity::ALL.iter().zip(counts);
    all.map(|(severity, count)| sample([severity.label()], *count))
        .collect()
}

pub(super) fn each(
    snapshot: &Snapshot,
    read: impl Fn(&InterfaceSnapshot) -> Sample,
) -> Vec<Sample> {
    snapshot.interfaces.iter().map(read).collect()
}

pub(super) fn by_rate(snapshot: &Snapshot, read: impl Fn(&Rate) -> f64) -> Vec<Sample> {
    let all = snapshot.interfaces.iter().flat_map(|one| {
        let rates = one.health.rates.iter();
        rates.map(move |rate| (one.attached.name.clone(), rate))
    });
    all.map(|(name, rate)| Sample {
        labels: vec![name, rate.window.clone()],
        value: read(rate),
    })
    .collect()
}

pub(super) fn last_packets(snapshot: &Snapshot) -> Vec<Sample> {
    let interfaces = snapshot.interfaces.iter();
    let known = interfaces.filter_map(|one| Some((one, one.health.last_packet?)));
    known
        .map(|(one, time)| Sample {
            labels: vec![one.attached.name.clone()],
            value: seconds(time.0),
        })
        .collect()
}

pub(super) fn by_condition(
    snapshot: &Snapshot,
    read: impl Fn(&Health, Condition) -> u64,
) -> Vec<Sample> {
    let mut samples = Vec::new();
    for one in &snapshot.interfaces {
        for condition in Condition::ALL {
            let value = read(&one.health, *condition);
            samples.push(sample([&one.attached.name, condition.label()], value));
        }
    }
    samples
}

pub(super) fn one_counter(snapshot: &Snapshot, counter: Counter) -> Vec<Sample> {
    each(snapshot, |one| {
        sample([&one.attached.name], one.counters.get(counter))
    })
}

pub(super) fn by_counter(snapshot: &Snapshot, counters: &[Counter]) -> Vec<Sample> {
    let named_counters: Vec<_> = counters
        .iter()
        .map(|counter| (*counter, counter.label()))
        .collect();
    named(snapshot, &named_counters)
}

pub(super) fn named(snapshot: &Snapshot, counters: &[(Counter, &str)]) -> Vec<Sample> {
    let read = |one: &InterfaceSnapshot, (counter, label): &(Counter, &str)| {
        let values: &Counters = &one.counters;
        sample([&one.attached.name, label], values.get(*counter))
    };
    let interfaces = snapshot.interfaces.iter();
    interfaces
        .flat_map(|one| counters.iter().map(move |named| read(one, named)))
        .collect()
}

pub(super) fn counts<const N: usize>(counts: &Counts<N>) -> Vec<Sample> {
    counts
        .iter()
        .map(|(name, count)| sample([name], count))
        .collect()
}
