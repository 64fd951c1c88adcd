//! Incidents as an operator works on them: from a scan on the wire to the end, over a restart.

use std::{fs, path::Path};

use anyhow::{Result, bail, ensure};
use serde_json::Value;
use tests::{
    ability::privileged,
    nobody::ask_as_nobody,
    reading::{events, number},
    site::{SCANS_ALERT, SECONDS, Site},
    wait::wait_for,
};

const SUSPECT: &str = "10.0.0.3";
/// A scan of a closed learning time is of low severity.
const LOW_OPENS: &str = "[incident]\nseverity = \"low\"\n";

fn said(site: &Site, arguments: &[&str]) -> Result<String> {
    let output = site.cli(arguments)?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{arguments:?}: {error}");
    Ok(String::from_utf8(output.stdout)?)
}

#[test]
fn incidents_are_listed_told_handled_and_kept() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let mut site = Site::start("incidents", &format!("{SCANS_ALERT}{LOW_OPENS}"))?;
    ensure!(site.json(&["incidents", "list"])?["total"] == 0);
    site.scan(40)?;
    wait_for("an incident", SECONDS, || {
        let incidents = site.json(&["incidents", "list"]).ok()?;
        (number(&incidents, "/total") == 1).then_some(())
    })?;
    shown(&site)?;
    refusals(&site)?;
    handled(&site)?;
    ensure!(site.daemon.stop()?.success(), "{}", site.daemon.log());
    site.start_again()?;
    let incident = &site.json(&["incidents", "show", "I1"])?["incident"];
    ensure!(
        incident["notes"][0]["note"] == "ward 3 has it",
        "{incident}"
    );
    ensure!(incident["end"]["by"]["uid"] == 0, "{incident}");
    trail_and_events(&site)?;
    ensure!(site.daemon.stop()?.success(), "{}", site.daemon.log());
    Ok(())
}

fn shown(site: &Site) -> Result<()> {
    let list = said(site, &["incidents", "list", "--state", "open"])?;
    ensure!(list.contains("I1") && list.contains(SUSPECT), "{list}");
    let other = site.json(&["incidents", "list", "--device", "192.0.2.1"])?;
    ensure!(other["total"] == 0, "{other}");
    let text = said(site, &["incident", "show", "I1"])?;
    println!("{text}");
    for part in [
        "Incident I1",
        "Discovery",
        "Who",
        "it began with",
        "(alert 1)",
        "What happened, in order",
        "To whom",
        "How far",
        "What may come next",
    ] {
        ensure!(text.contains(part), "no {part:?} in\n{text}");
    }
    let wide = text.lines().find(|line| line.chars().count() > 80);
    ensure!(wide.is_none(), "wider than 80 columns: {wide:?}");
    site.status_when("an open incident", |status| {
        let counts = status["detection"]["incidents"].as_object();
        counts.into_iter().flatten().any(|(_, count)| *count == 1)
    })?;
    let status = said(site, &["status"])?;
    ensure!(status.contains("Incidents: open 1"), "{status}");
    let metrics = site.metrics()?;
    ensure!(metrics.get("wardtap_incidents_total") == Some(&1.0));
    // The report of the incident, and of its alert, have the same in them.
    let of = |what: &str| -> Result<Value> {
        let text = said(site, &["report", "incident", what, "--format", "json"])?;
        Ok(serde_json::from_str(&text)?)
    };
    let (incident, alert) = (of("I1")?, of("1")?);
    ensure!(incident["incident"]["id"] == 1 && alert["incident"]["id"] == 1);
    ensure!(incident["patient_zero"]["address"] == SUSPECT, "{incident}");
    let veiled = said(site, &["incidents", "show", "I1", "--pseudonymise"])?;
    ensure!(!veiled.contains(SUSPECT), "{veiled}");
    Ok(())
}

