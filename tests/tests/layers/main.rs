//! The layout of the code: crates depend downwards only, files of a crate don't import each other in large circles, no
//! file is long, and `unsafe` code is in few places.

mod cycles;
mod declared;
mod members;
mod modules;
mod paths;
mod sample;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow, ensure};
use proc_macro2::{TokenStream, TokenTree};

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

/// The crates and files with `unsafe` code: the programs in the kernel and what they share, the one crate that talks to the
/// kernel, the portable engine, and what sets an environment variable before any thread runs. The rest is for tests and
/// benchmarks.
const UNSAFE: [&str; 8] = [
    "sensor-common",
    "sensor-ebpf",
    "sensor/kernel",
    "sensor/sessions/src/capture/engine.rs",
    "sensor/src/main.rs",
    "sensor/benches/memory.rs",
    "tests/src/program.rs",
    "tests/tests/kernel/verifier.rs",
];

/// Lines that a file of Rust code may have.
const LONGEST_FILE: usize = 400;

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
        let cycle: Vec<String> = files.collect();
        if cycle.len() < 2 {
            println!("  no cycle of files");
            continue;
        }
        let words = format!(
            "{} files in the largest cycle: {}",
            cycle.len(),
            cycle.join(" ")
        );
        println!("  {words}");
        if cycle.len() > LARGEST_CYCLE {
            too_large.push(format!(
                "{name}, at most {LARGEST_CYCLE} are allowed: {words}"
            ));
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
        .map(|(lines, file)| format!("{} has {lines} lines", file.display()))
        .collect();
    ensure!(
        too_long.is_empty(),
        "more than {LONGEST_FILE} lines: {}",
        too_long.join(", ")
    );
    Ok(())
}

#[test]
fn unsafe_code_is_where_it_is_allowed() -> Result<()> {
    let root = root()?;
    let mut files = Vec::new();
    sources(&root, &mut files)?;
    let mut with = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file)?;
        if has_unsafe(
            text.parse()
                .map_err(|error| anyhow!("{}: {error}", file.display()))?,
        ) {
            with.push(file.strip_prefix(&root)?.to_owned());
        }
    }
    for allowed in UNSAFE {
        ensure!(
            with.iter().any(|file| file.starts_with(allowed)),
            "UNSAFE lists {allowed}, which has no unsafe code"
        );
    }
    with.retain(|file| !UNSAFE.iter().any(|allowed| file.starts_with(allowed)));
    ensure!(
        with.is_empty(),
        "unsafe code belongs in sensor/kernel, behind a safe function; it is also in {with:?}"
    );
    Ok(())
}

/// True if the keyword `unsafe` is in the code; not for the word in a comment or text.
fn has_unsafe(code: TokenStream) -> bool {
    code.into_iter().any(|token| match token {
        TokenTree::Group(group) => has_unsafe(group.stream()),
        TokenTree::Ident(ident) => ident == "unsafe",
        _ => false,
    })
}
