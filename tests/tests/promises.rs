//! The page of promises names tests that are there.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

/// Files of Rust code below `folder`.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            sources(&path, found)?;
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push(path);
        }
    }
    Ok(())
}

/// Names of the functions after a `#[test]`, also within `proptest!`.
fn tests_of(text: &str) -> impl Iterator<Item = &str> {
    text.split("#[test]").skip(1).filter_map(|rest| {
        let (_, rest) = rest.split_once("fn ")?;
        rest.split_once(['(', ' ']).map(|(name, _)| name)
    })
}

#[test]
fn each_promise_names_tests_that_are_there() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    // `sensor` has the crates that it is made of below it.
    for folder in [
        "sensor",
        "sensor-common/src",
        "tests/tests",
        "evaluation/src",
    ] {
        sources(&root.join(folder), &mut files)?;
    }
    let texts = files
        .iter()
        .map(fs::read_to_string)
        .collect::<Result<Vec<_>, _>>()?;
    let there: HashSet<&str> = texts.iter().flat_map(|text| tests_of(text)).collect();
    let page = fs::read_to_string(root.join("docs/promises.md")).context("docs/promises.md")?;
    // Every name in code with an underscore and nothing but letters is one of a test.
    let named: Vec<&str> = page
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|name| {
            name.contains('_') && name.bytes().all(|it| it == b'_' || it.is_ascii_lowercase())
        })
        .collect();
    ensure!(named.len() > 30, "only {} tests are named", named.len());
    let missing: Vec<_> = named.iter().filter(|name| !there.contains(*name)).collect();
    ensure!(missing.is_empty(), "no such tests: {missing:?}");
    Ok(())
}
