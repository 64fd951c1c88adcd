//! What the report of the attack says, held against what the attack did. The reader knows the report and nothing else.

use std::{
    collections::BTreeSet,
    fs,
    net::{IpAddr, Ipv4Addr},
    path::Path,
    time::SystemTime,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{hospital::Role, scenario::CANARY, sensor::Sensor};

/// What the intruder did and what came of it, as the attack itself knows it.
#[derive(Clone, Debug)]
pub struct Deeds {
    /// Before its first packet.
    pub begin: SystemTime,
    /// When it was seen to be contained whole.
    pub contained: SystemTime,
    /// The AE title that it used.
    pub title: &'static str,
    /// AE titles that it tried, and that the archive rejected.
    pub rejected: u32,
    /// Images that it got.
    pub images: u64,
    /// The first rule against it.
    pub pair: u64,
    /// The one that holds it.
    pub device: u64,
    /// The alert about it.
    pub alert: u64,
}

/// Has the report of the alert written in all forms, and holds it against what was done.
///
/// # Errors
/// When the report does not say it, or says something else.
pub fn check(sensor: &Sensor, deeds: &Deeds, folder: &Path) -> Result<()> {
    let alert = deeds.alert.to_string();
    let write = |name: &str| -> Result<String> {
        let path = folder.join(name);
        let text = path.to_str().context("a path that is no text")?;
        sensor.ask(&["report", "incident", &alert, "--output", text])?;
        fs::read_to_string(&path).with_context(|| name.to_owned())
    };
    let (data, page) = (write("incident.json")?, write("incident.html")?);
    let text = sensor.ask(&["report", "incident", &alert])?;
    words(&text, deeds)?;
    for shown in [&data, &page, &text] {
        for secret in [CANARY.name, CANARY.id] {
            ensure!(!shown.contains(secret), "a patient is in the report");
        }
    }
    ensure!(page.contains("<svg") && !page.contains("<script"), "{page}");
    facts(&serde_json::from_str(&data)?, deeds)?;
    summary(&text);
    refusals(sensor, deeds)?;
    pseudonyms(sensor, &alert)
}

/// Shows the summary.
fn summary(text: &str) {
    let part = text.split("## ").find(|part| part.starts_with("Summary"));
    println!("{}", part.unwrap_or_default().trim_end());
}

/// What a person reads.
fn words(text: &str, deeds: &Deeds) -> Result<()> {
    let intruder = Role::Intruder.address();
    let (pacs, title) = (Role::Pacs.address(), deeds.title);
    for said in [
        format!("{intruder} ("),
        "is the suspected intruder".to_owned(),
        format!("| {intruder} | first affected device |"),
        format!("| {pacs} | attacked | archive | yes |"),
        format!("called itself \"{title}\""),
        format!("rule {} against {intruder} → {pacs} port", deeds.pair),
        format!("rule {} against {intruder} at ", deeds.device),
        format!("Rule {} is effective", deeds.device),
        format!("Keep {intruder} isolated"),
    ] {
        ensure!(
            text.contains(&said),
            "the report does not say {said:?}:\n{text}"
        );
    }
    Ok(())
}

fn facts(report: &Value, deeds: &Deeds) -> Result<()> {
    let intruder = Role::Intruder.address();
    let core: BTreeSet<Ipv4Addr> = Role::CORE.iter().map(|role| role.address()).collect();
    ensure!(
        report["patient_zero"]["address"] == intruder.to_string(),
        "{report}"
    );

    // It touched the data centre and nothing else.
    let peers = report["peers"].as_array().context("no peers")?;
    let touched: BTreeSet<Ipv4Addr> = peers
        .iter()
        .filter(|peer| peer["by_suspect"] == true && !peer["after"].is_null())
        .filter_map(|peer| peer["address"].as_str()?.parse().ok())
        .filter(|address: &Ipv4Addr| !address.is_multicast() && !address.is_broadcast())
        .collect();
    ensure!(
        touched == core,
        "it touched {core:?}, the report says {touched:?}"
    );
    let hop = |address: IpAddr| {
        let reached = report["spread"]["reached"].as_array()?;
        let one = reached
            .iter()
            .find(|one| one["address"] == address.to_string())?;
        one["hop"].as_u64()
    };
    ensure!(
        hop(Role::Pacs.address().into()) == Some(1),
        "{}",
        report["spread"]
    );

    // What it took.
    let exchanges = report["exchanges"].as_array().context("no exchanges")?;
    let dicom = exchanges.iter().find(|one| one["protocol"] == "DICOM");
    let dicom = dicom.context("no DICOM in the report")?;
    ensure!(
        dicom["server"] == Role::Pacs.address().to_string(),
        "{dicom}"
    );
    // The rule may have come before the first image.
    let stored = dicom["messages"]["C-STORE"].as_u64().unwrap_or(0);
    let received = dicom["bytes_to_suspect"].as_u64().unwrap_or(0);
    ensure!(stored >= deeds.images, "{} images: {dicom}", deeds.images);
    ensure!(deeds.images == 0 || received > 0, "{dicom}");
    ensure!(
        dicom["refused"] == deeds.rejected,
        "{} titles: {dicom}",
        deeds.rejected
    );
    ensure!(dicom["clear_text"] == true, "{dicom}");

    // What was contained, and when.
    let rules = report["containment"]["rules"]
        .as_array()
        .context("no rules")?;
    let ids: Vec<_> = rules
        .iter()
        .filter_map(|rule| rule["id"].as_u64())
        .collect();
    ensure!(
        ids.first() == Some(&deeds.pair) && ids.contains(&deeds.device),
        "rules {ids:?}: {rules:?}"
    );
    let span = [deeds.begin, deeds.contained].map(jiff::Timestamp::try_from);
    let [Ok(begin), Ok(contained)] = span else {
        anyhow::bail!("times beyond the calendar");
    };
    for rule in rules {
        ensure!(
            rule["target"].to_string().contains(&intruder.to_string()),
            "{rule}"
        );
        let since: jiff::Timestamp = rule["enforced"].as_str().context("not in force")?.parse()?;
        ensure!(
            begin <= since && since <= contained,
            "{since} is not within {begin} to {contained}"
        );
        ensure!(rule["by"]["kind"] == "policy", "{rule}");
    }
    let held = &report["containment"]["suspects"];
    ensure!(
        held[0]["address"] == intruder.to_string() && held[0]["state"] == "effective",
        "{held}"
    );

    // The pump gateway is another matter.
    let pump = Role::Pump.address().to_string();
    let others = report["others"].as_array().context("no other alerts")?;
    let apart = others.iter().filter(|one| one["device"] == pump);
    ensure!(
        apart.clone().count() > 0,
        "the pump gateway's alert is not named: {others:?}"
    );
    ensure!(
        apart.clone().all(|one| one["connected"] == false),
        "{others:?}"
    );
    Ok(())
}

/// What can't be is said with what can.
fn refusals(sensor: &Sensor, deeds: &Deeds) -> Result<()> {
    let error = sensor
        .ask(&["report", "incident", "4711"])
        .err()
        .context("a report of nothing")?;
    let error = format!("{error:#}");
    ensure!(error.contains("there is no alert 4711"), "{error}");
    ensure!(error.contains(&deeds.alert.to_string()), "{error}");
    Ok(())
}

/// Under pseudonyms no address of the hospital is left.
fn pseudonyms(sensor: &Sensor, alert: &str) -> Result<()> {
    let veiled = |format| {
        sensor.ask(&[
            "report",
            "incident",
            alert,
            "--pseudonymise",
            "--format",
            format,
        ])
    };
    for shown in [veiled("markdown")?, veiled("html")?, veiled("json")?] {
        let names = [
            Role::Intruder.address().to_string(),
            Role::Pacs.address().to_string(),
            "WS_GUEST".to_owned(),
        ];
        for name in names {
            ensure!(
                !shown.contains(&name),
                "{name} is in the report under pseudonyms:\n{shown}"
            );
        }
    }
    ensure!(
        veiled("markdown")?.contains("are pseudonyms"),
        "nothing says that they are pseudonyms"
    );
    Ok(())
}
