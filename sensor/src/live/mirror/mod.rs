//! Watches what each interface brings: link, rates, and what is wrong with them. `Judge` says which conditions hold; here they
//! become log lines and events, and are kept over a restart.

mod judge;
mod networks;
mod pauses;
mod series;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use sensor_common::counter::{Counter, Counters};
use sensor_facts::{
    event::{Body, Event},
    mirror::{Condition, MirrorReport, Standing, Survey},
    time::Time,
};
use sensor_kernel::{Attached, link};

use judge::{Judge, Kept, Sample};
use series::Counted;
pub use series::Rate;

use crate::config;

/// How an interface fares.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Health {
    /// It is switched on and has a carrier.
    pub link: bool,
    /// Mean rates of the last seconds, minute and hour.
    pub rates: Vec<Rate>,
    /// When the last packet came, to the second.
    pub last_packet: Option<Time>,
    /// What is wrong.
    pub standing: Vec<Standing>,
    /// How often each condition began since the daemon's start.
    pub begun: BTreeMap<Condition, u64>,
}

/// What is kept over a restart, by the interface's name.
pub type Memory = BTreeMap<String, Kept>;

/// The judges of all interfaces.
#[derive(Debug)]
pub struct Mirror {
    judges: Vec<Judge>,
}

impl Mirror {
    /// Watches these interfaces; takes what was kept.
    #[must_use]
    pub fn new(interfaces: &[Attached], mut memory: Memory) -> Self {
        let judges = interfaces.iter().map(|one| {
            let kept = memory.remove(&one.name);
            kept.map_or_else(Judge::default, Judge::remember)
        });
        Self {
            judges: judges.collect(),
        }
    }

    /// Takes what a pass over the flow tables found, by the interface's index; `now` is the engine's clock.
    pub fn survey(&mut self, now: u64, interfaces: &[Attached], mut seen: HashMap<u32, Survey>) {
        for (judge, one) in self.judges.iter_mut().zip(interfaces) {
            judge.survey(now, seen.remove(&one.index).unwrap_or_default());
        }
    }

    /// Every second: the events of what began and ended.
    pub fn tick(
        &mut self,
        (now, time): (u64, Time),
        interfaces: &[Attached],
        counters: &[Counters],
        limits: &config::Mirror,
    ) -> Vec<Event> {
        let mut events = Vec::new();
        let each = self.judges.iter_mut().zip(interfaces).zip(counters);
        for ((judge, one), counters) in each {
            let sample = Sample {
                now,
                time,
                present: one.present,
                // Where the system does not say, the packets will.
                link: link::is_up(&one.name).unwrap_or(true),
                counted: counted(counters),
            };
            for (standing, until) in judge.take(sample, limits) {
                let mirror = Box::new(MirrorReport::new(&one.name, standing, until));
                tell(&mirror);
                events.push(Event::general(time, Body::Mirror { mirror }));
            }
        }
        events
    }

    /// How each interface fares.
    pub fn health(&self) -> impl Iterator<Item = Health> {
        self.judges.iter().map(|judge| Health {
            link: judge.link(),
            rates: judge.rates(),
            last_packet: judge.last_packet(),
            standing: judge.standing().cloned().collect(),
            begun: judge.begun().clone(),
        })
    }

    /// What is to be kept over a restart.
    #[must_use]
    pub fn memory(&self, interfaces: &[Attached]) -> Memory {
        let each = interfaces.iter().zip(&self.judges);
        each.map(|(one, judge)| (one.name.clone(), judge.keep()))
            .collect()
    }
}

fn counted(counters: &Counters) -> Counted {
    Counted {
        packets: counters.get(Counter::Packets),
        bytes: counters.get(Counter::Bytes),
        duplicates: counters.get(Counter::Duplicate),
        truncated: counters.get(Counter::Snapped) + counters.get(Counter::IpTruncated),
        active: 0,
    }
}

fn tell(report: &MirrorReport) {
    let condition = report.standing.condition.label();
    if report.until.is_none() {
        tracing::warn!(condition, "{report}");
    } else {
        tracing::info!(condition, "{report}");
    }
}
