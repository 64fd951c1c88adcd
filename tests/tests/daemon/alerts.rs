//! Alerts and baselines as an operator works on them: from a scan on the wire to the label, and over a
//! restart.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tests::{
    ability::privileged,
    folder::Folder,
    nobody::ask_as_nobody,
    reading::{events, number},
    site::{SCANS_ALERT, SECONDS, Site},
    wait::wait_for,
};

/// Who scans, and whom.
const SUSPECT: &str = "10.0.0.3";
const VICTIM: &str = "10.0.0.4";

#[test]
fn alerts_are_listed_explained_labelled_and_kept() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let mut site = Site::start("alerts", SCANS_ALERT)?;
    ensure!(site.json(&["alerts", "list"])?["total"] == 0);
    let id = alert_after_a_scan(&mut site, 1)?;
    explained(&site, id)?;
    status_and_metrics(&site, id)?;
    refusals(&site)?;
    labelled(&mut site, id)?;
    over_a_restart(&mut site)?;
    trail_and_events(&site)?;
    ensure!(site.daemon.stop()?.success(), "{}", site.daemon.log());
    Ok(())
}

/// Scans until there are so many alerts; the latest.
fn alert_after_a_scan(site: &mut Site, total: u64) -> Result<u64> {
    site.scan(40)?;
    wait_for("an alert", SECONDS, || {
        let alerts = site.json(&["alerts", "list"]).ok()?;
        (number(&alerts, "/total") == total).then(|| number(&alerts, "/items/0/id"))
    })
}

/// Scans, and waits for what comes of it; again if that was too soon after the scan before.
pub(super) fn scan_until(
    site: &mut Site,
    what: &str,
    condition: impl Fn(&Site) -> Result<bool>,
) -> Result<()> {
    let mut waited = Ok(());
    for _ in 0..4 {
        // The datagrams of a flow that goes on would only keep it going.
        site.scan(40)?;
        waited = wait_for(what, SECONDS / 2, || condition(site).ok()?.then_some(()));
        if waited.is_ok() {
            break;
        }
    }
    waited
}

fn said(site: &Site, arguments: &[&str]) -> Result<String> {
    let output = site.cli(arguments)?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{arguments:?}: {error}");
    Ok(String::from_utf8(output.stdout)?)
}

fn explained(site: &Site, id: u64) -> Result<()> {
    let list = said(site, &["alerts", "list"])?;
    ensure!(list.contains(SUSPECT) && list.contains("open"), "{list}");
    let id = id.to_string();
    let text = said(site, &["alerts", "show", &id])?;
    println!("{text}");
    for part in [
        SUSPECT,
        VICTIM,
        "T1046",
        "Evidence",
        "scan",
        "what is usual",
        "Check first",
        "Containment would",
        "drop",
        "What the policy decided",
    ] {
        ensure!(text.contains(part), "no {part:?} in\n{text}");
    }
    let wide = text.lines().find(|line| line.chars().count() > 80);
    ensure!(wide.is_none(), "wider than 80 columns: {wide:?}");
    let alert = site.json(&["alerts", "show", &id])?;
    ensure!(alert["device"] == SUSPECT && alert["findings"][0]["victims"][0] == VICTIM);
    ensure!(
        alert["check"]
            .as_array()
            .is_some_and(|check| !check.is_empty()),
        "{alert}"
    );
    ensure!(alert["containment"]["action"].is_string(), "{alert}");
    // The same in the list.
    ensure!(site.json(&["alerts", "list"])?["items"][0]["id"] == alert["id"]);
    Ok(())
}

fn status_and_metrics(site: &Site, id: u64) -> Result<()> {
    let status = site.status_when("the device to be frozen", |status| {
        number(status, "/detection/frozen") == 1
    })?;
    let detection = &status["detection"];
    ensure!(number(detection, "/last/id") == id, "{detection}");
    ensure!(number(detection, "/findings/scan") >= 1, "{detection}");
    ensure!(
        detection["frozen_first"][0]["address"] == SUSPECT,
        "{detection}"
    );
    let open: u64 = detection["open"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(_, count)| count.as_u64())
        .sum();
    ensure!(open == 1, "{detection}");
    let learnt = detection["site_learnt"].as_f64();
    ensure!(learnt.is_some_and(|learnt| learnt < 0.01), "{detection}");
    let text = said(site, &["status"])?;
    for part in [
        "Alerts: open 1",
        "1 on hold",
        "0 % of the learning period is over",
    ] {
        ensure!(text.contains(part), "no {part:?} in\n{text}");
    }
    let urgent = status["detection"]["last"]["severity"].as_str();
    if matches!(urgent, Some("high" | "critical")) {
        ensure!(
            status["warnings"]
                .to_string()
                .contains("wardtap alerts list"),
            "{status}"
        );
    }
    let metrics = site.metrics()?;
    let metric = |name: &str| metrics.get(&format!("wardtap_{name}")).copied();
    ensure!(metric("findings_total{detector=\"scan\"}") >= Some(1.0));
    ensure!(metric("findings_total{detector=\"beacon\"}") == Some(0.0));
    ensure!(metric("baseline_devices{state=\"frozen\"}") == Some(1.0));
    ensure!(metric("baseline_bytes") > Some(100.0));
    let told = |name: &str| {
        let all = metrics.iter().filter(|(key, _)| key.starts_with(name));
        all.map(|(_, value)| value).sum::<f64>()
    };
    ensure!((told("wardtap_alerts_total{") - 1.0).abs() < 0.1);
    ensure!((told("wardtap_alerts_open{") - 1.0).abs() < 0.1);
    Ok(())
}

