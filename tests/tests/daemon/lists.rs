//! What an operator finds in lists, and mutes: on a real daemon, over its socket.

use std::fs;

use super::alerts::scan_until;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tests::{
    ability::privileged,
    reading::number,
    site::{SCANS_ALERT, Site},
};

/// Who scans, and whom.
const SCANNER: &str = "10.0.0.3";
const VICTIM: &str = "10.0.0.4";

#[test]
fn lists_are_filtered_and_searched_and_a_scanner_is_excepted() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let mut site = Site::start("lists", SCANS_ALERT)?;
    site.send(3)?;
    site.status_when("3 messages", |status| {
        number(status, "/pipeline/hl7_messages") == 3
    })?;
    senders(&site)?;
    imported(&site)?;
    scanner(&mut site)?;
    filtered(&mut site)?;
    found(&site)?;
    ensure!(site.daemon.stop()?.success(), "{}", site.daemon.log());
    Ok(())
}

fn total(site: &Site, arguments: &[&str]) -> Result<u64> {
    Ok(number(&site.json(arguments)?, "/total"))
}

/// Who sends HL7 is listed; who only acknowledges is not.
fn senders(site: &Site) -> Result<()> {
    let senders = site.json(&["devices", "hl7-senders"])?;
    ensure!(number(&senders, "/total") == 1, "{senders}");
    let one = &senders["items"][0];
    ensure!(number(one, "/messages") == 3, "{one}");
    ensure!(
        one["address"] == "10.0.0.1" && one["receivers"][0] == "10.0.0.2",
        "{one}"
    );
    ensure!(total(site, &["devices", "hl7-senders", "--device", "10.9.0.0/16"])? == 0);
    ensure!(total(site, &["sessions", "list", "--device", "10.0.0.1"])? == 1);
    ensure!(total(site, &["sessions", "list", "--device", VICTIM])? == 0);
    Ok(())
}

fn refused(site: &Site, arguments: &[&str], words: &str) -> Result<()> {
    let output = site.cli(arguments)?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(
        !output.status.success() && error.contains(words),
        "{words:?}: {error}"
    );
    Ok(())
}

/// A file with a wrong line changes nothing; one without is taken as a whole.
fn imported(site: &Site) -> Result<()> {
    let file = site.folder.path.join("exceptions.csv");
    let name = file.to_str().context("path")?;
    let good = "for,detectors,until,reason\n10.9.0.0/16,scan sweep,,\"laboratory, change 7\"\nrole:printer,,2099-01-01T00:00:00Z,prints\n";
    fs::write(&file, format!("{good}10.9.0.1,scam,,typing error\n"))?;
    refused(
        site,
        &["exceptions", "import", name],
        "line 4: there is no detector \"scam\"",
    )?;
    ensure!(total(site, &["exceptions", "list"])? == 0);
    fs::write(&file, good)?;
    ensure!(site.cli(&["exceptions", "import", name])?.status.success());
    ensure!(total(site, &["exceptions", "list"])? == 2);
    let output = site.cli(&["exceptions", "export"])?;
    let text = String::from_utf8(output.stdout)?;
    ensure!(
        text.contains("10.9.0.0/16,scan sweep,,\"laboratory, change 7\""),
        "{text}"
    );
    ensure!(total(site, &["exceptions", "list", "--state", "permanent"])? == 1);
    ensure!(total(site, &["exceptions", "list", "--device", "10.9.3.3"])? == 1);
    for id in ["1", "2"] {
        let ended = ["exceptions", "remove", id, "--reason", "only a try"];
        ensure!(site.cli(&ended)?.status.success());
    }
    refused(
        site,
        &["exceptions", "remove", "1", "--reason", "again"],
        "there is no exception 1",
    )
}