/// Bad input ends with a word of what is wrong, and changes nothing.
fn refusals(site: &Site) -> Result<()> {
    let cases: [(&[&str], i32, &str); 7] = [
        (&["incidents", "show", "I9"], 1, "no incident I9"),
        (
            &["incidents", "show", "first"],
            2,
            "no incident: write its number",
        ),
        (&["incidents", "close", "I1"], 2, "--reason"),
        (&["incidents", "close", "I1", "--reason", " "], 1, "say why"),
        (
            &["incidents", "merge", "I1", "I1", "--reason", "x"],
            1,
            "with itself",
        ),
        (
            &[
                "incidents",
                "split",
                "I1",
                "--device",
                "10.0.0.9",
                "--reason",
                "x",
            ],
            1,
            "no alert of I1 is about 10.0.0.9",
        ),
        (&["report", "incident", "I9"], 1, "no incident I9"),
    ];
    for (arguments, code, words) in cases {
        let output = site.cli(arguments)?;
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(
            output.status.code() == Some(code) && error.contains(words),
            "{arguments:?}: {output:?}"
        );
    }
    let arguments = ["incidents", "close", "I1", "--reason", "x"];
    let answer = ask_as_nobody(&site.folder.path, &arguments)?;
    ensure!(answer.status.code() == Some(1), "{answer:?}");
    Ok(())
}

fn handled(site: &Site) -> Result<()> {
    let why = ["--reason", "it scans"];
    let noted = said(site, &["incidents", "note", "I1", "ward 3 has it"])?;
    ensure!(noted.contains("added to I1"), "{noted}");
    // Nothing but a scan was seen of the suspect, and no handshake: any host can have sent it, or a rule is proposed.
    let contain = [&["incidents", "contain", "I1"][..], &why].concat();
    let output = site.cli(&contain)?;
    let text = String::from_utf8(output.stdout)?;
    println!("{text}");
    ensure!(text.contains(SUSPECT), "{text}");
    let rules = site.json(&["rules", "list"])?;
    for rule in rules["items"].as_array().into_iter().flatten() {
        ensure!(rule["state"] == "proposed", "{rule}");
    }
    let refused = text.contains("refused");
    ensure!(refused != (number(&rules, "/total") > 0), "{text}{rules}");
    // What is protected is refused, whatever was found of it.
    said(
        site,
        &[&["protect", "add", "--device", SUSPECT][..], &why].concat(),
    )?;
    let text = String::from_utf8(site.cli(&contain)?.stdout)?;
    ensure!(text.contains("refused"), "{text}");
    let label = [&["incidents", "label", "I1", "malicious"][..], &why].concat();
    let labelled = said(site, &label)?;
    ensure!(labelled.contains("and so are its alerts 1"), "{labelled}");
    let alert = site.json(&["alerts", "show", "1"])?;
    ensure!(alert["label"]["verdict"] == "malicious", "{alert}");
    said(site, &[&["incidents", "close", "I1"][..], &why].concat())?;
    let list = site.json(&["incidents", "list", "--state", "closed"])?;
    ensure!(list["total"] == 1, "{list}");
    Ok(())
}

fn trail_and_events(site: &Site) -> Result<()> {
    let trail = fs::read_to_string(site.folder.path.join("state/audit.jsonl"))?;
    let mut changes = Vec::new();
    for line in trail.lines() {
        let entry: Value = serde_json::from_str(line)?;
        if entry["action"] == "incident_changed" {
            ensure!(entry["actor"]["uid"] == 0, "{entry}");
            changes.push(entry["change"].as_str().unwrap_or_default().to_owned());
        }
    }
    ensure!(
        changes == ["noted", "contained", "contained", "labelled", "closed"],
        "{changes:?}"
    );
    let told = events(&site.folder.path.join("events.jsonl"))?;
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/events.schema.json");
    let schema: Value = serde_json::from_str(&fs::read_to_string(docs)?)?;
    let schema = jsonschema::draft202012::new(&schema)?;
    for event in &told {
        if let Some(error) = schema.iter_errors(event).next() {
            bail!("{error} at {}: {event}", error.instance_path());
        }
    }
    let of: Vec<&str> = told
        .iter()
        .filter(|event| event["event_type"] == "incident")
        .filter_map(|event| event["incident"]["change"].as_str())
        .collect();
    ensure!(
        of.first() == Some(&"opened") && of.contains(&"labelled") && of.last() == Some(&"closed"),
        "{of:?}"
    );
    Ok(())
}
