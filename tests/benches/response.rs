//! From the packet that completes the evidence to the drop in force: the real daemon, with the policy in
//! automatic mode, and a scan from a new address each time. Run by `cargo xtask bench`.

use std::{
    env,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use etherparse::PacketBuilder;
use sensor_kernel::PinnedRules;
use tests::{ability::privileged, passage::Passage, wire::Wire};

/// How many hosts attack.
const ATTACKERS: u16 = 300;
/// Between two looks at the kernel's rules; it is part of the time that is measured.
const LOOK: Duration = Duration::from_micros(10);
/// Between two of them.
const PAUSE: Duration = Duration::from_millis(30);
/// Refused connections that make a scan.
const TARGETS: u16 = 20;
/// An answer that takes longer is a failure.
const LIMIT: Duration = Duration::from_secs(5);
const CONFIGURATION: &str = "\
[containment]
mode = \"automatic\"
second_finding = false
max_rules = 10000
max_rules_per_minute = 10000

[detect]
scan_targets = 20
";
const SERVER: [u8; 4] = [10, 9, 0, 2];

fn main() -> Result<()> {
    ensure!(privileged(), "this needs root");
    let passage = Passage::build("response", CONFIGURATION)?;
    let _daemon = passage.start()?;
    let rules = PinnedRules::open(&passage.pins())?;
    let mut left = Wire::open(&passage.left, "eth0")?;
    let mut right = Wire::open(&passage.right, "eth0")?;
    let mut times = Vec::new();
    for number in 0..ATTACKERS {
        let [high, low] = number.to_be_bytes();
        let attacker = [10, 100 + high, low, 66];
        for port in 1..=TARGETS {
            left.send(&segment(attacker, SERVER, 40_000, port, true)?)?;
            let refusal = segment(SERVER, attacker, port, 40_000, false)?;
            if port < TARGETS {
                right.send(&refusal)?;
                continue;
            }
            // The trail of the rule before is on the disk by then; what meets it waits for the disk.
            std::thread::sleep(PAUSE);
            let begin = Instant::now();
            right.send(&refusal)?;
            while rules.slot(u32::from(number))?.is_none() {
                ensure!(
                    begin.elapsed() < LIMIT,
                    "attacker {number} is not contained"
                );
                // The daemon may need this CPU.
                std::thread::sleep(LOOK);
            }
            times.push(begin.elapsed());
        }
    }
    if env::var_os("WARDTAP_BENCH_TIMES").is_some() {
        println!("{times:?}");
    }
    times.sort_unstable();
    let at = |percent: usize| {
        times
            .get(times.len() * percent / 100)
            .or(times.last())
            .copied()
    };
    let microseconds = |time: Option<Duration>| time.context("no times").map(|it| it.as_micros());
    println!(
        "\nFrom the packet that completes the evidence to the rule in the kernel, {} attackers: p50 {} us, p99 {} us, longest {} us",
        times.len(),
        microseconds(at(50))?,
        microseconds(at(99))?,
        microseconds(times.last().copied())?
    );
    Ok(())
}

fn segment(
    from: [u8; 4],
    to: [u8; 4],
    source: u16,
    destination: u16,
    syn: bool,
) -> Result<Vec<u8>> {
    let (source_mac, destination_mac) = if syn {
        ([2, 0, 0, 9, 0, 1], [2, 0, 0, 9, 0, 2])
    } else {
        ([2, 0, 0, 9, 0, 2], [2, 0, 0, 9, 0, 1])
    };
    let builder = PacketBuilder::ethernet2(source_mac, destination_mac)
        .ipv4(from, to, 64)
        .tcp(source, destination, 1, 1_000);
    let builder = if syn {
        builder.syn()
    } else {
        builder.rst().ack(2)
    };
    let mut frame = Vec::new();
    builder.write(&mut frame, &[])?;
    Ok(frame)
}