/// Bad input ends with a word of what is wrong, and changes nothing.
fn refusals(site: &Site) -> Result<()> {
    let label = ["alerts", "label", "1", "benign"];
    let cases: [(&[&str], i32, &str); 8] = [
        (&["alerts", "show", "999"], 1, "no alert 999"),
        (&["alerts", "show", "first"], 2, "invalid value"),
        (
            &["alerts", "label", "999", "benign", "--reason", "x"],
            1,
            "no alert 999",
        ),
        (&label, 2, "--reason"),
        (
            &["alerts", "label", "1", "benign", "--reason", " "],
            1,
            "say why",
        ),
        (
            &["alerts", "label", "1", "harmless", "--reason", "x"],
            2,
            "invalid value",
        ),
        (
            &["devices", "baseline", "show", "192.0.2.1"],
            1,
            "nothing is known of 192.0.2.1",
        ),
        (
            &["devices", "baseline", "reset", "192.0.2.1", "--reason", "x"],
            1,
            "nothing is known",
        ),
    ];
    for (arguments, code, words) in cases {
        let output = site.cli(arguments)?;
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(
            output.status.code() == Some(code) && error.contains(words),
            "{arguments:?}: {output:?}"
        );
    }
    let arguments = ["alerts", "label", "1", "benign", "--reason", "x"];
    let answer = ask_as_nobody(&site.folder.path, &arguments)?;
    let error = String::from_utf8_lossy(&answer.stderr).into_owned();
    ensure!(
        answer.status.code() == Some(1) && error.contains("not permitted"),
        "{error}"
    );
    let alert = site.json(&["alerts", "show", "1"])?;
    ensure!(alert["label"].is_null(), "{alert}");
    ensure!(site.json(&["alerts", "cases"])?["total"] == 0);
    Ok(())
}

fn labelled(site: &mut Site, id: u64) -> Result<()> {
    let id = id.to_string();
    let frozen = |site: &Site| -> Result<Value> {
        Ok(site.json(&["devices", "baseline", "show", SUSPECT])?["frozen_until"].clone())
    };
    ensure!(frozen(site)?.is_string());
    let shown = said(site, &["devices", "baseline", "show", SUSPECT])?;
    ensure!(shown.contains("learning is on hold"), "{shown}");

    let label = |site: &Site, verdict: &str| {
        let why = ["--reason", "our own scanner"];
        said(
            site,
            &[&["alerts", "label", &id, verdict], &why[..]].concat(),
        )
    };
    ensure!(label(site, "benign")?.contains("labelled benign"));
    ensure!(frozen(site)?.is_null(), "it is learnt again");
    let again = site.cli(&["alerts", "label", &id, "benign", "--reason", "x"])?;
    ensure!(again.status.code() == Some(1), "{again:?}");
    site.status_when("the exception", |status| {
        number(status, "/detection/exceptions") >= 1 && number(status, "/detection/frozen") == 0
    })?;

    // What it does now is excepted, and no new alert.
    let before = number(&site.json(&["status"])?, "/detection/findings/scan");
    scan_until(site, "an excepted finding", |site| {
        let status = site.json(&["status"])?;
        Ok(number(&status, "/detection/excepted") >= 1)
    })?;
    let status = site.json(&["status"])?;
    ensure!(
        number(&status, "/detection/findings/scan") == before,
        "{status}"
    );
    ensure!(site.json(&["alerts", "list"])?["total"] == 1);

    // On second thoughts: the exception goes, the case is one of an attack.
    label(site, "malicious")?;
    let alert = site.json(&["alerts", "show", &id])?;
    ensure!(alert["label"]["verdict"] == "malicious" && alert["label"]["by"]["uid"] == 0);
    site.status_when("no exception", |status| {
        number(status, "/detection/exceptions") == 0
    })?;
    let cases = site.json(&["alerts", "cases"])?;
    ensure!(
        cases["total"] == 1 && cases["items"][0]["alert"] == alert,
        "{cases}"
    );
    let flows = cases["items"][0]["flows"].as_array().map_or(0, Vec::len);
    ensure!((20..=64).contains(&flows), "{flows} flows");
    let text = said(site, &["alerts", "cases"])?;
    ensure!(
        text.contains("malicious") && text.contains("our own scanner"),
        "{text}"
    );
    let csv = said(site, &["alerts", "cases", "--csv"])?;
    ensure!(!csv.contains(SUSPECT), "no pseudonyms: {csv}");
    let csv = said(site, &["alerts", "cases", "--csv", "--addresses"])?;
    let mut lines = csv.lines();
    let head = lines.next().context("no header")?;
    ensure!(
        head.starts_with("time_ns,client,server,server_port,protocol,duration_s,"),
        "{head}"
    );
    ensure!(head.ends_with(",label"), "{head}");
    let columns = head.split(',').count();
    ensure!(lines.clone().count() == flows);
    for line in lines {
        ensure!(
            line.split(',').count() == columns && line.ends_with(",malicious"),
            "{line}"
        );
        ensure!(line.contains(SUSPECT), "{line}");
    }
    Ok(())
}

