//! Licences and notices of the crates that are in the binary: what their licences ask of who passes them on.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::workspace::cargo_command;

/// How the names of files with licences and notices begin; a library inside of a crate has its own beside it.
const NAMES: [&str; 5] = ["license", "licence", "copying", "notice", "copyright"];

/// A crate of someone else.
struct Crate {
    /// Name and version.
    name: String,
    /// The licence as an SPDX expression.
    licence: String,
    folder: PathBuf,
}

/// One text, with each licence once and the crates that bring it.
pub(super) fn text() -> Result<String> {
    let crates = crates()?;
    let mut text = String::from(
        "The binary has these crates in it, and Rust's standard library (MIT OR Apache-2.0).\n\n",
    );
    let mut texts: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for one in &crates {
        writeln!(text, "{}: {}", one.name, one.licence)?;
        for notice in notices(&one.folder)? {
            texts.entry(notice).or_default().push(&one.name);
        }
    }
    for (notice, names) in texts {
        let line = "-".repeat(79);
        writeln!(text, "\n{line}\n{}\n{line}\n\n{notice}", names.join(", "))?;
    }
    Ok(text)
}

/// The crates from elsewhere that daemon and kernel programs are built of, in order of their names.
fn crates() -> Result<Vec<Crate>> {
    let metadata = json(&["--format-version", "1", "--locked"])?;
    let packages: BTreeMap<&str, &Value> = list(&metadata["packages"])
        .filter_map(|package| Some((package["id"].as_str()?, package)))
        .collect();
    let nodes: BTreeMap<&str, &Value> = list(&metadata["resolve"]["nodes"])
        .filter_map(|node| Some((node["id"].as_str()?, node)))
        .collect();
    let mut wanted: Vec<&str> = packages
        .iter()
        .filter(|(_, package)| {
            ["sensor", "sensor-ebpf"]
                .map(Some)
                .contains(&package["name"].as_str())
        })
        .map(|(id, _)| *id)
        .collect();
    ensure!(
        wanted.len() == 2,
        "no sensor or no sensor-ebpf in the workspace"
    );
    let mut seen = BTreeSet::new();
    while let Some(id) = wanted.pop() {
        if seen.insert(id) {
            let node = nodes
                .get(id)
                .with_context(|| format!("{id} is not resolved"))?;
            wanted.extend(
                list(&node["deps"])
                    .filter(|it| is_linked(it))
                    .filter_map(|it| it["pkg"].as_str()),
            );
        }
    }
    let crates = seen.into_iter().filter_map(|id| packages.get(id).copied());
    // What has no source lies in the workspace.
    crates
        .filter(|package| !package["source"].is_null())
        .map(Crate::of)
        .collect()
}

impl Crate {
    fn of(package: &Value) -> Result<Self> {
        let word = |key: &str| {
            package[key]
                .as_str()
                .with_context(|| format!("a crate without {key}"))
        };
        let manifest = Path::new(word("manifest_path")?);
        Ok(Self {
            name: format!("{} {}", word("name")?, word("version")?),
            licence: word("license")
                .or_else(|_| word("license_file"))?
                .to_owned(),
            folder: manifest
                .parent()
                .context("a manifest without a folder")?
                .to_owned(),
        })
    }
}

/// True for a dependency that is no build script's and no test's.
fn is_linked(dependency: &Value) -> bool {
    list(&dependency["dep_kinds"]).any(|kind| kind["kind"].is_null())
}

/// The texts of a crate's licences and notices.
fn notices(folder: &Path) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .to_lowercase();
        let is_code = path.extension().is_some_and(|ending| ending == "rs");
        if path.is_dir() {
            texts.extend(notices(&path)?);
        } else if NAMES.iter().any(|begin| name.starts_with(begin)) && !is_code {
            let bytes = fs::read(&path)?;
            texts.push(String::from_utf8_lossy(&bytes).trim().to_owned());
        }
    }
    Ok(texts)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn json(arguments: &[&str]) -> Result<Value> {
    // Only what this machine's build takes in.
    let host = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let output = cargo_command("metadata")
        .args(arguments)
        .args(["--filter-platform", &host])
        .output()?;
    ensure!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(serde_json::from_slice(&output.stdout)?)
}
