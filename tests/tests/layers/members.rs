//! The members of the workspace, as `cargo metadata` lists them.

use std::{
    collections::BTreeSet,
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// A crate of the workspace.
pub(crate) struct Member {
    pub(crate) name: String,
    /// Crates of the workspace that it depends on, those of its tests and of its build script included.
    pub(crate) dependencies: BTreeSet<String>,
    /// The files that its library and its programs begin with.
    pub(crate) roots: Vec<PathBuf>,
}

/// The members of the workspace in the folder `root`.
pub(crate) fn read(root: &Path) -> Result<Vec<Member>> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
    let output = Command::new(cargo)
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(root)
        .output()
        .context("can't start cargo metadata")?;
    ensure!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let packages = list(&metadata["packages"]);
    let names: BTreeSet<&str> = packages
        .iter()
        .filter_map(|it| it["name"].as_str())
        .collect();
    let members: Vec<Member> = packages
        .iter()
        .filter_map(|package| {
            Some(Member {
                name: package["name"].as_str()?.to_owned(),
                dependencies: list(&package["dependencies"])
                    .iter()
                    .filter_map(|dependency| dependency["name"].as_str())
                    .filter(|name| names.contains(name))
                    .map(str::to_owned)
                    .collect(),
                roots: list(&package["targets"])
                    .iter()
                    .filter(|target| is_code(&target["kind"]))
                    .filter_map(|target| target["src_path"].as_str())
                    .map(PathBuf::from)
                    .collect(),
            })
        })
        .collect();
    ensure!(!members.is_empty(), "the workspace has no members");
    Ok(members)
}

/// True of libraries and programs; tests, benchmarks, examples and build scripts don't count.
fn is_code(kinds: &Value) -> bool {
    list(kinds)
        .iter()
        .any(|kind| kind == "lib" || kind == "bin" || kind == "proc-macro")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
