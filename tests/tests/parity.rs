//! One parser, two homes: every Ethernet capture goes through the kernel's program
//! (`BPF_PROG_TEST_RUN`, the capture's clock) and through the portable engine, and both must give the
//! same counters, the same events byte by byte, and the same flow entries.

use sensor_kernel::{TableSizes, TestBench};

mod captures;
mod homes;

/// Larger than any capture's number of flows: which flow an LRU map evicts is the kernel's affair.
const TABLES: TableSizes = TableSizes {
    established4: 32_768,
    established6: 8_192,
    fresh4: 65_536,
    fresh6: 16_384,
};

#[test]
fn the_kernel_and_the_portable_engine_agree_on_every_capture() {
    let Some(root) = captures::root() else { return };
    // How many notices go out in a second is counted by CPU.
    homes::stay_on_this_cpu();
    let mut bench = TestBench::load(&TestBench::options(TABLES, 1 << 20)).unwrap();
    let (mut files, mut packets, mut events, mut flows) = (0_u64, 0_u64, 0_u64, 0_u64);
    for path in captures::ethernet(&root) {
        let mut frames = captures::frames(&path);
        for (_, frame) in &mut frames {
            frame.truncate(TestBench::FRAME_MAX);
        }
        // A test run takes no frame that is shorter than an Ethernet header.
        frames.retain(|(_, frame)| frame.len() >= 14);
        if frames.is_empty() {
            continue;
        }
        let kernel = homes::kernel(&mut bench, &frames);
        let portable = homes::portable(TABLES, &frames, homes::interface(&kernel));
        homes::compare(&path.display().to_string(), &kernel, &portable);
        files += 1;
        packets += frames.len() as u64;
        events += kernel.events.len() as u64;
        flows += kernel.flows.len() as u64;
    }
    println!("{files} captures, {packets} packets: {events} events and {flows} flows agree");
    assert!(files > 900, "only {files} captures were read");
}
