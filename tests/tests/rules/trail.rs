//! The audit trail and the kernel's rules: broken, different, or on a full disk.

use std::fs;

use anyhow::{Result, ensure};
use sensor_evidence::audit::CHECKPOINTS;
use sensor_facts::rule::RuleId;
use sensor_kernel::PinnedRules;
use tests::{folder::SmallDisk, wait::wait_for};

use super::{SECONDS, number, passage, printed};

#[test]
fn a_broken_trail_is_refused_and_left_as_it_is() -> Result<()> {
    let Some((_turn, passage)) = passage("broken", "")? else {
        return Ok(());
    };
    let mut daemon = passage.start()?;
    passage.json(&["rules", "add", "--device", "10.66.0.1", "--reason", "test"])?;
    daemon.kill()?;
    let whole = fs::read_to_string(passage.trail())?;
    let broken = whole.replacen("10.66.0.1", "10.66.0.2", 1);
    fs::write(passage.trail(), &broken)?;
    let refused = passage
        .middle
        .enter(tests::sensor::binary()?)
        .args(["run", "--config"])
        .arg(passage.config())
        .output()?;
    let words = printed(&refused);
    ensure!(
        refused.status.code() == Some(1) && words.contains("broken at line 2"),
        "{words}"
    );
    ensure!(fs::read_to_string(passage.trail())? == broken);
    // What the kernel had stays in force.
    ensure!(PinnedRules::open(&passage.pins())?.all()?.len() == 1);
    fs::write(passage.trail(), whole)?;
    let _daemon = passage.start()?;
    let rules = passage.json(&["rules", "list"])?;
    ensure!(rules["total"] == 1, "{rules}");
    Ok(())
}

#[test]
fn what_the_kernel_has_otherwise_is_put_right_and_said() -> Result<()> {
    let Some((_turn, passage)) = passage("differ", "")? else {
        return Ok(());
    };
    let mut daemon = passage.start()?;
    let add =
        |device: &str| passage.json(&["rules", "add", "--device", device, "--reason", "test"]);
    add("10.66.0.1")?;
    let files = [passage.trail(), passage.trail().with_file_name(CHECKPOINTS)];
    let older = files.clone().map(fs::read);
    add("10.66.0.2")?;
    passage.json(&[
        "protect",
        "add",
        "--device",
        "10.66.0.9",
        "--reason",
        "test",
    ])?;
    daemon.kill()?;
    // As if the disk had lost the end of the trail and of its checkpoints: the kernel has a rule that nobody knows of.
    for (path, older) in files.iter().zip(older) {
        fs::write(path, older?)?;
    }
    let mut daemon = passage.start()?;
    let ids = || -> Result<Vec<RuleId>> {
        let rules = PinnedRules::open(&passage.pins())?.all()?;
        Ok(rules.into_iter().map(|rule| rule.id).collect())
    };
    ensure!(ids()? == [1], "the unknown rule is in force: {:?}", ids()?);
    let log = daemon.log();
    ensure!(
        log.contains("rule 2 was in the kernel and nobody was told so: removed")
            && log.contains("never-block list lacked 0 entries and had 1 too many"),
        "{log}"
    );
    daemon.stop()?;
    // As after a reboot: the kernel has nothing, and the trail's rule is in force again.
    passage.json(&[
        "unload",
        "--config",
        &passage.config().display().to_string(),
    ])?;
    let _daemon = passage.start()?;
    ensure!(
        ids()? == [1],
        "the rule is not in force again: {:?}",
        ids()?
    );
    let trail = passage.trail().display().to_string();
    let shown = passage
        .json(&["audit", "show", &trail, "--last", "100"])?
        .to_string();
    ensure!(shown.contains("nobody was told so"), "{shown}");
    Ok(())
}

/// Rules that are made meanwhile.
const RULES: usize = 20;

#[test]
fn containment_goes_on_while_the_trails_disk_is_full() -> Result<()> {
    let Some((_turn, passage)) = passage("full", "")? else {
        return Ok(());
    };
    let state = passage.folder().join("state");
    let _disk = SmallDisk::mount(&state, 64 << 10)?;
    let mut daemon = passage.start()?;
    let filler = state.join("filler");
    // As much as fits.
    let _ = fs::write(&filler, vec![0; 256 << 10]);
    // More than the last page of the trail's file has room for.
    for number in 1..=RULES {
        let device = format!("10.66.0.{number}");
        passage.json(&["rules", "add", "--device", &device, "--reason", "test"])?;
    }
    let kernel = || -> Result<usize> { Ok(PinnedRules::open(&passage.pins())?.all()?.len()) };
    ensure!(kernel()? == RULES, "the rules are not in force");
    let warnings = wait_for("the status to say it", SECONDS, || {
        let status = passage.json(&["status"]).ok()?;
        let text = status["warnings"].to_string();
        text.contains("audit trail can't be written")
            .then_some(text)
    })?;
    ensure!(warnings.contains("No space left"), "{warnings}");
    fs::remove_file(&filler)?;
    wait_for("the trail to be written again", SECONDS, || {
        let status = passage.json(&["status"]).ok()?;
        (status["containment"]["waiting"] == 0).then_some(())
    })?;
    daemon.kill()?;
    let trail = passage.trail().display().to_string();
    let verified = passage.json(&["audit", "verify", &trail])?;
    ensure!(
        verified["torn"] == 0 && number(&verified["entries"]) > 20,
        "{verified}"
    );
    let mut daemon = passage.start()?;
    let rules = passage.json(&["rules", "list"])?;
    ensure!(rules["total"] == RULES && kernel()? == RULES, "{rules}");
    ensure!(!daemon.log().contains("put right"), "{}", daemon.log());
    daemon.stop()?;
    Ok(())
}
