//! The commands of `docs/backup.md`, run as they stand there.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tests::{
    ability::{privileged, programs},
    reading::number,
    site::{SCANS_ALERT, SECONDS, Site},
    wait::wait_for,
};

/// A block of the page, by the word after `sh`.
fn block(name: &str) -> Result<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/backup.md");
    let text = fs::read_to_string(page)?;
    let begin = format!("```sh {name}\n");
    let (_, rest) = text.split_once(&begin).context("no such block")?;
    Ok(rest.split("```").next().unwrap_or_default().to_owned())
}

fn run(name: &str, state: &Path, backup: &Path) -> Result<()> {
    let output = Command::new("sh")
        .args(["-c", &block(name)?])
        .env("STATE", state)
        .env("BACKUP", backup)
        .output()?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success() && error.is_empty(),
        "{name}: {error}"
    );
    Ok(())
}

fn done(site: &Site, arguments: &[&str]) -> Result<()> {
    let output = site.cli(arguments)?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{arguments:?}: {error}");
    Ok(())
}

/// What people and the sensor know.
fn known(site: &Site) -> Result<Vec<Value>> {
    let addresses = |list: &Value| -> Value {
        let items = list["items"].as_array().into_iter().flatten();
        items.map(|item| item["address"].clone()).collect()
    };
    let items =
        |arguments: &[&str]| -> Result<Value> { Ok(site.json(arguments)?["items"].clone()) };
    let alerts = items(&["alerts", "list"])?;
    let rules = items(&["rules", "list"])?;
    Ok(vec![
        addresses(&site.json(&["devices", "list"])?),
        alerts[0]["title"].clone(),
        alerts[0]["label"].clone(),
        ["id", "target", "reason", "expires", "state"]
            .iter()
            .map(|key| rules[0][key].clone())
            .collect(),
        items(&["protect", "list"])?,
        items(&["exceptions", "list"])?,
    ])
}

fn sessions(state: &Path) -> Result<String> {
    let database = state.join("store.sqlite");
    let output = Command::new("sqlite3")
        .arg(database)
        .arg("SELECT count(*), sum(id) FROM session; PRAGMA integrity_check")
        .output()?;
    Ok(String::from_utf8(output.stdout)?)
}

#[test]
fn a_backup_is_restored_with_inventory_rules_and_trail() -> Result<()> {
    if !privileged() || !programs(["sqlite3"]) {
        return Ok(());
    }
    let mut site = Site::start("backup", SCANS_ALERT)?;
    let state = site.folder.path.join("state");
    let backup = site.folder.path.join("backup");
    site.send(20)?;
    site.scan(40)?;
    wait_for("the alert", SECONDS, || {
        let alerts = site.json(&["alerts", "list"]).ok()?;
        let title = alerts["items"][0]["title"].as_str()?;
        title.starts_with("40 connections").then_some(())
    })?;
    let why = "--reason=a test";
    done(&site, &["alerts", "label", "1", "malicious", why])?;
    done(
        &site,
        &["rules", "add", "--device", "10.0.0.3", "--ttl", "1h", why],
    )?;
    done(&site, &["protect", "add", "--device", "10.0.0.2", why])?;
    done(&site, &["exceptions", "add-scanner", "10.0.0.9", why])?;
    // What was learnt is saved each 10 s, the inventory each minute or at the end.
    site.restart()?;
    site.send(20)?;
    site.status_when("more messages", |status| {
        number(status, "/pipeline/hl7_messages") >= 20
    })?;
    let before = known(&site)?;
    ensure!(before.iter().all(|one| !one.is_null()), "{before:#?}");

    run("backup", &state, &backup)?;
    let trail = backup.join("audit.jsonl");
    let trail = trail.to_str().context("the path is no text")?;
    done(&site, &["audit", "verify", trail])?;
    let entries = fs::read_to_string(trail)?.lines().count();
    let stored = sessions(&backup)?;
    ensure!(stored.ends_with("ok\n"), "{stored}");

    ensure!(site.daemon.stop()?.success(), "{}", site.daemon.log());
    fs::remove_dir_all(&state)?;
    run("restore", &state, &backup)?;
    ensure!(sessions(&state)? == stored);
    site.start_again()?;
    let after = known(&site)?;
    ensure!(before == after, "before {before:#?}, after {after:#?}");
    done(&site, &["protect", "add", "--device", "10.0.0.7", why])?;
    let trail = state.join("audit.jsonl");
    done(
        &site,
        &["audit", "verify", trail.to_str().context("no text")?],
    )?;
    let text = fs::read_to_string(&trail)?;
    ensure!(text.lines().count() >= entries + 2, "{text}");
    ensure!(site.daemon.stop()?.success(), "{}", site.daemon.log());
    Ok(())
}
