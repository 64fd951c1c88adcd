//! What was sent and done, beside what the daemon says of it: at rest they have to be the same.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use sensor_common::counter::Counter;
use serde_json::Value;

use super::{
    care::Care,
    seen::Seen,
    site::{SPAN, Site},
};
use crate::hospital::MIRROR;

impl Site<'_> {
    /// Reads all counters, those of the senders and those of the daemon.
    pub(super) fn account(&self, care: &Care, seen: &Seen) -> Result<Account> {
        ensure!(seen.alive(), "the reader of events has ended");
        let status = self.status()?;
        let metrics = self.metrics()?;
        let flows_made = metrics.total("wardtap_flows_created_total");
        let flows_known = metrics.total("wardtap_flows_swept_total")
            + metrics.total("wardtap_flows_replaced_total")
            + metrics.total("wardtap_flow_table_entries")
            + metrics.total("wardtap_flows_evicted_total");
        let (messages, images) = care.done();
        let (messages_seen, images_seen) = seen.done();
        let [sent, dropped] = self.carried()?;
        let interfaces = status["interfaces"].as_array();
        let interface = |name: &str| {
            let mut all = interfaces.into_iter().flatten();
            all.find(|one| one["name"] == name)
                .map(|one| one["counters"].clone())
                .with_context(|| format!("no {name} in the status"))
        };
        let [mirror, span] = [interface(MIRROR)?, interface(SPAN)?];
        Ok(Account {
            care: [messages, images],
            care_seen: [messages_seen, images_seen],
            mirror: Line::of(self.hospital.mirrored()?, &mirror),
            span: Line::of(sent, &span),
            flood_tried: self.spray.tried,
            flood_taken: sent + dropped,
            ring: ring(&status),
            bad_records: total_of(&status["pipeline"], "bad_records_"),
            flows_made,
            flows_known,
            flows_evicted: number(&status, "/flows/evicted"),
            unobserved: number(&status, "/detection/lost"),
            outputs: outputs(&status),
            failing: failing(&status),
            lines: seen.lines(),
            siem: self.siem.received(),
        })
    }
}

/// What came to an interface, and what the daemon says of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Line {
    pub(super) sent: u64,
    pub(super) counted: u64,
    disposed: u64,
}

impl Line {
    fn of(sent: u64, counters: &Value) -> Self {
        let counter = |one: &Counter| counters[one.label()].as_u64().unwrap_or_default();
        Self {
            sent,
            counted: counter(&Counter::Packets),
            disposed: Counter::DISPOSITIONS.iter().map(counter).sum(),
        }
    }
}

/// What became of an output's events.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Delivery {
    pub(super) delivered: u64,
    pub(super) waiting: u64,
    pub(super) dropped: u64,
}

/// How everything stands at a moment, since the start.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Account {
    /// Messages and images of the hospital, done and seen.
    pub(super) care: [u64; 2],
    pub(super) care_seen: [u64; 2],
    pub(super) mirror: Line,
    pub(super) span: Line,
    pub(super) flood_tried: u64,
    pub(super) flood_taken: u64,
    /// Events of the ring buffer: offered, received, lost.
    pub(super) ring: [u64; 3],
    bad_records: u64,
    flows_made: f64,
    flows_known: f64,
    pub(super) flows_evicted: u64,
    pub(super) unobserved: u64,
    pub(super) outputs: BTreeMap<String, Delivery>,
    failing: Vec<String>,
    lines: u64,
    siem: u64,
}

