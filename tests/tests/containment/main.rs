//! What the kernel drops, against a plain model of the semantics: random rules, never-block lists and
//! packets, through `BPF_PROG_TEST_RUN`.

mod going_on;
mod model;
mod packet;
mod random;
#[path = "../small_kernel/mod.rs"]
mod small_kernel;

use std::{cell::RefCell, env};

use proptest::{
    prelude::ProptestConfig,
    test_runner::{TestCaseError, TestRunner},
};
use sensor_common::counter::Counter;
use sensor_kernel::{RuleOrder, TableSizes, TestBench};
use tests::ability::privileged;

use model::{Hit, Model};
use random::Case;

const TABLES: TableSizes = small_kernel::tables(4_096);
/// Sets of rules, and packets that each set meets: together 120,000 cases.
const SETS: u32 = 1_500;
const PACKETS: usize = 80;

#[test]
fn the_kernel_drops_what_the_model_drops() {
    if !privileged() {
        return;
    }
    let bench = TestBench::load_inline(&TestBench::options(TABLES, 1 << 20)).unwrap();
    let bench = RefCell::new(bench);
    let sets = env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok());
    let mut runner = TestRunner::new(ProptestConfig {
        cases: sets.unwrap_or(SETS),
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let seen = RefCell::new([0_u64; 4]);
    let result = runner.run(&random::case(PACKETS), |case| {
        let mut seen = seen.borrow_mut();
        check(&mut bench.borrow_mut(), &case, &mut seen)
    });
    let [dropped, passed, spared, protected] = *seen.borrow();
    println!(
        "{} cases: {dropped} dropped, {passed} passed, {spared} of these counted by a dry run or spared by a dead daemon, \
         {protected} protected",
        dropped + passed
    );
    result.unwrap();
    // A test in which nothing happens proves nothing.
    assert!(dropped > 1_000 && protected > 1_000 && spared > 100);
}

fn check(bench: &mut TestBench, case: &Case, seen: &mut [u64; 4]) -> Result<(), TestCaseError> {
    let fail = |error: sensor_kernel::KernelError| TestCaseError::fail(error.to_string());
    bench.rules.remove_all().map_err(fail)?;
    bench
        .rules
        .protect_exactly(case.protected.iter().copied())
        .map_err(fail)?;
    for rule in &case.rules {
        bench
            .rules
            .put(&RuleOrder {
                id: rule.id,
                target: &rule.target,
                scope: rule.scope,
                state: rule.state,
                sticky: rule.sticky,
                expires: rule.expires,
                clinical: &rule.clinical,
            })
            .map_err(fail)?;
    }
    bench
        .rules
        .beat(case.heartbeat, case.patience)
        .map_err(fail)?;
    let model = Model::new(case);
    let mut expected = std::collections::BTreeMap::<u64, Hit>::new();
    for (packet, time) in &case.packets {
        let frame = packet.frame();
        bench.set_time(*time).map_err(fail)?;
        let before = bench.counters().map_err(fail)?;
        let passes = bench.passes(&frame).map_err(fail)?;
        let after = bench.counters().map_err(fail)?.since(&before);
        let wanted = model.verdict(packet, *time);
        if passes == wanted.drops {
            return Err(TestCaseError::fail(format!(
                "{packet:?} at {time} passes: {passes}; the model says {wanted:?}"
            )));
        }
        if after.get(Counter::Packets) != 1
            || after.disposed() != 1
            || after.get(Counter::Contained) != u64::from(wanted.drops)
        {
            return Err(TestCaseError::fail(format!("{packet:?} is miscounted")));
        }
        seen[usize::from(passes)] += 1;
        seen[2] += u64::from(passes && !wanted.hits.is_empty());
        seen[3] += u64::from(wanted.protected);
        for (id, dropped) in wanted.hits {
            let hit = expected.entry(id).or_default();
            hit.count(frame.len() as u64, dropped, *time);
        }
    }
    for rule in &case.rules {
        let found = bench.rules.hits(rule.id).map_err(fail)?;
        let wanted = expected.remove(&rule.id).unwrap_or_default();
        if wanted != Hit::from(&found) {
            return Err(TestCaseError::fail(format!(
                "rule {} has {found:?}, the model {wanted:?}",
                rule.id
            )));
        }
    }
    Ok(())
}
