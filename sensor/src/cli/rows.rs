//! Rows of lists as tables that fit the terminal: no value is broken but text between words, and where there is no room
//! the least important columns are left out.

use std::{env, fmt::Write as _};

use comfy_table::{Cell, Color, ContentArrangement};

use super::{
    alerts::broken,
    table::{has_colour, table},
};
use crate::list::{Column, Item, Value};

/// Columns that a text column has at least, where its text is so wide.
const TEXT_MIN: usize = 12;
/// The widest word that is kept whole in a text column: an IPv6 address in brackets with a port.
const WORD_MAX: usize = 47;
/// Between the contents of two columns.
const GAP: usize = 3;
/// At both ends of a row.
const MARGIN: usize = 2;

/// How wide standard output is, where that is known: `COLUMNS`, or the terminal.
pub(super) fn width() -> Option<usize> {
    let said = env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    let terminal = || comfy_table::Table::new().width().map(usize::from);
    said.filter(|width| *width > 0).or_else(terminal)
}

/// The rows as a table with these columns, or all that fit, and a line that says which do not.
pub(super) fn rows<T: Item>(items: &[T], wanted: &[String]) -> String {
    fitted(items, wanted, width())
}

/// A column with its contents.
struct Filled {
    name: &'static str,
    rank: u8,
    wraps: bool,
    heading: String,
    cells: Vec<String>,
    /// Without any break.
    natural: usize,
    /// With all breaks that are allowed.
    least: usize,
}

impl Filled {
    fn new<T: Item>(column: &Column<T>, items: &[T]) -> Self {
        let heading = column.heading();
        let cells: Vec<String> = items
            .iter()
            .map(|item| (column.value)(item).to_string())
            .collect();
        let texts = || cells.iter().chain([&heading]);
        let natural = texts().map(|text| letters(text)).max().unwrap_or(0);
        let least = if column.wraps {
            let words = texts().flat_map(|text| text.split(' '));
            let widest = words.map(letters).max().unwrap_or(0).min(WORD_MAX);
            natural.min(widest.max(TEXT_MIN))
        } else {
            natural
        };
        Self {
            name: column.name,
            rank: column.rank,
            wraps: column.wraps,
            heading,
            cells,
            natural,
            least,
        }
    }
}

fn letters(text: &str) -> usize {
    text.chars().count()
}

/// Letters of a line that a terminal shows: without what makes colours (ECMA-48, SGR).
fn visible(line: &str) -> usize {
    let mut parts = line.split('\u{1b}');
    let plain = parts.next().map_or(0, letters);
    let coloured = parts.map(|part| part.split_once('m').map_or(0, |(_, shown)| letters(shown)));
    plain + coloured.sum::<usize>()
}

fn fitted<T: Item>(items: &[T], wanted: &[String], width: Option<usize>) -> String {
    let says_something = |column: &&Column<T>| {
        column.rank == 0 || items.iter().any(|it| (column.value)(it) != Value::Nothing)
    };
    let mut columns: Vec<Filled> = if wanted.is_empty() {
        let columns = T::COLUMNS.iter().filter(says_something);
        columns.map(|column| Filled::new(column, items)).collect()
    } else {
        let named = |name: &String| T::COLUMNS.iter().find(|column| column.name == name);
        let columns = wanted.iter().filter_map(named);
        columns.map(|column| Filled::new(column, items)).collect()
    };
    let mut hidden = Vec::new();
    if let Some(width) = width {
        stack_ends(&mut columns, width);
        while wanted.is_empty() && needed(&columns, |column| column.least) > width {
            let last = columns.iter().enumerate().filter(|(_, one)| one.rank > 0);
            let Some((at, _)) = last.max_by_key(|(_, one)| one.rank) else {
                break;
            };
            hidden.push(columns.remove(at).name);
        }
        share_out(&mut columns, width);
    }
    let mut text = drawn(&columns, items.len());
    if !hidden.is_empty() {
        hidden.sort_by_key(|name| T::COLUMNS.iter().position(|column| column.name == *name));
        let (many, be) = if hidden.len() == 1 {
            ("", "is")
        } else {
            ("s", "are")
        };
        // Writing to a string can't fail.
        let hint = format!(
            "{} column{many} {be} hidden ({}): use --columns or a wider terminal",
            hidden.len(),
            hidden.join(", ")
        );
        let _ = writeln!(text, "{}", lines(&hint, width.unwrap_or(usize::MAX)));
    }
    text
}

