//! More than is usual: flows of spoofed sources, malformed messages, and both while memory is short.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::super::{
    frames::{Malformed, datagram, request, spoof},
    memory,
    spray::Pace,
    stage::Stage,
};

/// Malformed messages a second at least, so that a short run ends.
const RATE: u64 = 5_000;
/// What the daemon may have when memory is short, a quarter of what docs/operating.md asks of a machine; or so much more
/// than it holds then, if that is more.
const SHORT: u64 = 512 << 20;
const SPARE: u64 = 64 << 20;
/// Frames a second, when memory is short.
const MIXED: u64 = 20_000;

pub(super) fn flows(stage: &mut Stage<'_>) -> Result<String> {
    let mut frames = [datagram()?, request()?];
    let mut dice = stage.dice();
    let count = stage
        .site
        .spray
        .during(stage.time, Pace::Full, |spray, number| {
            let frame = &mut frames[usize::try_from(number % 2)?];
            spoof(frame, dice.next());
            spray.send(frame);
            Ok(())
        })?;
    Ok(format!("{count} flows of spoofed sources"))
}

fn workspace() -> Result<&'static Path> {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("the crate lies in the workspace")
}

pub(super) fn malformed(stage: &mut Stage<'_>) -> Result<String> {
    let mut messages = Malformed::new(workspace()?, stage.unused().into())?;
    let wanted = stage.malformed.max(1);
    let rate = (wanted / stage.time.as_secs().max(1)).max(RATE);
    let mut changed = 0;
    while changed < wanted {
        stage.site.spray.times(
            (wanted - changed).min(10_000),
            Pace::Of(rate),
            |spray, _| {
                let (frame, end, mutated) = messages.next()?;
                spray.send(&frame);
                changed += u64::from(mutated);
                if let Some(end) = end {
                    spray.send(&end);
                }
                Ok(())
            },
        )?;
    }
    Ok(format!("{changed} malformed DICOM and HL7 messages"))
}

/// The limit falls to little more than what is held, and everything comes at once.
pub(super) fn memory(stage: &mut Stage<'_>) -> Result<String> {
    let held = stage.site.group.held()?;
    let limit = SHORT.max(held + SPARE);
    ensure!(limit <= memory::LIMIT, "more is held than is allowed");
    stage.site.group.limit(limit)?;
    let mut messages = Malformed::new(workspace()?, stage.unused().into())?;
    let mut frame = datagram()?;
    let mut dice = stage.dice();
    let mut connection = stage.connection();
    let sent = stage
        .site
        .spray
        .during(stage.time, Pace::Of(MIXED), |spray, number| {
            match number % 3 {
                0 => {
                    spoof(&mut frame, dice.next());
                    spray.send(&frame);
                }
                1 => {
                    let (frame, end, _) = messages.next()?;
                    spray.send(&frame);
                    if let Some(end) = end {
                        spray.send(&end);
                    }
                }
                _ => spray.send(&connection.message()?),
            }
            Ok(())
        });
    stage.site.group.limit(memory::LIMIT)?;
    let end = connection.end()?;
    stage.site.spray.send(&end);
    Ok(format!(
        "at most {} MB, of which {} were held, while {} flows, malformed and valid messages came",
        limit >> 20,
        held >> 20,
        sent?
    ))
}
