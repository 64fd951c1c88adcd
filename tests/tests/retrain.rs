//! Retraining as an operator does it: a model of the site's own flows is loaded if it is no worse, else the old one
//! stays, and the trail says so.

#[allow(dead_code, reason = "the gate's tests use more of it")]
#[path = "model/rows.rs"]
mod rows;

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Output};

use anyhow::{Context, Result, ensure};
use sensor_analysis::{
    alert::{Case, CaseFlow},
    model::{Recorded, Row, SCHEMA},
};
use sensor_facts::time::Time;
use serde_json::{Value, json};
use tests::{ability, folder::Folder, models, site::Site};

/// Seconds since 1970 of the first flow.
const BEGIN: i64 = 1_790_000_000;
const SECOND: i64 = 1_000_000_000;

/// Ordinary rows, and rows of attacks, as the fixtures' models know them.
const MAKE: &str = "
import sys
from pathlib import Path
from wardtap_models import synthetic
from wardtap_models.rows import write
rows = synthetic.rows(9000, seed=5, attacks=60)
write(Path(sys.argv[1]) / 'normal.csv', rows.normal().without_label())
write(Path(sys.argv[1]) / 'attacks.csv', rows.take(rows.label != '').without_label())
";

/// A trainer for whom attacks are ordinary: what would come of poisoned rows.
const POISONED: &str = "
import sys
from pathlib import Path
from wardtap_models import synthetic
from wardtap_models.artifact import describe, save
from wardtap_models.assemble import assemble
from wardtap_models.split import by_time
from wardtap_models.trainers import trainer
from wardtap_models.training import Settings, learn
rows = synthetic.rows(6000, seed=5, attacks=3000).without_label()
library = trainer('sklearn')
parts = by_time(rows, 0.6, 0.4, 0.0, 1)
model = assemble(learn(library, parts.train, parts.calibrate, Settings(seed=1, epochs=8)))
describe(model, parts.train, parts.calibrate, library.name, library.versions(), 1)
save(model, Path(sys.argv[sys.argv.index('--out') + 1]))
";

#[test]
fn a_model_of_the_sites_flows_is_loaded_if_it_is_no_worse() -> Result<()> {
    if !ability::privileged() || !ability::models(false) {
        return Ok(());
    }
    let folder = Folder::create("retrain")?;
    let state = folder.path.join("state");
    fs::create_dir_all(&state)?;
    prepare(&folder.path, &state)?;
    let fake = fake(&folder.path)?;
    let events = folder.path.join("events.jsonl");
    let more = format!(
        "[model]\npath = \"{}\"\nruntime = \"{}\"\n",
        models::made()?.join("good.onnx").display(),
        models::runtime().display()
    );
    let site = Site::start_in("retrain", folder, &events, &more)?;
    let in_use =
        || -> Result<Value> { Ok(site.json(&["status"])?["model"]["model"]["name"].clone()) };
    ensure!(in_use()? == "good.onnx");

    let python = models::python().display().to_string();
    let output = retrain(&site, &python, &["--dry-run"])?;
    ensure!(output.status.success(), "{output:?}");
    ensure!(in_use()? == "good.onnx", "a dry run loads nothing");
    let text = String::from_utf8(output.stdout)?;
    println!("{text}");
    for part in ["malicious cases", "benign cases", "latest"] {
        ensure!(text.contains(part), "no {part:?} in\n{text}");
    }

    let output = retrain(&site, &fake, &[])?;
    ensure!(output.status.code() == Some(1), "{output:?}");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(
        error.contains("worse than the one in use") && error.contains("alerts 7"),
        "{error}"
    );
    ensure!(in_use()? == "good.onnx", "the old one stays");

    let output = retrain(&site, &python, &[])?;
    ensure!(output.status.success(), "{output:?}");
    ensure!(in_use()? == "site.onnx");

    let output = retrain(&site, "/nonexistent/python", &[])?;
    ensure!(output.status.code() == Some(1), "{output:?}");
    ensure!(
        String::from_utf8_lossy(&output.stderr).contains("--python"),
        "{output:?}"
    );
    told(&site)
}

fn retrain(site: &Site, python: &str, more: &[&str]) -> Result<Output> {
    let words = [
        "model",
        "retrain",
        "--reason",
        "change 4712",
        "--python",
        python,
    ];
    site.cli(&[&words[..], more].concat())
}

/// The trail has the refusal with its check, the load with its reason, and what was given out for them.
fn told(site: &Site) -> Result<()> {
    let text = fs::read_to_string(site.folder.path.join("state/audit.jsonl"))?;
    let mut told = Vec::new();
    for line in text.lines() {
        let entry: Value = serde_json::from_str(line)?;
        let word = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        if ["model_refused", "model_loaded", "exported"].contains(&word("action").as_str()) {
            told.push((
                word("action"),
                word("check"),
                entry["actor"]["kind"] == "person",
            ));
        }
    }
    let entry = |action: &str, check: &str, person| (action.to_owned(), check.to_owned(), person);
    let exports = [entry("exported", "", true), entry("exported", "", true)];
    let mut expected = vec![entry("model_loaded", "", false)];
    expected.extend(exports.clone());
    expected.extend(exports.clone());
    expected.push(entry("model_refused", "regression cases", true));
    expected.extend(exports);
    expected.push(entry("model_loaded", "", true));
    ensure!(told == expected, "{told:?}");
    Ok(())
}

/// What a daemon would have kept of a time: flows, and a case of each kind.
fn prepare(folder: &Path, state: &Path) -> Result<()> {
    rows::python(&["-c", MAKE, folder.to_str().context("a path")?])?;
    let read =
        |name: &str| -> Result<Vec<Row>> { rows::parse(&fs::read_to_string(folder.join(name))?) };
    let (normal, attacks) = (read("normal.csv")?, read("attacks.csv")?);
    let mut recorded = Recorded::default();
    for (second, mut row) in (BEGIN..).zip(normal.iter().cloned()) {
        row.time = Time(second * SECOND);
        recorded.take(&row);
    }
    recorded.save(state)?;
    let cases = [
        case(7, "malicious", attacks.into_iter().take(60))?,
        case(8, "benign", normal.into_iter().take(20))?,
    ];
    fs::write(state.join("cases.json"), serde_json::to_vec(&cases)?)?;
    Ok(())
}

fn case(id: u64, verdict: &str, flows: impl Iterator<Item = Row>) -> Result<Case> {
    let time = "2026-09-21T00:00:00Z";
    let by = json!({ "kind": "person", "uid": 1004 });
    let alert = json!({
        "id": id, "device": "10.0.0.9", "severity": "high", "confidence": 0.9, "title": "-", "opened": time,
        "updated": time, "techniques": [], "findings": [], "finding_count": 1, "check": [],
        "label": { "verdict": verdict, "by": by, "time": time, "reason": "-" },
    });
    Ok(Case {
        alert: serde_json::from_value(alert)?,
        schema: SCHEMA.to_owned(),
        flows: flows.map(CaseFlow::from).collect(),
    })
}

/// A Python that does not train with what it is given.
fn fake(folder: &Path) -> Result<String> {
    let program = folder.join("poisoned.py");
    fs::write(&program, POISONED)?;
    let path = folder.join("python");
    let python = models::python();
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = -c ] && exec {0} \"$@\"\nexec {0} {1} \"$@\"\n",
        python.display(),
        program.display()
    );
    fs::write(&path, script)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    Ok(path.display().to_string())
}
