//! What happens a second: the difference of two statuses.

use std::collections::VecDeque;

use sensor_common::counter::Counter;

use crate::{
    cli::{status::counter_of, table::whole},
    control::api::Status,
};

/// Looks whose packets a second are kept.
const HISTORY: usize = 240;

/// What has happened so far, of which rates are made.
#[derive(Clone, Debug, Default)]
struct Totals {
    packets: u64,
    bytes: u64,
    flows: u64,
    events: u64,
    losses: Vec<Loss>,
}

/// Something that was lost, by what lost it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Loss {
    /// What, in words.
    pub(super) what: String,
    /// Since the daemon's start.
    pub(super) total: u64,
    /// In the last second.
    pub(super) rate: f64,
}

/// What happens a second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Rates {
    pub(super) packets: f64,
    pub(super) bits: f64,
    pub(super) flows: f64,
    pub(super) events: f64,
}

/// Two statuses in a row, and the packets a second of those before.
#[derive(Debug, Default)]
pub(super) struct Meter {
    last: Option<(i64, i64, Totals)>,
    /// None until there are two statuses of one daemon.
    pub(super) rates: Option<Rates>,
    /// Everything that can be lost.
    pub(super) losses: Vec<Loss>,
    /// Packets a second, the latest last.
    pub(super) packets: VecDeque<u64>,
}

impl Meter {
    /// Takes the next status.
    pub(super) fn take(&mut self, status: &Status) {
        let (start, time) = (status.start.0, status.time.0);
        let mut now = Totals::of(status);
        // Those of another daemon, or of the same moment, say nothing.
        let before = self
            .last
            .take()
            .filter(|(started, last, _)| *started == start && *last < time);
        self.rates = before.map(|(_, last, before)| {
            let seconds = seconds(time - last);
            let rate = |now: u64, before: u64| rate(now.saturating_sub(before), seconds);
            for loss in &mut now.losses {
                let same = before.losses.iter().find(|one| one.what == loss.what);
                loss.rate = rate(loss.total, same.map_or(0, |one| one.total));
            }
            Rates {
                packets: rate(now.packets, before.packets),
                bits: rate(now.bytes, before.bytes) * 8.0,
                flows: rate(now.flows, before.flows),
                events: rate(now.events, before.events),
            }
        });
        if let Some(rates) = self.rates {
            if self.packets.len() == HISTORY {
                self.packets.pop_front();
            }
            self.packets.push_back(whole(rates.packets));
        } else {
            self.packets.clear();
        }
        self.losses.clone_from(&now.losses);
        self.last = Some((start, time, now));
    }
}

impl Totals {
    fn of(status: &Status) -> Self {
        let sum = |counter: Counter| -> u64 {
            let interfaces = status.interfaces.iter();
            interfaces
                .map(|one| counter_of(&one.counters, counter))
                .sum()
        };
        Self {
            packets: sum(Counter::Packets),
            bytes: sum(Counter::Bytes),
            flows: sum(Counter::FlowCreated),
            events: status.pipeline.get("events").copied().unwrap_or(0),
            losses: losses(status, sum(Counter::FlowTableFull)),
        }
    }
}

fn losses(status: &Status, table_full: u64) -> Vec<Loss> {
    let loss = |what: String, total: u64| Loss {
        what,
        total,
        rate: 0.0,
    };
    let ring = status.ring.iter().map(|ring| {
        let what = format!("{} events, the ring being full", ring.kind);
        loss(what, ring.lost)
    });
    let words = [
        ("packets without a flow, the table being full", table_full),
        ("new flows evicted unreported", status.flows.evicted),
        ("observations that no detector got", status.detection.lost),
        (
            "flows not scored, too many waiting",
            status.model.flows.queue_full,
        ),
        ("entries of the audit trail", status.containment.dropped),
    ];
    let words = words.map(|(what, total)| loss(what.to_owned(), total));
    let outputs = status.outputs.iter().map(|output| {
        let what = format!("events for the output {}", output.name);
        loss(what, output.dropped_queue_full + output.dropped_write_error)
    });
    ring.chain(words).chain(outputs).collect()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a rate is for people; nanoseconds between two looks are far below 2^53"
)]
pub(super) fn seconds(nanoseconds: i64) -> f64 {
    nanoseconds as f64 / 1e9
}

/// So many in so many seconds, a second.
#[expect(clippy::cast_precision_loss, reason = "a rate is for people")]
pub(super) fn rate(count: u64, seconds: f64) -> f64 {
    count as f64 / seconds
}

/// A rate with a unit: `1.2 M`.
pub(super) fn short(rate: f64) -> String {
    let (value, unit) = match rate {
        r if r >= 1e9 => (r / 1e9, " G"),
        r if r >= 1e6 => (r / 1e6, " M"),
        r if r >= 1e3 => (r / 1e3, " k"),
        r => return format!("{r:.0} "),
    };
    format!("{value:.1}{unit}")
}
