//! A receiver of syslog that stops reading, breaks off, is gone, and comes back.

use std::time::Duration;

use anyhow::Result;

use super::super::{siem::Mode, spray::Pace, stage::Stage};

/// Messages a second, each of which goes to the receiver.
const RATE: u64 = 1_000;
/// What the receiver's kernel took and its program did not read is promised to come again for a minute.
const STALL: Duration = Duration::from_secs(20);

pub(super) fn dead(stage: &mut Stage<'_>) -> Result<String> {
    let part = (stage.time / 3).min(STALL);
    let mut connection = stage.connection();
    for (mode, time) in [
        (Mode::Stalls, part),
        (Mode::Gone, part),
        (Mode::Reads, stage.time.saturating_sub(2 * part)),
    ] {
        stage.site.siem.set(mode);
        let sent = stage.site.spray.during(time, Pace::Of(RATE), |spray, _| {
            spray.send(&connection.message()?);
            Ok(())
        });
        if sent.is_err() {
            stage.site.siem.set(Mode::Reads);
        }
        sent?;
    }
    let end = connection.end()?;
    stage.site.spray.send(&end);
    Ok(format!(
        "{} s connected without reading, reset, {} s gone, back",
        part.as_secs(),
        part.as_secs()
    ))
}
