//! A wall clock that is set forward and back. The daemon alone sees it (`Site::set_clock`); time spans go on.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use jiff::Timestamp;

use super::super::{spray::Pace, stage::Stage};
use crate::wait::wait_for;

/// Seconds that the clock is off, one after another.
const STEPS: [i64; 6] = [90, -90, 3_600, -7_200, 86_400, 0];
/// The daemon looks at its clock each second.
const FOLLOWS: Duration = Duration::from_secs(10);
/// How far off what the status says may be, seconds.
const NEAR: i64 = 5;
const RATE: u64 = 500;

pub(super) fn steps(stage: &mut Stage<'_>) -> Result<String> {
    let part = stage.time / u32::try_from(STEPS.len())?;
    let mut connection = stage.connection();
    for step in STEPS {
        let start = Instant::now();
        stage.site.set_clock(step)?;
        let mut said = String::new();
        wait_for("the daemon to follow its clock", FOLLOWS, || {
            let status = stage.site.status().ok()?;
            status["time"].as_str()?.clone_into(&mut said);
            let time: Timestamp = said.parse().ok()?;
            let off = time.as_second() - Timestamp::now().as_second();
            ((off - step).abs() <= NEAR).then_some(())
        })
        .with_context(|| format!("set {step} s off, it says {said}"))?;
        let left = part.saturating_sub(start.elapsed());
        stage.site.spray.during(left, Pace::Of(RATE), |spray, _| {
            spray.send(&connection.message()?);
            Ok(())
        })?;
    }
    let end = connection.end()?;
    stage.site.spray.send(&end);
    // As the real clock has it again.
    thread::sleep(Duration::from_secs(1));
    Ok(format!(
        "off by {} s and right again",
        STEPS[..STEPS.len() - 1]
            .iter()
            .map(|step| format!("{step:+}"))
            .collect::<Vec<_>>()
            .join(", ")
    ))
}
