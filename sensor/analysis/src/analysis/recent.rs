//! The last flows, and of those the ones that belong to an alert: the evidence that a labelled alert keeps.

use std::{
    collections::{BTreeMap, VecDeque},
    net::IpAddr,
};

use sensor_facts::{
    alert::Alert,
    observation::{Observation, What},
    time::Time,
};

use crate::{alert::FLOWS_MAX, model::features::Row};

/// Flows that are remembered, about 600 bytes each.
const RECENT: usize = 4_096;
/// Alerts whose flows are set aside until someone labels them.
const ALERTS: usize = 256;
/// Flows from so long before an alert opened belong to it, nanoseconds.
const BEFORE: i64 = 300_000_000_000;

/// See the module's description.
#[derive(Default)]
pub(super) struct Recent {
    flows: VecDeque<Observation>,
    set_aside: BTreeMap<u64, Vec<Observation>>,
}

impl Recent {
    /// Remembers a flow that is over.
    pub(super) fn add(&mut self, seen: &Observation) {
        if !matches!(&seen.what, What::Flow(facts) if facts.over) {
            return;
        }
        if self.flows.len() == RECENT {
            self.flows.pop_front();
        }
        self.flows.push_back(seen.clone());
    }

    /// Sets the flows of an alert's device aside, so that they are still there when it is labelled.
    pub(super) fn set_aside(&mut self, alert: &Alert) {
        let kept = self.set_aside.entry(alert.id).or_default();
        let since = Time(alert.opened.0.saturating_sub(BEFORE));
        let is_of = |one: &&Observation| of(one, alert.device) && one.time >= since;
        for flow in self.flows.iter().filter(is_of) {
            if kept.len() == FLOWS_MAX {
                break;
            }
            if !kept.contains(flow) {
                kept.push(flow.clone());
            }
        }
        // Alerts are numbered in their order.
        while self.set_aside.len() > ALERTS {
            self.set_aside.pop_first();
        }
    }

    /// The flows of an alert, as models see them.
    pub(super) fn rows(&mut self, alert: &Alert) -> Vec<Row> {
        self.set_aside(alert);
        let kept = self.set_aside.remove(&alert.id).unwrap_or_default();
        kept.iter().filter_map(Row::of).collect()
    }
}

fn of(flow: &Observation, device: IpAddr) -> bool {
    flow.client.ip() == device || flow.server.ip() == device
}
