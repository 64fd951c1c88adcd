//! The rows of the page of tables, from `rows.txt`.

use anyhow::{Context, Result, bail};

/// A bounded table, or several of a kind.
#[derive(Default)]
pub(crate) struct Row {
    pub(crate) what: String,
    /// Fields, maps and queues in the code.
    pub(crate) places: Vec<String>,
    /// `file::CONSTANT`, `section.key` of the configuration, or `Limits.field` of the pipeline.
    pub(crate) bounds: Vec<String>,
    pub(crate) shared: String,
    pub(crate) rule: String,
    pub(crate) counted: String,
    pub(crate) tests: Vec<String>,
}

/// A part of the page: its title, and its rows.
pub(crate) type Part = (String, Vec<Row>);

/// All of the file.
pub(crate) struct Rows {
    pub(crate) parts: Vec<Part>,
    /// Constants that a length is held against though they bound no table, and what they are.
    pub(crate) no_tables: Vec<(String, String)>,
}

impl Rows {
    pub(crate) fn read() -> Result<Self> {
        let text = include_str!("rows.txt");
        let (parts, no_tables) = text.split_once("# No tables\n").context("no such part")?;
        let no_tables = no_tables
            .lines()
            .filter(|line| !line.is_empty())
            .map(|line| pair(line, ": "))
            .collect::<Result<_>>()?;
        let parts = parts.split("# ").skip(1).map(part).collect::<Result<_>>()?;
        Ok(Self { parts, no_tables })
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Row> {
        self.parts.iter().flat_map(|(_, rows)| rows)
    }
}

fn pair(line: &str, at: &str) -> Result<(String, String)> {
    let (name, value) = line.split_once(at).with_context(|| line.to_owned())?;
    Ok((name.to_owned(), value.to_owned()))
}

fn part(text: &str) -> Result<Part> {
    let (title, rows) = text.split_once("\n\n").context("no rows")?;
    let rows = rows
        .trim_end()
        .split("\n\n")
        .map(row)
        .collect::<Result<_>>()?;
    Ok((title.to_owned(), rows))
}

fn row(text: &str) -> Result<Row> {
    let mut row = Row::default();
    for line in text.lines() {
        let (name, value) = pair(line, ": ")?;
        match name.as_str() {
            "what" => row.what = value,
            "place" => row.places.push(value),
            "bound" => row.bounds.push(value),
            "shared" => row.shared = value,
            "rule" => row.rule = value,
            "counted" => row.counted = value,
            "test" => row.tests.push(value),
            _ => bail!("what is {name}?"),
        }
    }
    Ok(row)
}