/// Puts both ends of a connection below each other if they have no room beside each other, as two IPv6 addresses have none
/// in 80 columns.
fn stack_ends(columns: &mut Vec<Filled>, width: usize) {
    let at = |name| {
        columns
            .iter()
            .position(|column: &Filled| column.name == name)
    };
    let (Some(from), Some(to)) = (at("from"), at("to")) else {
        return;
    };
    let needs = |column: &Filled| usize::from(column.rank == 0) * (column.least + GAP);
    if to != from + 1 || columns.iter().map(needs).sum::<usize>() + MARGIN <= width + GAP {
        return;
    }
    let below = columns.remove(to);
    let above = &mut columns[from];
    let ends = above.cells.iter_mut().chain([&mut above.heading]);
    for (cell, other) in ends.zip(below.cells.iter().chain([&below.heading])) {
        cell.push('\n');
        cell.push_str(other);
    }
    above.natural = above.natural.max(below.natural);
    above.least = above.least.max(below.least);
}

/// Lines that are wider than this, broken between words and indented as they begin; tables stay as they are.
pub(super) fn folded(text: &str, width: usize) -> String {
    let mut all = String::new();
    for line in text.lines() {
        let start = line.trim_start();
        let indent = letters(line) - letters(start);
        let table = line.contains('─') || start.starts_with(['|', '#']);
        if visible(line) <= width || table || indent + 2 * TEXT_MIN > width {
            all.push_str(line);
        } else {
            let (first, rest) = broken(start, width - indent);
            let deeper = " ".repeat(indent + if start.starts_with("- ") { 2 } else { 0 });
            all.push_str(&" ".repeat(indent));
            all.push_str(first);
            if !rest.is_empty() {
                for more in lines(rest, width - deeper.len()).lines() {
                    all.push('\n');
                    all.push_str(&deeper);
                    all.push_str(more);
                }
            }
        }
        all.push('\n');
    }
    all
}

fn needed(columns: &[Filled], width: fn(&Filled) -> usize) -> usize {
    let contents: usize = columns.iter().map(width).sum();
    contents + GAP * columns.len().saturating_sub(1) + MARGIN
}

/// Breaks text so that the table is no wider than it may be, the widest first.
fn share_out(columns: &mut [Filled], width: usize) {
    while needed(columns, |column| column.natural) > width {
        let broad = columns.iter_mut().filter(|it| it.natural > it.least);
        let Some(widest) = broad.max_by_key(|it| it.natural) else {
            break;
        };
        widest.natural -= 1;
    }
    for column in columns.iter_mut().filter(|column| column.wraps) {
        let width = column.natural;
        for cell in column.cells.iter_mut().chain([&mut column.heading]) {
            *cell = lines(cell, width);
        }
    }
}

/// The text in lines of at most so many letters, broken between words, and within those that are wider.
fn lines(text: &str, width: usize) -> String {
    let mut broken_up = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (mut line, mut left) = broken(rest, width);
        if let Some((end, _)) = line.char_indices().nth(width.max(1)) {
            (line, left) = rest.split_at(end);
        }
        if !broken_up.is_empty() {
            broken_up.push('\n');
        }
        broken_up.push_str(line);
        rest = left;
    }
    broken_up
}

fn drawn(columns: &[Filled], rows: usize) -> String {
    let headings: Vec<&str> = columns.iter().map(|it| it.heading.as_str()).collect();
    let mut table = table(&headings);
    table.set_content_arrangement(ContentArrangement::Disabled);
    let colours = has_colour(&std::io::stdout());
    for row in 0..rows {
        table.add_row(columns.iter().map(|column| {
            let text = column.cells.get(row).map_or("", String::as_str);
            let cell = Cell::new(text);
            match tint(text) {
                Some(colour) if colours => cell.fg(colour),
                _ => cell,
            }
        }));
    }
    let drawn = table.to_string();
    // What is empty at the end of a line is only in the way.
    drawn.lines().fold(String::new(), |mut text, line| {
        text.push_str(line.trim_end());
        text.push('\n');
        text
    })
}

