//! A disk that stutters, and then stands still: state, trail, store and events are on it.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::super::{
    account::number,
    frames::{datagram, spoof},
    spray::Pace,
    stage::Stage,
};
use crate::wait::wait_for;

/// It takes nothing for so long, then works for so long.
const STOP: Duration = Duration::from_millis(900);
const GO: Duration = Duration::from_millis(100);
/// At the end it stands still for so long, at most.
const STILL: Duration = Duration::from_secs(15);
/// Messages and flows a second.
const RATE: u64 = 4_000;
/// A status may take so long; questions are given up after two seconds.
const ANSWER: Duration = Duration::from_secs(2);

pub(super) fn slow(stage: &mut Stage<'_>) -> Result<String> {
    let still = STILL.min(stage.time / 3);
    let stutter = stage.time.saturating_sub(still);
    let times = (stutter.as_millis() / (STOP + GO).as_millis()).max(1);
    let times = u64::try_from(times)?;
    let folder = stage.site.folder.clone();
    let mut connection = stage.connection();
    let mut flow = datagram()?;
    let mut dice = stage.dice();
    let mut slowest = Duration::ZERO;
    for (stop, go, times) in [(STOP, GO, times), (still, GO, 1)] {
        let mut stutter = stage.site.disk.stutter(&folder, stop, go, times)?;
        while stutter.ended()?.is_none() {
            stage
                .site
                .spray
                .times(RATE / 4, Pace::Of(RATE), |spray, number| {
                    if number % 2 == 0 {
                        spray.send(&connection.message()?);
                    } else {
                        spoof(&mut flow, dice.next());
                        spray.send(&flow);
                    }
                    Ok(())
                })?;
            // Who asks does not wait for the disk.
            let asked = Instant::now();
            let status = stage.site.ask()?;
            slowest = slowest.max(asked.elapsed());
            ensure!(number(&status, "/interfaces/0/counters/packets") > 0);
        }
        let ended = wait_for("the disk to work again", Duration::from_secs(5), || {
            stutter.ended().ok()?
        })?;
        ensure!(ended.success(), "{}", stutter.log());
    }
    let end = connection.end()?;
    stage.site.spray.send(&end);
    ensure!(slowest < ANSWER, "a status took {slowest:?}");
    Ok(format!(
        "{times} times 900 ms, then {} s without a write; a status took {} ms at most",
        still.as_secs(),
        slowest.as_millis()
    ))
}
