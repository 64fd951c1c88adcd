//! No counter of the kernel is missing from the metrics.

use std::{collections::BTreeSet, sync::Arc};

use sensor_analysis::{Account, model};
use sensor_common::counter::{Counter, Counters};
use sensor_facts::time::Time;
use sensor_kernel::{Attached, Mode, Occupancy};
use sensor_sessions::pipeline::PipelineStats;

use super::table::TABLE;
use crate::live::{
    Tally,
    mirror::Health,
    responder::Summary,
    snapshot::{Configuration, FlowAccount, InterfaceSnapshot, LeftOver, Snapshot},
};

fn snapshot(counters: &Counters) -> Snapshot {
    let attached = Attached {
        name: "span0".to_owned(),
        index: 2,
        inline: false,
        mode: Mode::Driver,
        frags: false,
        fallback: None,
        present: true,
    };
    Snapshot {
        time: Time(0),
        start: Time(0),
        interfaces: vec![InterfaceSnapshot {
            attached,
            counters: *counters,
            inherited: Counters::ZERO,
            health: Health::default(),
        }],
        tables: Occupancy::default(),
        flows: FlowAccount::default(),
        pressure: false,
        pipeline: PipelineStats::default(),
        left_over: LeftOver::default(),
        tally: Tally::default(),
        containment: Arc::new(Summary::default()),
        loss: (0, 0),
        analysis: Arc::new(Account::default()),
        unobserved: 0,
        model: model::Summary::default(),
        outputs: Vec::new(),
        store: None,
        configuration: Configuration::default(),
    }
}

#[test]
fn every_counter_is_in_a_metric() {
    const FIRST: u32 = 1_000_000;
    let mut counters = Counters::ZERO;
    for counter in Counter::ALL {
        counters.add(*counter, u64::from(FIRST + *counter as u32));
    }
    let snapshot = snapshot(&counters);
    let values: BTreeSet<u64> = TABLE
        .iter()
        .flat_map(|row| (row.read)(&snapshot))
        .map(|sample| sample.value.to_bits())
        .collect();
    let missing: Vec<&str> = Counter::ALL
        .iter()
        .filter(|one| !values.contains(&f64::from(FIRST + **one as u32).to_bits()))
        .map(|one| one.label())
        .collect();
    assert_eq!(missing, Vec::<&str>::new(), "give them a row or a section");
}
