//! Models in a running daemon: loaded, refused and taken back by an operator, with what the trail says of it; and a
//! daemon without a runtime.

use std::{fs, path::Path, process::Output};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tests::{
    ability::{self, privileged},
    models,
    reading::{self, number},
    site::{SECONDS, Site},
    wait::wait_for,
};

/// Flows are over soon.
const SHORT: &str = "[flow]\nidle_other = \"1s\"\n";

fn config(model: &Path, runtime: &Path) -> String {
    format!(
        "[model]\npath = \"{}\"\nruntime = \"{}\"\n{SHORT}",
        model.display(),
        runtime.display()
    )
}

fn scored(status: &Value) -> u64 {
    number(status, "/model/flows/scored")
}

fn in_use(status: &Value) -> &str {
    status["model"]["model"]["name"].as_str().unwrap_or("none")
}

/// The entries of the trail about models: action, name, who, and why.
fn trail(site: &Site) -> Result<Vec<(String, String, String, String)>> {
    let text = fs::read_to_string(site.folder.path.join("state/audit.jsonl"))?;
    let mut entries = Vec::new();
    for line in text.lines() {
        let entry: Value = serde_json::from_str(line)?;
        let word = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        if word("action").starts_with("model_") {
            let who = entry["actor"]["kind"].as_str().unwrap_or_default();
            entries.push((word("action"), word("name"), who.to_owned(), word("reason")));
        }
    }
    Ok(entries)
}

fn schema() -> Result<jsonschema::Validator> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/events.schema.json");
    let schema: Value = serde_json::from_str(&fs::read_to_string(path)?)?;
    Ok(jsonschema::draft202012::new(&schema)?)
}

fn load(site: &Site, model: &Path, why: &str) -> Result<Output> {
    let model = model.display().to_string();
    site.cli(&["model", "load", &model, "--reason", why])
}

#[test]
fn an_operator_loads_models_and_goes_back() -> Result<()> {
    if !privileged() || !ability::models(false) {
        return Ok(());
    }
    let folder = models::made()?;
    let path = |name: &str| folder.join(format!("{name}.onnx"));
    let mut site = Site::start("model", &config(&path("good"), &models::runtime()))?;
    let status = site.json(&["status"])?;
    assert_eq!(in_use(&status), "good.onnx", "{status:#}");
    site.scan(60)?;
    let status = site.status_when("60 flows to be scored", |status| scored(status) >= 60)?;
    assert_eq!(number(&status, "/model/flows/failed"), 0);
    let text = String::from_utf8(site.cli(&["status"])?.stdout)?;
    assert!(text.contains("Model: good.onnx (sklearn)"), "{text}");

    // A bad one is refused with the reason, and the old one goes on.
    for (name, says) in [
        ("altered-weight", "golden row 1"),
        ("truncated", "cut or damaged"),
        ("external-data", "another file"),
    ] {
        let output = load(&site, &path(name), "a try")?;
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(error.contains(says) && error.contains("refused"), "{error}");
    }
    let output = load(&site, &path("other"), " ")?;
    assert_eq!(output.status.code(), Some(1), "no reason: {output:?}");
    assert_eq!(in_use(&site.json(&["status"])?), "good.onnx");

    // A Keras model, where there is one, and a way back.
    let name = if models::has_keras() {
        "keras"
    } else {
        "other"
    };
    let output = load(&site, &path(name), "trained anew, change 4712")?;
    ensure!(output.status.success(), "{output:?}");
    let list = site.json(&["model", "list"])?;
    assert_eq!(list["model"]["name"], format!("{name}.onnx"));
    assert_eq!(list["previous"]["name"], "good.onnx");
    assert_eq!(list["entry"]["reason"], "trained anew, change 4712");
    let before = scored(&site.json(&["status"])?);
    site.scan(60)?;
    site.status_when("the new model to score", |status| {
        scored(status) >= before + 60 && number(status, "/model/flows/failed") == 0
    })?;
    let back = site.cli(&["model", "rollback", "--reason", "too many strange flows"])?;
    ensure!(back.status.success(), "{back:?}");
    assert_eq!(in_use(&site.json(&["status"])?), "good.onnx");
    ensure!(load(&site, &path("other"), "the last")?.status.success());

    is_told(&site, &folder, name)?;
    is_counted(&site)?;
    leaves_under_pseudonyms(&site)?;

    // What was loaded last is in use after a restart.
    site.restart()?;
    let status = site.json(&["status"])?;
    assert_eq!(in_use(&status), "other.onnx", "{status:#}");
    Ok(())
}