/// What was learnt and said is there after a restart, and suspicion too; a reset begins anew.
fn over_a_restart(site: &mut Site) -> Result<()> {
    // The alert of the malicious label goes on, and freezes the device again.
    scan_until(site, "the device to be frozen again", |site| {
        let baseline = site.json(&["devices", "baseline", "show", SUSPECT])?;
        Ok(baseline["frozen_until"].is_string())
    })?;
    let ask = |site: &Site| -> Result<[Value; 3]> {
        Ok([
            site.json(&["devices", "baseline", "show", SUSPECT])?,
            site.json(&["alerts", "show", "1"])?["label"].clone(),
            site.json(&["alerts", "cases"])?,
        ])
    };
    ensure!(site.daemon.stop()?.success(), "{}", site.daemon.log());
    let stopped = fs::metadata(site.folder.path.join("state/baseline.bin"))?.len();
    ensure!(stopped > 0, "no baselines on the disk");
    site.start_again()?;
    let before = ask(site)?;
    ensure!(before[0]["frozen_until"].is_string(), "{before:?}");
    ensure!(
        before[1]["verdict"] == "malicious" && before[2]["total"] == 1,
        "{before:?}"
    );
    site.status_when("the freeze in the status", |status| {
        number(status, "/detection/frozen") == 1
    })?;
    ensure!(site.daemon.stop()?.success(), "{}", site.daemon.log());
    site.start_again()?;
    let after = ask(site)?;
    ensure!(
        after[0]["first_seen"] == before[0]["first_seen"],
        "{before:?} {after:?}"
    );
    ensure!(
        after[0]["frozen_until"] == before[0]["frozen_until"],
        "{before:?} {after:?}"
    );
    ensure!(after[1..] == before[1..], "{before:?} {after:?}");

    let why = ["--reason", "reinstalled"];
    let reset = [&["devices", "baseline", "reset", SUSPECT], &why[..]].concat();
    ensure!(said(site, &reset)?.contains("learning begins again"));
    let gone = site.cli(&["devices", "baseline", "show", SUSPECT])?;
    ensure!(gone.status.code() == Some(1), "{gone:?}");
    Ok(())
}

/// The trail names the person of each change; events are as the schema says.
fn trail_and_events(site: &Site) -> Result<()> {
    let Folder { path, .. } = &site.folder;
    let trail = events(&path.join("state/audit.jsonl"))?;
    let by_root: Vec<&str> = trail
        .iter()
        .filter(|entry| entry["actor"]["uid"] == 0)
        .filter_map(|entry| entry["action"].as_str())
        .collect();
    ensure!(
        by_root
            == [
                "labelled",
                "labelled",
                "exported",
                "exported",
                "baseline_reset"
            ],
        "{by_root:?}"
    );
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/events.schema.json");
    let schema: Value = serde_json::from_str(&fs::read_to_string(docs)?)?;
    let schema = jsonschema::draft202012::new(&schema)?;
    let events = events(&path.join("events.jsonl"))?;
    for event in &events {
        if let Some(error) = schema.iter_errors(event).next() {
            bail!("{error} at {}: {event}", error.instance_path());
        }
    }
    for kind in ["finding", "alert", "audit"] {
        ensure!(
            events.iter().any(|event| event["event_type"] == kind),
            "no {kind}"
        );
    }
    Ok(())
}
