//! The columns of flows against the database and the page that describes them.

use std::{env, fmt::Write, fs, path::Path};

use sensor_facts::event::flow::column::Kind;

use super::Folder;
use crate::store::flow::{COLUMNS, Source};

const BEGIN: &str =
    "<!-- columns: made by `UPDATE_DOCS=1 cargo test -p sensor-evidence store` -->\n";
const END: &str = "<!-- end of columns -->";

fn help(source: Source) -> (&'static str, &'static str) {
    match source {
        Source::Event(column) => (column.help, ""),
        Source::Flow(column) => (column.help, ""),
        Source::ToServer(column) => (column.help, " To the server."),
        Source::ToClient(column) => (column.help, " To the client."),
        Source::Both(column) => (column.help, " Both directions."),
    }
}

fn table() -> String {
    let mut table = "| column | type | meaning |\n| --- | --- | --- |\n".to_owned();
    for column in COLUMNS.iter() {
        let kind = match column.kind {
            Kind::Time => "timestamp, UTC, µs",
            Kind::Long => "64 bits",
            Kind::Int => "32 bits",
            Kind::Flag => "yes or no",
            Kind::Text => "text",
        };
        let empty = if column.optional { ", or empty" } else { "" };
        let (help, direction) = help(column.source);
        let (name, help) = (&column.name, help.trim());
        // Writing to a string can't fail.
        let _ = writeln!(table, "| `{name}` | {kind}{empty} | {help}{direction} |");
    }
    table
}

/// `UPDATE_DOCS=1` writes the table instead of comparing it.
#[test]
fn the_page_has_all_columns() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/store.md");
    let page = fs::read_to_string(&path).expect("the page");
    let (before, rest) = page.split_once(BEGIN).expect("a place for the table");
    let (old, after) = rest.split_once(END).expect("an end of the table");
    let new = table();
    if old != new {
        assert!(
            env::var_os("UPDATE_DOCS").is_some(),
            "docs/store.md is not current: run `UPDATE_DOCS=1 cargo test -p sensor-evidence store`"
        );
        fs::write(&path, format!("{before}{BEGIN}{new}{END}{after}")).expect("the page");
    }
}

#[test]
fn the_database_has_all_columns_as_they_are_listed() {
    let folder = Folder::new();
    let connection = folder.database();
    let mut statement = connection
        .prepare("SELECT name, type, \"notnull\" FROM pragma_table_info('flow') WHERE name <> 'id'")
        .expect("a question");
    let found: Vec<(String, String, bool)> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .and_then(Iterator::collect)
        .expect("columns");
    let listed: Vec<_> = COLUMNS
        .iter()
        .map(|column| {
            let kind = match column.kind {
                Kind::Text => "TEXT",
                Kind::Time | Kind::Long | Kind::Int | Kind::Flag => "INTEGER",
            };
            let name = column.name.clone().into_owned();
            (name, kind.to_owned(), !column.optional)
        })
        .collect();
    assert_eq!(
        found, listed,
        "a column that is new needs a migration (sensor/evidence/src/store/migrations), and the order is the files' for good"
    );
}
