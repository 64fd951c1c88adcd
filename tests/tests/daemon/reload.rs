//! Each change of the configuration is in the audit trail and in the compliance report, and a bad file is not forgotten.

use std::fs;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tests::{
    ability::privileged,
    nobody::ask_as_nobody,
    reading::events,
    site::{SECONDS, Site},
    wait::wait_for,
};

const OLDER: &str = "is older than the file";

/// The last entry of the trail with this action, once it is there.
fn entry(site: &Site, action: &str) -> Result<Value> {
    let trail = site.folder.path.join("state/audit.jsonl");
    let trail = trail.to_str().context("the path is no text")?;
    wait_for(&format!("an entry {action}"), SECONDS, || {
        let shown = site.json(&["audit", "show", trail, "--last", "50"]).ok()?;
        let mut found = shown.as_array()?.iter().rev();
        found.find(|entry| entry["action"] == action).cloned()
    })
}

fn is_outdated(status: &Value) -> bool {
    status["warnings"].to_string().contains(OLDER) && status["configuration"]["failed"].is_string()
}

#[test]
fn each_change_of_the_configuration_is_in_trail_and_report() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let mut site = Site::start("audited", "")?;
    let path = site.folder.path.join("wardtap.toml");
    let good = fs::read_to_string(&path)?;
    ensure!(!is_outdated(&site.json(&["status"])?));

    // A bad file: audited, and said until there is a good one.
    fs::write(&path, format!("{good}\n[detect]\nscan_target = 5\n"))?;
    site.signal(Signal::SIGHUP)?;
    let failed = entry(&site, "reload_failed")?;
    ensure!(failed["actor"] == json!({"kind": "signal"}), "{failed}");
    ensure!(
        failed["error"].to_string().contains("scan_target"),
        "{failed}"
    );
    let status = site.status_when("the warning", is_outdated)?;
    ensure!(
        status["warnings"].to_string().contains("scan_target"),
        "{status}"
    );
    let words = String::from_utf8(site.cli(&["status"])?.stdout)?;
    ensure!(
        words.contains(OLDER) && !words.contains("Nothing is wrong"),
        "{words}"
    );
    ensure!(site.metrics()?["wardtap_configuration_outdated"] > 0.5);
    let log = site.daemon.log();
    ensure!(
        !log.contains(": reloaded"),
        "it says that it was reloaded: {log}"
    );

    // A good one that switches a detector off.
    let changed = format!("{good}\n[detect]\noff = [\"scan\"]\nscan_targets = 77\n");
    fs::write(&path, &changed)?;
    site.signal(Signal::SIGHUP)?;
    let change = entry(&site, "configuration_changed")?;
    ensure!(
        change["actor"]["kind"] == "signal" && change["occasion"] == "reload",
        "{change}"
    );
    ensure!(change["detectors_off"] == json!(["scan"]), "{change}");
    let keys = json!([
        {"key": "detect.off", "concern": "detector", "new": "[\"scan\"]"},
        {"key": "detect.scan_targets", "concern": "threshold", "old": "20", "new": "77"},
    ]);
    ensure!(change["changes"] == keys, "{change}");
    site.status_when("no warning", |status| !is_outdated(status))?;
    ensure!(site.metrics()?["wardtap_configuration_outdated"] < 0.5);
    let told = events(&site.folder.path.join("events.jsonl"))?;
    let told = told.iter().filter(|event| event["event_type"] == "audit");
    let told: Vec<_> = told.map(|event| event["audit"]["action"].clone()).collect();
    ensure!(
        told.contains(&json!("reload_failed")) && told.contains(&json!("configuration_changed")),
        "{told:?}"
    );

    // Another configuration at the next start.
    fs::write(&path, changed.replace("77", "88"))?;
    site.restart()?;
    let start = wait_for("the entry of the start", SECONDS, || {
        let start = entry(&site, "configuration_changed").ok()?;
        (start["occasion"] == "start").then_some(start)
    })?;
    ensure!(
        start["changes"][0]["old"] == "77" && start["changes"][0]["new"] == "88",
        "{start}"
    );
    ensure!(
        start["changes"].as_array().map(Vec::len) == Some(1),
        "{start}"
    );

    reported(&site)?;
    ensure!(site.daemon.stop()?.success(), "{}", site.daemon.log());
    Ok(())
}

