//! The kernel accepts the programs, and what they answer for a packet is: pass.

mod small_kernel;

use std::{env, process::Command};

use sensor_common::counter::Counter;
use sensor_kernel::{TableSizes, TestBench};

const TABLES: TableSizes = small_kernel::tables(64);

#[test]
fn every_frame_passes() {
    let bench = TestBench::load(&TestBench::options(TABLES, 1 << 16)).unwrap();
    // From nothing known to the shortest that a test run takes, and every EtherType's first byte.
    for first in 0..=255 {
        let mut frame = [first; 96];
        frame[12] = 8;
        frame[14] = first;
        for length in [14, 15, 34, 54, 96] {
            assert!(
                bench.passes(&frame[..length]).unwrap(),
                "{length} bytes of {first}"
            );
        }
    }
    let counters = bench.counters().unwrap();
    assert_eq!(counters.get(Counter::Packets), 256 * 5);
    assert_eq!(counters.get(Counter::Packets), counters.disposed());
}

/// A kernel without BTF of its own (`CONFIG_DEBUG_INFO_BTF` off) has no `/sys/kernel/btf`; hidden here in
/// a mount namespace, in which the test above runs again.
#[test]
fn the_programs_need_no_btf_of_the_kernel() {
    let done = Command::new("unshare")
        .args(["--mount", "sh", "-c"])
        .arg("mount -t tmpfs none /sys/kernel/btf && exec \"$0\" --exact every_frame_passes")
        .arg(env::current_exe().unwrap())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success() && said.contains("1 passed"), "{said}");
}
