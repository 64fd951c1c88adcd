//! A daemon that does not run while events come: the ring buffer overflows.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use nix::sys::signal::Signal;

use super::super::{account::number, spray::Pace, stage::Stage};

/// Messages in a stop: three times what the ring holds.
const MESSAGES: u64 = 12_000;
/// Of them, a second.
const RATE: u64 = 20_000;
/// Time between two stops of the daemon.
const PAUSE: Duration = Duration::from_secs(1);

pub(super) fn overrun(stage: &mut Stage<'_>) -> Result<String> {
    let start = Instant::now();
    let lost = |stage: &Stage<'_>| -> Result<u64> {
        let status = stage.site.status()?;
        Ok(number(&status, "/ring/0/lost") + number(&status, "/ring/1/lost"))
    };
    let before = lost(stage)?;
    let mut stops = 0_u16;
    while start.elapsed() < stage.time || stops == 0 {
        stops += 1;
        let mut connection = stage.connection();
        stage.site.signal(Signal::SIGSTOP)?;
        let sent = stage
            .site
            .spray
            .times(MESSAGES, Pace::Of(RATE), |spray, _| {
                spray.send(&connection.message()?);
                Ok(())
            });
        stage.site.signal(Signal::SIGCONT)?;
        sent?;
        let end = connection.end()?;
        stage.site.spray.send(&end);
        thread::sleep(PAUSE);
    }
    let lost = lost(stage)? - before;
    ensure!(lost > 0, "nothing was lost: the phase shows nothing");
    Ok(format!(
        "stopped {stops} times while {MESSAGES} messages came"
    ))
}
