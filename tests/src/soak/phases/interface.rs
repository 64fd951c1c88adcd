//! Interfaces that go down and up, get other names, are taken away and come back, while frames come.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use super::super::{account::number, frames::Connection, site::SPAN, spray::Pace, stage::Stage};
use crate::{hospital::MIRROR, wait::wait_for};

/// Frames after each change.
const FRAMES: u64 = 500;
const RATE: u64 = 10_000;
/// Down for so long.
const DOWN: Duration = Duration::from_millis(100);
const SECONDS: Duration = Duration::from_secs(10);

pub(super) fn flaps(stage: &mut Stage<'_>) -> Result<String> {
    let start = Instant::now();
    let mut connection = stage.connection();
    let mut rounds = 0_u32;
    while start.elapsed() < stage.time || rounds == 0 {
        rounds += 1;
        let other = format!("renamed{}", rounds % 10);
        for name in [SPAN, MIRROR] {
            // What is sent into an interface that is down is lost on the way, and no sensor can count it: nothing is.
            let pause = stage.care.pause();
            change(stage, &["link", "set", name, "down"])?;
            thread::sleep(DOWN);
            change(stage, &["link", "set", name, "name", &other])?;
            change(stage, &["link", "set", &other, "up"])?;
            carrier(stage, &other)?;
            drop(pause);
            if name == SPAN {
                still_counts(stage, &mut connection)?;
            }
            let pause = stage.care.pause();
            change(stage, &["link", "set", &other, "down"])?;
            change(stage, &["link", "set", &other, "name", name])?;
            change(stage, &["link", "set", name, "up"])?;
            carrier(stage, name)?;
            drop(pause);
        }
        still_counts(stage, &mut connection)?;
        stage.site.cut()?;
        warned(stage, true)?;
        stage.site.mend()?;
        warned(stage, false)?;
        still_counts(stage, &mut connection)?;
    }
    let end = connection.end()?;
    stage.site.spray.send(&end);
    Ok(format!(
        "{rounds} times: both interfaces down, renamed, up, down, renamed back, up; one deleted and made again"
    ))
}

/// Waits until the status says that the interface is gone, or no more.
fn warned(stage: &Stage<'_>, gone: bool) -> Result<()> {
    let what = if gone { "missed" } else { "listened on" };
    wait_for(&format!("the interface to be {what}"), SECONDS, || {
        let status = stage.site.status().ok()?;
        (status["warnings"].to_string().contains("was taken away") == gone).then_some(())
    })
}

fn change(stage: &Stage<'_>, arguments: &[&str]) -> Result<()> {
    stage.site.hospital.sensor().ip(arguments)?;
    Ok(())
}

/// Frames pass only once both ends of the cable know that it is up.
fn carrier(stage: &Stage<'_>, name: &str) -> Result<()> {
    wait_for("the interface to be up", SECONDS, || {
        let link = stage
            .site
            .hospital
            .sensor()
            .ip(&["link", "show", name])
            .ok()?;
        link.contains("state UP").then_some(())
    })
}

fn still_counts(stage: &mut Stage<'_>, connection: &mut Connection) -> Result<()> {
    let packets = |stage: &Stage<'_>| -> Result<u64> {
        let status = stage.site.status()?;
        let interfaces = status["interfaces"].as_array().into_iter().flatten();
        let mut named = interfaces.filter(|one| one["name"] == SPAN);
        let one = named.next().context("no such interface in the status")?;
        Ok(number(one, "/counters/packets"))
    };
    let before = packets(stage)?;
    stage.site.spray.times(FRAMES, Pace::Of(RATE), |spray, _| {
        spray.send(&connection.message()?);
        Ok(())
    })?;
    let mut now = 0;
    let counted = wait_for("the frames to be counted", SECONDS, || {
        now = packets(stage).ok()?;
        (now - before >= FRAMES).then_some(())
    });
    ensure!(
        counted.is_ok(),
        "{} of {FRAMES} frames were counted after the interface came back",
        now - before
    );
    Ok(())
}