fn reported(site: &Site) -> Result<()> {
    let report = ["report", "compliance", "--since", "1d"];
    let output = site.cli(&[&report[..], &["--format", "json"]].concat())?;
    let json: Value =
        serde_json::from_slice(&output.stdout).with_context(|| format!("{output:?}"))?;
    let settings = json["acts"]["settings"].as_array().context("no settings")?;
    ensure!(settings.len() == 3, "{settings:?}");
    ensure!(
        settings[0]["reason"].to_string().contains("scan_target"),
        "{settings:?}"
    );
    ensure!(
        settings[1]["change"]["detectors_off"][0] == "scan",
        "{settings:?}"
    );
    ensure!(settings[2]["by"] == "wardtap", "{settings:?}");
    let text = String::from_utf8(site.cli(&report)?.stdout)?;
    let section = text.split("## Changes of configuration").nth(1);
    let section = section.context("no section")?;
    let section = section.split("\n## ").next().unwrap_or_default();
    for part in [
        "a reload failed",
        "detect.off",
        "detect.scan\\_targets",
        "| 20 | 77 |",
        "| 77 | 88 |",
        "| signal |",
    ] {
        ensure!(
            section
                .replace("\\_", "_")
                .contains(&part.replace("\\_", "_")),
            "{part} is not in {section}"
        );
    }
    // Under pseudonyms, values of words are hidden and numbers are not.
    let veiled = site.cli(&[&report[..], &["--pseudonymise"]].concat())?;
    let veiled = String::from_utf8(veiled.stdout)?;
    ensure!(veiled.contains("| 20 | 77 |"), "{veiled}");
    Ok(())
}

#[test]
fn a_person_reloads_and_is_told_what_changed() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let mut site = Site::start("reloads", "")?;
    let path = site.folder.path.join("wardtap.toml");
    let good = fs::read_to_string(&path)?;
    let said = |site: &Site, arguments: &[&str]| -> Result<(Option<i32>, String, String)> {
        let output = site.cli(arguments)?;
        let (said, error) = (
            String::from_utf8(output.stdout)?,
            String::from_utf8(output.stderr)?,
        );
        Ok((output.status.code(), said, error))
    };
    let (code, words, error) = said(&site, &["reload"])?;
    ensure!(
        code == Some(0) && words == "Reloaded. No setting has changed.\n",
        "{words}{error}"
    );

    // What changed is in the answer, and in the trail under the person's name before the answer.
    let changed =
        format!("{good}\n[detect]\noff = [\"scan\"]\nscan_targets = 77\n[ring]\nsize = \"1MiB\"\n");
    fs::write(&path, &changed)?;
    let (code, words, error) = said(&site, &["reload"])?;
    ensure!(code == Some(0), "{error}");
    for part in [
        "Reloaded. 3 settings changed:",
        "detect.scan_targets: 20 -> 77",
        "Detectors switched off: scan.",
        "Restart the daemon to apply: ring.size.",
    ] {
        ensure!(words.contains(part), "no {part:?} in {words}");
    }
    let trail = fs::read_to_string(site.folder.path.join("state/audit.jsonl"))?;
    let last: Value = serde_json::from_str(trail.lines().last().context("no entry")?)?;
    ensure!(
        last["action"] == "configuration_changed"
            && last["actor"]["kind"] == "person"
            && last["actor"]["uid"] == 0,
        "{last}"
    );
    let json = site.json(&["reload"])?;
    ensure!(
        json["occasion"] == "reload" && json["changes"].is_null(),
        "{json}"
    );

    // A bad file: why, an exit code, and an entry with the person's name.
    fs::write(&path, format!("{good}\nnonsense = 1\n"))?;
    let (code, _, error) = said(&site, &["reload"])?;
    ensure!(
        code == Some(1) && error.contains("nonsense") && error.contains("stays in force"),
        "{code:?} {error}"
    );
    let failed = entry(&site, "reload_failed")?;
    ensure!(failed["actor"]["kind"] == "person", "{failed}");
    ensure!(is_outdated(&site.json(&["status"])?));
    let answer = ask_as_nobody(&site.folder.path, &["reload"])?;
    ensure!(answer.status.code() == Some(1), "{answer:?}");
    ensure!(site.daemon.stop()?.success(), "{}", site.daemon.log());
    Ok(())
}
