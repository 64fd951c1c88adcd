//! The model of windows that ships is taken; one that was altered, or is of something else, is not.

use std::{fs, path::Path};

use anyhow::{Result, ensure};
use sensor_analysis::{
    config::Model,
    model::{ModelFile, Models, NextWindows, Refusal, WindowModel, WindowSlot},
};
use sensor_facts::{rule::Actor, time::Time};
use tests::ability;

use super::{State, options, runtime};

fn shipped(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../models")
        .join(name)
}

/// What refuses the shipped model with other bytes in its graph, whose hash is that of the manifest or not.
fn refusal(state: &State, from: &[u8], to: &[u8], hash: bool) -> Result<String> {
    let mut graph = fs::read(shipped("windows-v1.onnx"))?;
    let at = graph.windows(from.len()).position(|part| part == from);
    let at = at.unwrap_or_default();
    graph[at..at + to.len()].copy_from_slice(to);
    let path = state.0.join("altered.onnx");
    fs::write(&path, &graph)?;
    let mut manifest = fs::read_to_string(shipped("windows-v1.manifest.json"))?;
    if hash {
        let read = sensor_analysis::model::ModelFile::read(&shipped("windows-v1.onnx"))?;
        fs::write(state.0.join("altered.manifest.json"), &manifest)?;
        let altered = sensor_analysis::model::ModelFile::read(&path)?;
        manifest = manifest.replace(&read.sha256(), &altered.sha256());
    }
    fs::write(state.0.join("altered.manifest.json"), manifest)?;
    let refused = WindowModel::open(&runtime()?, &path, &[]);
    Ok(refused
        .err()
        .as_ref()
        .map_or("nothing", Refusal::check)
        .to_owned())
}

#[test]
fn the_model_of_windows_that_ships_is_taken_and_an_altered_one_is_not() -> Result<()> {
    if !ability::models(false) {
        return Ok(());
    }
    let state = State::new("windows")?;
    let model = WindowModel::open(&runtime()?, &shipped("windows-v1.onnx"), &[])?;
    ensure!(model.name() == "windows-v1.onnx");
    // The same length, so that the file stays an ONNX file.
    let other = refusal(&state, b"served_out", b"served_two", false)?;
    ensure!(other == "hash", "{other}");
    let other = refusal(&state, b"served_out", b"served_two", true)?;
    ensure!(other == "metadata", "{other}");
    // Four bytes of the first weights.
    let weights = refusal(&state, b"weights0", b"weights9", true)?;
    ensure!(weights != "nothing", "{weights}");
    Ok(())
}

#[test]
fn a_refused_model_of_windows_is_a_warning_and_none_is_used() -> Result<()> {
    if !ability::models(false) {
        return Ok(());
    }
    let state = State::new("no-windows")?;
    let mut options = options(None);
    // A model of flows.
    options.windows = Some(shipped("flow-v1.onnx"));
    let (models, _) = Models::start(options, &state.0, Time(1));
    let next = models.window_slot().take();
    ensure!(matches!(next, Some(NextWindows::Sums)));
    let summary = models.summary();
    let said = summary.warnings.join("; ");
    ensure!(said.contains("the model of windows"), "{said}");
    ensure!(summary.windows.is_none());
    Ok(())
}

#[test]
fn a_model_of_windows_is_loaded_taken_back_and_switched_off_by_a_reload() -> Result<()> {
    if !ability::models(false) {
        return Ok(());
    }
    let state = State::new("windows-loaded")?;
    let mut first = options(None);
    first.windows = Some(shipped("windows-v1.onnx"));
    let (models, _) = Models::start(first.clone(), &state.0, Time(1));
    let slot = models.window_slot();
    // The name of the model that comes next; "sums" without one, "same" if nothing changed.
    let name = |slot: &WindowSlot| match slot.take() {
        Some(NextWindows::Model(model)) => model.name().to_owned(),
        Some(NextWindows::Sums) => "sums".to_owned(),
        None => "same".to_owned(),
    };
    ensure!(name(&slot) == "windows-v1.onnx");
    // The same model with one field more is another file.
    let (graph, manifest) = (
        state.0.join("site.onnx"),
        state.0.join("site.manifest.json"),
    );
    let mut bytes = fs::read(shipped("windows-v1.onnx"))?;
    let old = ModelFile::read(&shipped("windows-v1.onnx"))?.sha256();
    // A field that readers of ONNX files skip: number 15, of no bytes.
    bytes.extend_from_slice(&[0x7a, 0]);
    fs::write(&graph, bytes)?;
    let text = fs::read_to_string(shipped("windows-v1.manifest.json"))?;
    fs::write(&manifest, &text)?;
    let new = ModelFile::read(&graph)?.sha256();
    fs::write(&manifest, text.replace(&old, &new))?;
    let file = ModelFile::read(&graph)?;
    let by = Actor::Daemon;
    let loaded = models.load(&file, &[], None, (Time(2), &by, "a test"))?;
    ensure!(loaded.about.name == "site.onnx" && loaded.replaces == Some(old));
    ensure!(name(&slot) == "site.onnx");
    ensure!(models.summary().windows.as_deref() == Some("site.onnx"));
    let back = models.rollback_windows((Time(3), &by, "a test"))?;
    ensure!(back.about.name == "windows-v1.onnx" && back.replaces == Some(new));
    ensure!(name(&slot) == "windows-v1.onnx");
    // Nothing changed, nothing to do.
    let _ = models.reload(&first, Time(4));
    ensure!(name(&slot) == "same");
    let off = Model {
        enabled: false,
        ..first.clone()
    };
    let _ = models.reload(&off, Time(5));
    ensure!(name(&slot) == "sums" && models.summary().windows.is_none());
    let _ = models.reload(&first, Time(6));
    ensure!(name(&slot) == "windows-v1.onnx");
    Ok(())
}