impl Account {
    /// What is not as it has to be at rest, since `before`.
    pub(super) fn wrong(&self, before: &Self) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut same = |what: &str, a: u64, b: u64| {
            if a != b {
                wrong.push(format!("{what}: {a} and {b}"));
            }
        };
        for (name, line) in [(MIRROR, &self.mirror), (SPAN, &self.span)] {
            same(
                &format!("frames into {name}, counted"),
                line.sent,
                line.counted,
            );
            same(
                &format!("frames of {name}, of all dispositions"),
                line.counted,
                line.disposed,
            );
        }
        same(
            "frames of the flood, sent or dropped by the cable",
            self.flood_tried,
            self.flood_taken,
        );
        let [offered, received, lost] = self.ring;
        same("events offered, received or lost", offered, received + lost);
        same("records that can't be decoded, none", self.bad_records, 0);
        for (name, output) in &self.outputs {
            same(
                &format!("events that wait for {name}, none"),
                output.waiting,
                0,
            );
        }
        let delivered = |name: &str| {
            let of = |account: &Self| account.outputs.get(name).map_or(0, |one| one.delivered);
            of(self) - of(before)
        };
        same(
            "events written, lines in the files",
            delivered("json"),
            self.lines - before.lines,
        );
        same(
            "events sent, messages at the receiver",
            delivered("siem"),
            self.siem - before.siem,
        );
        if (self.flows_made - self.flows_known).abs() > 0.5 {
            wrong.push(format!(
                "flows made, ended or live: {} and {}",
                self.flows_made, self.flows_known
            ));
        }
        wrong.extend(self.failing.iter().cloned());
        for (what, done, seen) in [
            (
                "messages",
                self.since(before).care[0],
                self.since(before).care_seen[0],
            ),
            (
                "images",
                self.since(before).care[1],
                self.since(before).care_seen[1],
            ),
        ] {
            let explained = self.explained(before);
            if seen > done || done - seen > explained {
                wrong.push(format!(
                    "{what} of the hospital: {done} done, {seen} seen, {explained} lost as counted"
                ));
            }
        }
        wrong
    }

    /// Losses since `before` that say why something of the hospital is not in the events: what the ring did not take and
    /// what the file of events did not.
    pub(super) fn explained(&self, before: &Self) -> u64 {
        let dropped = |account: &Self| account.outputs.get("json").map_or(0, |one| one.dropped);
        self.ring[2] - before.ring[2] + dropped(self) - dropped(before)
    }

    /// What of care came since `before`.
    pub(super) fn since(&self, before: &Self) -> Work {
        let less = |now: [u64; 2], then: [u64; 2]| [now[0] - then[0], now[1] - then[1]];
        Work {
            care: less(self.care, before.care),
            care_seen: less(self.care_seen, before.care_seen),
        }
    }
}

/// What was done and seen of the hospital.
pub(super) struct Work {
    pub(super) care: [u64; 2],
    pub(super) care_seen: [u64; 2],
}

pub(super) fn number(value: &Value, pointer: &str) -> u64 {
    value
        .pointer(pointer)
        .and_then(Value::as_u64)
        .unwrap_or_default()
}

fn ring(status: &Value) -> [u64; 3] {
    ["offered", "received", "lost"].map(|name| {
        let kinds = status["ring"].as_array().into_iter().flatten();
        kinds.filter_map(|kind| kind[name].as_u64()).sum()
    })
}

fn total_of(value: &Value, prefix: &str) -> u64 {
    let fields = value.as_object().into_iter().flatten();
    fields
        .filter(|(name, _)| name.starts_with(prefix))
        .filter_map(|(_, value)| value.as_u64())
        .sum()
}

pub(super) fn outputs(status: &Value) -> BTreeMap<String, Delivery> {
    let all = status["outputs"].as_array().into_iter().flatten();
    all.filter_map(|one| {
        let delivery = Delivery {
            delivered: number(one, "/events"),
            waiting: number(one, "/waiting"),
            dropped: number(one, "/dropped_queue_full") + number(one, "/dropped_write_error"),
        };
        Some((one["name"].as_str()?.to_owned(), delivery))
    })
    .collect()
}

/// What says that it can't be written or sent.
fn failing(status: &Value) -> Vec<String> {
    let all = status["outputs"].as_array().into_iter().flatten();
    let parts = [
        &status["containment"],
        &status["detection"],
        &status["store"],
    ];
    all.chain(parts)
        .filter_map(|one| one["failing"].as_str())
        .map(str::to_owned)
        .collect()
}
