//! An operator, or what acts for one, in a frenzy: reloads with good and bad files, models in turns.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;

use super::super::{
    account::number,
    frames::{datagram, spoof},
    spray::Pace,
    stage::Stage,
};
use crate::{models as fixture, wait::wait_for};

/// Time between two reloads.
const PAUSE: Duration = Duration::from_millis(20);
const SECONDS: Duration = Duration::from_secs(30);
/// Flows between two models.
const FLOWS: u64 = 200;
/// Models of the fixture that no daemon takes.
const DAMAGED: [&str; 2] = ["truncated.onnx", "altered-weight.onnx"];

pub(super) fn reloads(stage: &mut Stage<'_>) -> Result<String> {
    let path = stage.site.config();
    let good = fs::read_to_string(&path)?;
    let turns = [
        good.clone(),
        format!("{good}\nnonsense = 1\n"),
        good.replace("idle_other = \"3s\"", "idle_other = \"4s\""),
        good.replacen("[store]", "[store", 1),
        good.replace("size = \"1MiB\"", "size = \"2MiB\""),
    ];
    let told = |stage: &Stage<'_>| {
        let log = stage.site.daemon.log();
        let of = |what: &str| log.matches(what).count();
        [of("reloaded"), of("the old one stays in force")]
    };
    let before = told(stage);
    let mut flow = datagram()?;
    let mut dice = stage.dice();
    let start = Instant::now();
    let mut count = 0;
    while start.elapsed() < stage.time {
        // Renamed into place: an empty file, as it is for a moment otherwise, is one that says the defaults.
        let new = path.with_extension("new");
        fs::write(&new, &turns[count % turns.len()])?;
        fs::rename(&new, &path)?;
        stage.site.signal(Signal::SIGHUP)?;
        stage.site.spray.times(10, Pace::Full, |spray, _| {
            spoof(&mut flow, dice.next());
            spray.send(&flow);
            Ok(())
        })?;
        count += 1;
        thread::sleep(PAUSE);
    }
    fs::write(&path, &good)?;
    let storm = told(stage);
    stage.site.signal(Signal::SIGHUP)?;
    wait_for("the last reload", SECONDS, || {
        (told(stage)[0] > storm[0]).then_some(())
    })?;
    let after = told(stage);
    let [taken, refused] = [after[0] - before[0], after[1] - before[1]];
    ensure!(taken > 0 && refused > 0, "{taken} taken, {refused} refused");
    Ok(format!(
        "{count} signals: {taken} reloads, of them {refused} with a bad file and the old settings"
    ))
}

pub(super) fn models(stage: &mut Stage<'_>) -> Result<String> {
    let folder = fixture::made()?;
    let counts = |stage: &Stage<'_>| -> Result<[u64; 4]> {
        let status = stage.site.status()?;
        let of = |name: &str| number(&status, &format!("/model/{name}"));
        Ok([
            of("loads"),
            of("refusals"),
            of("flows/failed"),
            of("flows/scored"),
        ])
    };
    let before = counts(stage)?;
    let mut flow = datagram()?;
    let mut dice = stage.dice();
    let (mut loaded, mut refused) = (0_u64, 0_u64);
    let start = Instant::now();
    while start.elapsed() < stage.time || loaded % 2 > 0 || loaded == 0 {
        stage.site.spray.times(FLOWS, Pace::Full, |spray, _| {
            spoof(&mut flow, dice.next());
            spray.send(&flow);
            Ok(())
        })?;
        // Loaded anew, neither would pass: it finds the floods strange, and the gate says that it does not fit the site.
        let said = stage.site.cli(&["model", "rollback", "--reason", "soak"])?;
        ensure!(said.status.success(), "{said:?}");
        loaded += 1;
        let name = DAMAGED[usize::try_from(loaded % 2)?];
        let model = folder.join(name);
        let model = model.to_str().context("a path")?;
        let said = stage
            .site
            .cli(&["model", "load", model, "--reason", "soak"])?;
        ensure!(said.status.code() == Some(1), "{name}: {said:?}");
        refused += 1;
    }
    let after = counts(stage)?;
    ensure!(
        [after[0] - before[0], after[1] - before[1]] == [loaded, refused],
        "{loaded} loaded and {refused} refused, the daemon says {before:?} and {after:?}"
    );
    ensure!(
        after[2] == before[2],
        "flows could not be scored: {before:?} and {after:?}"
    );
    ensure!(after[3] > before[3], "no flow was scored");
    Ok(format!(
        "{loaded} times the other of two models, {refused} damaged ones refused, {} flows scored",
        after[3] - before[3]
    ))
}