/// What an authorised scanner does is muted, counted with its severity, and in the trail.
fn scanner(site: &mut Site) -> Result<()> {
    let add = [
        "exceptions",
        "add-scanner",
        SCANNER,
        "--reason",
        "ours, change 4711",
    ];
    ensure!(site.cli(&add)?.status.success());
    scan_until(site, "a muted finding", |site| {
        Ok(number(&site.json(&["status"])?, "/detection/excepted") >= 1)
    })?;
    ensure!(total(site, &["alerts", "list"])? == 0);
    let one = &site.json(&["exceptions", "list"])?["items"][0];
    ensure!(
        number(one, "/muted") >= 1 && one["last"].is_string(),
        "{one}"
    );
    ensure!(
        one["by"]["uid"] == 0 && one["reason"] == "ours, change 4711",
        "{one}"
    );
    let status = String::from_utf8(site.cli(&["status"])?.stdout)?;
    ensure!(status.contains("more muted by 1 exception"), "{status}");
    // It outlives the daemon.
    let (id, muted) = (number(one, "/id").to_string(), number(one, "/muted"));
    ensure!(site.daemon.stop()?.success(), "{}", site.daemon.log());
    site.start_again()?;
    site.status_when("the new daemon to answer", |_| true)?;
    let after = &site.json(&["exceptions", "list"])?["items"][0];
    ensure!(number(after, "/muted") >= muted, "{after}");
    let ended = ["exceptions", "remove", &id, "--reason", "it was taken away"];
    ensure!(site.cli(&ended)?.status.success());
    // The daemon's trail, wherever its state is.
    let entries = site.json(&["audit", "show", "--device", SCANNER])?;
    let entries: Vec<_> = entries.as_array().into_iter().flatten().collect();
    let is = |entry: &&&Value, action: &str| entry["action"] == action;
    for (action, text) in [
        ("exception_made", "4711"),
        ("exception_ended", "taken away"),
    ] {
        let found = entries.iter().find(|entry| is(entry, action));
        ensure!(
            found.is_some_and(|it| it.to_string().contains(text)),
            "{action}: {entries:?}"
        );
    }
    Ok(())
}

/// The same scan now is an alert, and each filter finds it or not.
fn filtered(site: &mut Site) -> Result<()> {
    scan_until(site, "an alert", |site| {
        Ok(total(site, &["alerts", "list"])? == 1)
    })?;
    for (filter, value, found) in [
        ("--device", SCANNER, 1),
        ("--device", VICTIM, 1),
        ("--device", "10.0.0.0/24", 1),
        ("--device", "10.0.1.0/24", 0),
        ("--severity", "low", 1),
        ("--severity", "critical", 0),
        ("--detector", "scan", 1),
        ("--detector", "sweep", 0),
        ("--state", "open", 1),
        ("--state", "closed", 0),
        ("--since", "1h", 1),
        ("--until", "2020-01-01T00:00:00Z", 0),
    ] {
        let listed = total(site, &["alerts", "list", filter, value])?;
        ensure!(listed == found, "{filter} {value}: {listed}");
    }
    ensure!(total(site, &["flows", "list", "--device", VICTIM])? >= 20);
    ensure!(total(site, &["flows", "list", "--device", "10.0.0.77"])? == 0);
    refused(
        site,
        &["flows", "list", "--device", "CT9"],
        "no device is called \"CT9\"",
    )?;
    let flows = site.json(&["flows", "list", "--sort", "packets:desc", "--limit", "2"])?;
    let packets = |at: usize| {
        let half = |side: &str| number(&flows, &format!("/items/{at}/flow/{side}/packets"));
        half("to_server") + half("to_client")
    };
    ensure!(packets(0) >= packets(1), "{flows}");
    Ok(())
}

fn found(site: &Site) -> Result<()> {
    let hits = site.json(&["search", SCANNER])?;
    let kinds: Vec<&str> = hits
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|hit| hit["kind"].as_str())
        .collect();
    for kind in ["device", "alert", "audit"] {
        ensure!(kinds.contains(&kind), "no {kind} in {kinds:?}");
    }
    let text = String::from_utf8(site.cli(&["search", "ward"])?.stdout)?;
    ensure!(text.contains("wardtap devices show 10.0.0.1"), "{text}");
    Ok(())
}