/// Who did what and why is in the trail, and in the events as the schema says.
fn is_told(site: &Site, folder: &Path, name: &str) -> Result<()> {
    let good = folder.join("good.onnx");
    let entries = trail(site)?;
    let entries: Vec<_> = entries
        .iter()
        .map(|(action, name, who, why)| {
            (action.as_str(), name.as_str(), who.as_str(), why.as_str())
        })
        .collect();
    let keras = format!("{name}.onnx");
    let configured = format!("configured: {}", good.display());
    let expected = [
        ("model_loaded", "good.onnx", "daemon", configured.as_str()),
        ("model_refused", "altered-weight.onnx", "person", "a try"),
        ("model_refused", "truncated.onnx", "person", "a try"),
        ("model_refused", "external-data.onnx", "person", "a try"),
        ("model_refused", "other.onnx", "person", " "),
        (
            "model_loaded",
            keras.as_str(),
            "person",
            "trained anew, change 4712",
        ),
        (
            "model_rolled_back",
            "good.onnx",
            "person",
            "too many strange flows",
        ),
        ("model_loaded", "other.onnx", "person", "the last"),
    ];
    assert_eq!(entries, expected);
    let events = site.folder.path.join("events.jsonl");
    let told = wait_for("the events of it", SECONDS, || {
        let audits: Vec<Value> = reading::events(&events)
            .ok()?
            .into_iter()
            .filter(|event| event["audit"]["action"].to_string().contains("model_"))
            .collect();
        (audits.len() == expected.len()).then_some(audits)
    })?;
    let schema = schema()?;
    for event in &told {
        let error = schema
            .iter_errors(event)
            .next()
            .map(|error| error.to_string());
        assert_eq!(error, None, "{event}");
    }
    Ok(())
}

fn is_counted(site: &Site) -> Result<()> {
    let metrics = site.metrics()?;
    let metric = |name: &str| metrics.get(name).copied();
    assert_eq!(metric("wardtap_model_loaded"), Some(1.0));
    assert_eq!(metric("wardtap_model_loads_total"), Some(3.0));
    assert_eq!(metric("wardtap_model_refusals_total"), Some(3.0));
    assert!(metric("wardtap_model_flows_scored_total") >= Some(120.0));
    assert_eq!(
        metric("wardtap_model_flows_dropped_total{reason=\"failed\"}"),
        Some(0.0)
    );
    Ok(())
}

/// The daemon's own sample of flows has pseudonyms, the same each time, unless addresses are asked for.
fn leaves_under_pseudonyms(site: &Site) -> Result<()> {
    let csv = site.folder.path.join("flows.csv");
    let export = |more: &[&str]| -> Result<String> {
        let arguments = ["export", "features", "--output"];
        let path = csv.to_str().context("path")?;
        let output = site.cli(&[&arguments, &[path][..], more].concat())?;
        ensure!(output.status.success(), "{output:?}");
        let text = fs::read_to_string(&csv)?;
        assert!(text.starts_with("time_ns,client,server,server_port,protocol,duration_s,"));
        Ok(text)
    };
    assert!(export(&["--addresses"])?.contains(",10.0.0.3,10.0.0.4,"));
    let text = export(&[])?;
    assert!(!text.contains(",10.0.0."), "{text}");
    assert_eq!(export(&[])?, text);
    Ok(())
}

#[test]
fn without_a_runtime_all_else_goes_on_and_says_so() -> Result<()> {
    if !privileged() || !ability::models(false) {
        return Ok(());
    }
    let model = models::made()?.join("good.onnx");
    // It is there, and no library.
    let no_library = model.with_extension("manifest.json");
    let mut site = Site::start("noruntime", &config(&model, &no_library))?;
    site.send(20)?;
    site.scan(10)?;
    let status = site.status_when("20 messages", |status| {
        number(status, "/pipeline/hl7_messages") == 20
            && number(status, "/model/flows/no_model") > 0
    })?;
    assert_eq!((in_use(&status), scored(&status)), ("none", 0));
    let why = status["model"]["why_none"].as_str().context("no reason")?;
    assert!(why.contains("model.runtime"), "{why}");
    assert!(
        status["warnings"].to_string().contains("model is not used"),
        "{status:#}"
    );
    let text = String::from_utf8(site.cli(&["status"])?.stdout)?;
    assert!(
        text.contains("Model: none, statistics and protocol detectors go on"),
        "{text}"
    );
    assert_eq!(site.metrics()?.get("wardtap_model_loaded"), Some(&0.0));
    let log = site.daemon.log();
    assert_eq!(log.matches("no model scores flows").count(), 1, "{log}");
    let file = model.display().to_string();
    let output = site.cli(&["model", "load", &file, "--reason", "a try"])?;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("no model can be loaded"));
    Ok(())
}
