//! The layout of the code: crates depend downwards only, files of a crate don't import each other in large circles, and
//! no file is long.

mod cycles;
mod members;
mod modules;
mod paths;
mod sample;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

use cycles::Imports;
use members::Member;

/// The crates of the workspace, bottom first: each may depend on those before it.
const LAYERS: [&str; 13] = [
    "sensor-common",
    "sensor-ebpf",
    "sensor-facts",
    "sensor-kernel",
    "sensor-sessions",
    "sensor-analysis",
    "sensor-output",
    "sensor-evidence",
    "sensor-response",
    "sensor",
    "evaluation",
    "tests",
    "xtask",
];

/// Files of a crate that may import each other, directly or by way of others.
const LARGEST_CYCLE: usize = 3;

/// Modules at the top of a crate that may do so, each taken with everything below it.
const LARGEST_CYCLE_OF_MODULES: usize = 3;

/// Lines that a file of Rust code may have.
const LONGEST_FILE: usize = 400;

/// PENDING: crates whose files still form larger cycles. To be emptied, and then removed.
const PENDING_CYCLES: [&str; 2] = ["sensor", "sensor-none"];

/// PENDING: folders that still have longer files. To be emptied, and then removed.
const PENDING_LENGTH: [&str; 2] = ["sensor", "sensor-common"];

fn root() -> Result<PathBuf> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = package.parent().context("no folder above the package")?;
    Ok(root.to_owned())
}

#[test]
fn crates_depend_on_lower_layers_only() -> Result<()> {
    let members = members::read(&root()?)?;
    let layer = |name: &str| LAYERS.iter().position(|known| *known == name);
    for name in LAYERS {
        ensure!(
            members.iter().any(|member| member.name == name),
            "LAYERS lists {name}, which is not a member of the workspace"
        );
    }
    let mut count = 0;
    for Member {
        name, dependencies, ..
    } in &members
    {
        let own = layer(name).with_context(|| format!("LAYERS does not list {name}"))?;
        for dependency in dependencies {
            let below = layer(dependency).is_some_and(|it| it < own);
            ensure!(
                below,
                "{name} depends on {dependency}, which LAYERS does not list before it"
            );
            count += 1;
        }
    }
    println!(
        "{} crates with {count} dependencies on each other, all on lower layers",
        members.len()
    );
    Ok(())
}

#[test]
fn files_of_a_crate_import_each_other_in_small_cycles_only() -> Result<()> {
    let root = root()?;
    let mut too_large = Vec::new();
    for Member { name, roots, .. } in members::read(&root)? {
        let imports = Imports::of(&roots)?;
        println!(
            "{name}: {} files with {} imports between them",
            imports.files(),
            imports.edges()
        );
        let files = imports.largest_cycle();
        let files = files.iter().map(|file| {
            let file = file.strip_prefix(&root).unwrap_or(file);
            file.display().to_string()
        });
        let modules = imports.largest_cycle_of_modules();
        for (what, cycle, most) in [
            ("files", files.collect(), LARGEST_CYCLE),
            ("modules", modules, LARGEST_CYCLE_OF_MODULES),
        ] {
            if cycle.len() < 2 {
                println!("  no cycle of {what}");
                continue;
            }
            let words = format!(
                "{} {what} in the largest cycle: {}",
                cycle.len(),
                cycle.join(" ")
            );
            println!("  {words}");
            if cycle.len() > most && !PENDING_CYCLES.contains(&name.as_str()) {
                too_large.push(format!("{name}, at most {most} are allowed: {words}"));
            }
        }
    }
    ensure!(too_large.is_empty(), "{}", too_large.join("\n"));
    Ok(())
}

/// Files of Rust code below `folder`, without what is built, hidden folders and other checkouts.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        if entry.file_type()?.is_dir() {
            let hidden = name.to_string_lossy().starts_with('.');
            if name != "target" && !hidden {
                sources(&path, found)?;
            }
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push(path);
        }
    }
    Ok(())
}

#[test]
fn no_file_is_long() -> Result<()> {
    let root = root()?;
    let mut files = Vec::new();
    sources(&root, &mut files)?;
    let mut lines = Vec::new();
    for file in &files {
        let file = file.strip_prefix(&root)?;
        let text = fs::read_to_string(root.join(file))?;
        lines.push((text.lines().count(), file));
    }
    lines.sort();
    let (longest, file) = lines.last().context("no files")?;
    println!(
        "{} files, the longest {} of {longest} lines",
        lines.len(),
        file.display()
    );
    let too_long: Vec<_> = lines
        .iter()
        .filter(|(lines, _)| *lines > LONGEST_FILE)
        .filter(|(_, file)| !PENDING_LENGTH.iter().any(|folder| file.starts_with(folder)))
        .map(|(lines, file)| format!("{} has {lines} lines", file.display()))
        .collect();
    ensure!(
        too_long.is_empty(),
        "more than {LONGEST_FILE} lines: {}",
        too_long.join(", ")
    );
    Ok(())
}
