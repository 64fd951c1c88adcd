//! `docs/tables.md` lists every bounded table of the kernel and of the daemon. It is made of `rows.txt` and of the code:
//! `UPDATE_DOCS=1 cargo test --workspace --test tables` writes it.
//!
//! What counts as a table is found in the code: maps of the kernel, fields that hold a cache or a queue, bounded channels,
//! and constants that a length is compared with or cut to.

mod rows;
mod scan;

use std::{
    collections::BTreeSet,
    env,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

use rows::{Row, Rows};
use scan::{Found, Source};

const HEAD: &str = "\
<!-- Made by `UPDATE_DOCS=1 cargo test --workspace --test tables` from the code and tests/tests/tables/rows.txt. -->
# Bounded tables

Whoever sends packets can fill any table. This page lists what is bounded, by how much, who shares the room, what goes first when it is full, where that is counted, and which test holds it.
What it takes to be proven, and what forged traffic can achieve, is in the [threat model](threat-model.md#forged-traffic). A bound is taken from the code or from the default of the [configuration](configuration.md), whose
key is named then. What makes a single answer, report or event line is not listed. \"No\" means that nothing counts it, with the reason where it does no harm.
";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn text(path: &str) -> Result<String> {
    fs::read_to_string(root().join(path)).with_context(|| path.to_owned())
}

/// The default of a key in the page of the configuration.
fn default_of(page: &str, key: &str) -> Result<String> {
    let (section, name) = key.rsplit_once('.').context("a section and a key")?;
    let parts: Vec<_> = page.split("\n## ").collect();
    let heads = [format!("`[{section}]`"), format!("`[[{section}]]`")];
    let part = parts
        .iter()
        .find(|part| heads.iter().any(|head| part.starts_with(head.as_str())));
    let part = part.with_context(|| format!("no section {section}"))?;
    let start = format!("| `{name}` | `");
    let line = part.lines().find_map(|line| line.strip_prefix(&start));
    let line = line.with_context(|| format!("no key {key}"))?;
    let (value, _) = line.split_once('`').context("no default")?;
    Ok(value.trim_matches('"').to_owned())
}

/// The default of a field of the pipeline's limits.
fn limit(code: &str, field: &str) -> Result<String> {
    let start = format!("{field}: ");
    let mut lines = code.lines().map(str::trim);
    let value = lines.find_map(|line| line.strip_prefix(&start)?.strip_suffix(','));
    Ok(value.with_context(|| field.to_owned())?.replace('_', ""))
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The bounds of a row, in words.
fn bounds(row: &Row, found: &Found<'_>, page: &str, limits: &str) -> Result<String> {
    let mut words = BTreeSet::new();
    let mut list = Vec::new();
    for bound in &row.bounds {
        let word = if bound.contains("::") {
            grouped(found.value(bound)?)
        } else if let Some(field) = bound.strip_prefix("Limits.") {
            grouped(limit(limits, field)?.parse()?)
        } else {
            let value = default_of(page, bound)?;
            let value = value.parse().map_or(value, grouped);
            format!("{value} (`{bound}`)")
        };
        if words.insert(word.clone()) {
            list.push(word);
        }
    }
    Ok(if list.is_empty() {
        "fixed".to_owned()
    } else {
        list.join("; ")
    })
}

fn made(rows: &Rows, found: &Found<'_>) -> Result<String> {
    let page = text("docs/configuration.md")?;
    let limits = text("sensor/sessions/src/pipeline/options.rs")?;
    let mut out = HEAD.to_owned();
    for (title, rows) in &rows.parts {
        write!(
            out,
            "\n## {title}\n| table | bound | shared by | when it is full | counted | tests |\n| --- | --- | --- | --- | --- | --- |\n"
        )?;
        for row in rows {
            let tests: Vec<_> = row.tests.iter().map(|name| format!("`{name}`")).collect();
            writeln!(
                out,
                "| {} | {} | {} | {} | {} | {} |",
                row.what,
                bounds(row, found, &page, &limits)?,
                row.shared,
                row.rule,
                row.counted,
                tests.join(", ")
            )?;
        }
    }
    Ok(out)
}

fn sources() -> Result<Vec<Source>> {
    scan::sources(&root())
}

#[test]
fn the_page_of_tables_is_current() -> Result<()> {
    let (rows, sources) = (Rows::read()?, sources()?);
    let made = made(&rows, &Found::of(&sources))?;
    let path = root().join("docs/tables.md");
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &made)?;
    }
    ensure!(
        fs::read_to_string(&path).unwrap_or_default() == made,
        "docs/tables.md is not current: run `UPDATE_DOCS=1 cargo test --workspace --test tables`"
    );
    Ok(())
}

#[test]
fn every_bounded_table_has_a_row() -> Result<()> {
    let (rows, sources) = (Rows::read()?, sources()?);
    let found = Found::of(&sources);
    let mut places: BTreeSet<&str> = BTreeSet::new();
    let mut bounds: BTreeSet<&str> = BTreeSet::new();
    for row in rows.all() {
        places.extend(row.places.iter().map(String::as_str));
        bounds.extend(row.bounds.iter().map(String::as_str));
    }
    let not: BTreeSet<&str> = rows
        .no_tables
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    let unlisted: Vec<_> = found
        .tables
        .iter()
        .filter(|it| !places.contains(it.as_str()))
        .collect();
    ensure!(
        unlisted.is_empty(),
        "no row in tests/tests/tables/rows.txt: {unlisted:#?}"
    );
    let unlisted: Vec<_> = found
        .bounds
        .iter()
        .filter(|it| {
            // It may be another file's.
            let defined = found.defined(it);
            !defined
                .iter()
                .any(|one| bounds.contains(one.as_str()) || not.contains(one.as_str()))
        })
        .collect();
    ensure!(
        unlisted.is_empty(),
        "bounds without a row in tests/tests/tables/rows.txt: {unlisted:#?}"
    );
    let gone: Vec<_> = places
        .iter()
        .filter(|it| !found.tables.contains(**it))
        .collect();
    ensure!(gone.is_empty(), "rows of what is not there: {gone:#?}");
    for name in not {
        found.value(name)?;
    }
    Ok(())
}

#[test]
fn counters_and_tests_of_the_rows_are_there() -> Result<()> {
    let rows = Rows::read()?;
    let metrics = text("docs/metrics.md")?;
    let mut code = String::new();
    for folder in ["sensor", "sensor-common/src", "tests/tests"] {
        read(&root().join(folder), &mut code)?;
    }
    for row in rows.all() {
        for name in row.counted.split('`').skip(1).step_by(2) {
            ensure!(
                metrics.contains(&format!("| `{name}` |")),
                "{}: no metric {name}",
                row.what
            );
        }
        for name in &row.tests {
            let defined = format!("fn {name}(");
            ensure!(code.contains(&defined), "{}: no test {name}", row.what);
        }
        for field in [&row.what, &row.shared, &row.rule, &row.counted] {
            ensure!(!field.is_empty() && !field.contains('|'), "{}", row.what);
        }
    }
    Ok(())
}

fn read(folder: &Path, into: &mut String) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            read(&path, into)?;
        } else if path.extension().is_some_and(|it| it == "rs") {
            into.push_str(&fs::read_to_string(path)?);
        }
    }
    Ok(())
}
