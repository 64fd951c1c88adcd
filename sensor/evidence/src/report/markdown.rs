//! A document as Markdown (`CommonMark`, with tables as GitHub has them).

use std::fmt::Write as _;

use sensor_facts::words::utc_moment;

use super::{Block, Document, Graph, Moment, Section, Table, Text, Tone};

/// The text.
#[must_use]
pub fn markdown(document: &Document) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(&text);
        out.push_str("\n\n");
    };
    line(format!(
        "# {}: {}",
        safe(&document.kind),
        safe(&document.title)
    ));
    for notice in &document.notices {
        line(format!("> **Note:** {}", safe(notice)));
    }
    let mut facts = Table::new("", &["", ""]);
    for fact in &document.facts {
        facts.row([fact.name.as_str(), fact.value.as_str()]);
    }
    if !facts.rows.is_empty() {
        line(table(&facts));
    }
    for section in &document.sections {
        line(self::section(section));
    }
    if !document.made.is_empty() {
        line(format!("---\n\n{}", safe(&document.made)));
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

fn section(section: &Section) -> String {
    let mut parts = vec![format!("## {}", safe(&section.title))];
    if !section.serves.is_empty() {
        let serves: Vec<String> = section.serves.iter().map(safe).collect();
        parts.push(format!("*Serves {}.*", serves.join("; ")));
    }
    parts.extend(section.blocks.iter().map(block));
    parts.join("\n\n")
}

fn block(block: &Block) -> String {
    match block {
        Block::Heading(text) => format!("### {}", safe(text)),
        Block::Text(text) => safe(text),
        Block::Note(tone, text) => {
            let word = match tone {
                Tone::Plain => "Note",
                Tone::Good => "Good",
                Tone::Open => "Open",
                Tone::Bad => "Attention",
            };
            format!("> **{word}:** {}", safe(text))
        }
        Block::List(items) => lines(items.iter().map(|item| format!("- {}", safe(item)))),
        Block::Steps(steps) => lines(
            (1..)
                .zip(steps)
                .map(|(number, (what, why))| format!("{number}. **{}** {}", safe(what), safe(why))),
        ),
        Block::Table(table) => self::table(table),
        Block::Timeline(moments) => timeline(moments),
        Block::Graph(graph) => self::graph(graph),
    }
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.collect::<Vec<_>>().join("\n")
}

fn table(table: &Table) -> String {
    let mut text = String::new();
    if !table.caption.is_empty() {
        let _ = write!(text, "**{}**\n\n", safe(&table.caption));
    }
    let row = |cells: &[Text]| {
        let cells: Vec<String> = cells.iter().map(safe).collect();
        format!("| {} |", cells.join(" | "))
    };
    let rule = format!("|{}", " --- |".repeat(table.head.len()));
    let rows = table.rows.iter().map(|cells| row(cells));
    text.push_str(&lines([row(&table.head), rule].into_iter().chain(rows)));
    text
}

fn timeline(moments: &[Moment]) -> String {
    let mut table = Table::new("", &["time", "", "what", "who"]);
    for one in moments {
        let what = if one.detail.is_empty() {
            one.what.to_string()
        } else {
            format!("{}: {}", one.what, one.detail)
        };
        table.row([
            &utc_moment(one.time),
            one.kind.as_str(),
            &what,
            one.who.as_str(),
        ]);
    }
    self::table(&table)
}

/// Its edges in words; who needs the drawing takes the page.
fn graph(graph: &Graph) -> String {
    let name = |at: usize| {
        graph.nodes.get(at).map(|node| {
            let detail = safe(&node.detail);
            format!("{} ({detail})", safe(&node.name))
        })
    };
    let edge = |edge: &super::Edge| {
        let (from, to) = (name(edge.from)?, name(edge.to)?);
        Some(format!("- {from} → {to}: {}", safe(&edge.label)))
    };
    let edges = lines(graph.edges.iter().filter_map(edge));
    format!("**{}**\n\n{edges}", safe(&graph.caption))
}

/// The text with all that Markdown, or HTML within it, would take for its own made literal.
fn safe(text: &Text) -> String {
    let text = text.as_str();
    let mut safe = String::with_capacity(text.len());
    let mut before = None;
    let mut rest = text.char_indices();
    while let Some((at, c)) = rest.next() {
        let next = rest.clone().next().map(|(_, c)| c);
        let in_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let is_mark = match c {
            '\\' | '`' | '*' | '[' | ']' | '|' | '~' | '#' | '!' => true,
            // Names have underscores within words, where they mean nothing.
            '_' => !in_word(before) || !in_word(next),
            // At the begin they would make a list or a heading.
            '-' | '+' | '=' => at == 0,
            '.' | ')' if next.is_none_or(char::is_whitespace) => {
                at > 0 && text[..at].bytes().all(|byte| byte.is_ascii_digit())
            }
            _ => false,
        };
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            // Else an address is made a link.
            ':' if next == Some('/') => safe.push_str("&#58;"),
            '.' if text[..at].ends_with("www") => safe.push_str("&#46;"),
            _ if is_mark => safe.extend(['\\', c]),
            _ => safe.push(c),
        }
        before = Some(c);
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing;

    #[test]
    fn what_hosts_say_is_text_and_nothing_else() {
        let text = markdown(&testing::hostile());
        assert!(!text.contains("<script"), "{text}");
        assert!(!text.contains("[a]("), "{text}");
        assert!(!text.contains(" *d*") && !text.contains(" _e_"), "{text}");
        assert!(!text.contains('\u{202e}') && text.contains("u{202e}"));
        assert!(!text.contains("\n# `c`"), "{text}");
    }

    #[test]
    fn marks_are_literal_where_they_would_mean_something() {
        for (plain, written) in [
            ("CT_ROOM_1", "CT_ROOM_1"),
            ("_x", "\\_x"),
            ("- a - b", "\\- a - b"),
            ("12. of", "12\\. of"),
            ("10.0.0.1", "10.0.0.1"),
            ("a|b", "a\\|b"),
            ("http://x www.y", "http&#58;//x www&#46;y"),
        ] {
            assert_eq!(safe(&plain.into()), written);
        }
    }
}