/// Words that stand out, by how a cell begins.
fn tint(text: &str) -> Option<Color> {
    let words = [
        ("effective", Color::Green),
        ("not effective", Color::Red),
        ("unverified", Color::Yellow),
        ("critical", Color::Red),
        ("high", Color::Yellow),
    ];
    let starts = |word: &str| text == word || text.starts_with(&format!("{word}:"));
    let found = words.iter().find(|(word, _)| starts(word));
    found.map(|(_, colour)| *colour)
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;
    use crate::list::{Filter, Subject};

    #[derive(Serialize)]
    struct Row;

    impl Item for Row {
        const WHAT: &'static str = "rows";
        const COLUMNS: &'static [Column<Self>] = &[
            Column::new("id", 0, |_| Value::Number(7)),
            Column::new("peer", 1, |_| {
                Value::Text("2001:db8:85a3:8d3:1319:8a2e:370:7348".into())
            }),
            Column::new("MAC", 9, |_| Value::Text("86:fc:1a:59:15:f1".into())),
            Column::text("what", 0, |_| {
                Value::Text("10.77.1.10:41092 asks [2001:db8::1]:11112 for a study of one".into())
            }),
            Column::text("why", 3, |_| {
                Value::Text("a reason that is long enough".into())
            }),
            Column::new("never", 2, |_| Value::Nothing),
        ];
        const FILTERS: &'static [Filter] = &[];

        fn subject(&self) -> Subject {
            Subject::default()
        }
    }

    #[test]
    fn no_address_is_broken_and_what_is_hidden_is_said() {
        let wide = fitted(&[Row], &[], Some(160));
        assert!(!wide.contains("hidden") && wide.contains("MAC"), "{wide}");
        assert!(
            !wide.contains("never"),
            "a column without any value: {wide}"
        );
        for width in [80, 120, 160] {
            let text = fitted(&[Row], &[], Some(width));
            assert!(text.lines().all(|line| letters(line) <= width), "{text}");
            for whole in ["10.77.1.10:41092", "[2001:db8::1]:11112"] {
                assert!(text.contains(whole), "{width}: {text}");
            }
        }
        let narrow = fitted(&[Row], &[], Some(80));
        assert!(
            narrow.contains("1 column is hidden (MAC): use --columns or a wider terminal"),
            "{narrow}"
        );
        let narrow = fitted(&[Row], &[], Some(50));
        assert!(
            narrow.contains("3 columns are hidden (peer, MAC, why)"),
            "{narrow}"
        );
        // Without a terminal nothing is hidden and nothing broken.
        let piped = fitted(&[Row], &[], None);
        assert_eq!(piped.lines().count(), 3, "{piped}");
    }

    #[test]
    fn two_long_ends_are_stacked_and_leave_room_for_others() {
        struct Pair;
        impl Serialize for Pair {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_unit()
            }
        }
        impl Item for Pair {
            const WHAT: &'static str = "pairs";
            const COLUMNS: &'static [Column<Self>] = &[
                Column::new("from", 0, |_| {
                    Value::Text("[2601:647:4b02:1d20:fd05:6f66:ecce:8bc7]:49679".into())
                }),
                Column::new("to", 0, |_| {
                    Value::Text("[2a03:2880:f0ff:c:face:b00c:0:3]:443".into())
                }),
                Column::new("state", 1, |_| Value::Text("established".into())),
            ];
            const FILTERS: &'static [Filter] = &[];

            fn subject(&self) -> Subject {
                Subject::default()
            }
        }
        let text = fitted(&[Pair], &[], Some(80));
        assert!(text.lines().all(|line| letters(line) <= 80), "{text}");
        assert_eq!(text.lines().count(), 5, "{text}");
        for whole in ["8bc7]:49679", ":0:3]:443", "established"] {
            assert!(text.contains(whole), "{text}");
        }
        assert_eq!(fitted(&[Pair], &[], Some(160)).lines().count(), 3);
    }

    #[test]
    fn sentences_are_folded_between_words_and_tables_are_not() {
        let text = "  - one two three four five six seven eight nine\n| a table that is wider than this |\nshort\n";
        let folded = folded(text, 30);
        let coloured = "\u{1b}[31mhigh\u{1b}[0m twenty-six letters in all\n";
        assert_eq!(super::folded(coloured, 30), coloured);
        assert_eq!(
            folded,
            "  - one two three four five\n    six seven eight nine\n| a table that is wider than this |\nshort\n"
        );
    }

    #[test]
    fn columns_that_are_asked_for_are_shown_in_their_order() {
        let wanted = ["MAC".to_owned(), "id".to_owned(), "never".to_owned()];
        let text = fitted(&[Row], &wanted, Some(20));
        let first = text.lines().next().unwrap_or_default();
        let words: Vec<&str> = first.split_whitespace().collect();
        assert_eq!(words, ["MAC", "id", "never"]);
        assert!(!text.contains("hidden"), "{text}");
    }
}
