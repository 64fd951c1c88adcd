//! When a rule ends: by the kernel's clock, and when the daemon's heartbeat stops.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tests::wait::wait_for;

use super::{
    SECONDS, passage,
    traffic::{Servers, exchanges},
};

const STICKY: &[&str] = &["10.9.0.2:514/udp"];
const OTHER: &[&str] = &["10.9.0.3:514/udp"];

#[test]
fn rules_end_by_the_kernels_clock_and_pass_without_a_daemon() -> Result<()> {
    let Some((_turn, passage)) = passage("ttl", "[containment]\nheartbeat = \"2s\"\n")? else {
        return Ok(());
    };
    let _servers = Servers::start(&passage)?;
    let mut daemon = passage.start()?;
    let add = |device: &str, more: &[&str]| {
        let arguments = ["rules", "add", "--reason", "test", "--device", device];
        passage.json(&[&arguments[..], more].concat())
    };
    let made = Instant::now();
    add("10.9.0.2", &["--ttl", "11s", "--sticky"])?;
    add("10.9.0.3", &["--ttl", "1m"])?;
    let (sticky, other) = (STICKY, OTHER);
    ensure!(exchanges(&passage, sticky)?.is_empty());
    ensure!(exchanges(&passage, other)?.is_empty());
    daemon.kill()?;
    let killed = Instant::now();
    wait_for("the rule to pass without a daemon", SECONDS, || {
        (exchanges(&passage, other).ok()? == other).then_some(())
    })?;
    let lapsed = killed.elapsed();
    ensure!(
        lapsed > Duration::from_millis(800) && lapsed < Duration::from_secs(3),
        "after {lapsed:?}"
    );
    ensure!(
        exchanges(&passage, sticky)?.is_empty(),
        "a sticky rule stays without a daemon"
    );
    wait_for("the sticky rule to end", SECONDS + SECONDS, || {
        (exchanges(&passage, sticky).ok()? == sticky).then_some(())
    })?;
    let lasted = made.elapsed();
    println!(
        "a rule of 11 s lasted {lasted:?}, its daemon being dead; without a heartbeat rules passed after {lapsed:?}"
    );
    ensure!(
        lasted > Duration::from_secs(10) && lasted < Duration::from_secs(12),
        "it lasted {lasted:?} instead of 11 s"
    );
    // The next daemon finds the one over and the other in force again.
    let _daemon = passage.start()?;
    let rules = passage.json(&["rules", "list"])?;
    ensure!(rules["total"] == 1, "{rules}");
    ensure!(
        exchanges(&passage, other)?.is_empty(),
        "the rule is in force again"
    );
    ensure!(exchanges(&passage, sticky)? == sticky);
    Ok(())
}
