//! A document as PDF: text that can be searched and copied, tables that go over pages, nothing fetched and no script.

mod face;
mod page;

use sensor_facts::words::utc_moment;

use self::{
    face::Face,
    page::{BLACK, Colour, GREY, Pages, Style},
};
use super::{Block, Document, Section, Table, Tone};

const TEXT: Style = style(Face::Regular, 9.5);
const SMALL: Style = Style {
    colour: GREY,
    ..style(Face::Regular, 8.0)
};
/// The size of text in tables.
const CELL: f32 = 8.5;

const fn style(face: Face, size: f32) -> Style {
    Style {
        face,
        size,
        colour: BLACK,
        indent: 0.0,
    }
}

const fn colour(tone: Tone) -> Colour {
    match tone {
        Tone::Plain => BLACK,
        Tone::Good => [0.05, 0.42, 0.2],
        Tone::Open => [0.6, 0.36, 0.0],
        Tone::Bad => [0.7, 0.1, 0.1],
    }
}

/// The file.
#[must_use]
pub fn pdf(document: &Document) -> Vec<u8> {
    let title = format!("{}: {}", document.kind.as_str(), document.title.as_str());
    let mut pages = Pages::new(title);
    pages.paragraph(document.kind.as_str(), SMALL);
    pages.paragraph(document.title.as_str(), style(Face::Bold, 16.0));
    for notice in &document.notices {
        pages.space(4.0);
        note(&mut pages, Tone::Open, notice.as_str());
    }
    pages.space(8.0);
    let facts = document.facts.iter();
    let facts: Vec<Vec<String>> = facts
        .map(|it| vec![it.name.to_string(), it.value.to_string()])
        .collect();
    pages.table(&[String::new(), String::new()], &facts, CELL);
    for one in &document.sections {
        section(&mut pages, one);
    }
    pages.space(16.0);
    pages.paragraph(document.made.as_str(), SMALL);
    pages.finish()
}

fn section(pages: &mut Pages, section: &Section) {
    pages.space(16.0);
    pages.keep(70.0);
    pages.paragraph(section.title.as_str(), style(Face::Bold, 12.5));
    if !section.serves.is_empty() {
        let serves: Vec<&str> = section.serves.iter().map(super::Text::as_str).collect();
        pages.paragraph(&format!("Serves {}.", serves.join("; ")), SMALL);
    }
    for one in &section.blocks {
        pages.space(5.0);
        block(pages, one);
    }
}

fn note(pages: &mut Pages, tone: Tone, text: &str) {
    let style = Style {
        colour: colour(tone),
        indent: 8.0,
        ..style(Face::Bold, 9.5)
    };
    pages.paragraph(text, style);
}

/// Text beside a mark.
fn item(pages: &mut Pages, mark: &str, text: &str) {
    pages.space(1.5);
    pages.mark(mark, TEXT);
    let beside = Style {
        indent: 16.0,
        ..TEXT
    };
    pages.paragraph(text, beside);
}

fn block(pages: &mut Pages, block: &Block) {
    match block {
        Block::Heading(text) => {
            pages.keep(40.0);
            pages.paragraph(text.as_str(), style(Face::Bold, 10.0));
        }
        Block::Text(text) => pages.paragraph(text.as_str(), TEXT),
        Block::Note(tone, text) => note(pages, *tone, text.as_str()),
        Block::List(items) => {
            for text in items {
                item(pages, "•", text.as_str());
            }
        }
        Block::Steps(steps) => {
            for (number, (what, why)) in (1..).zip(steps) {
                pages.space(2.0);
                pages.mark(&format!("{number}."), TEXT);
                let beside = Style {
                    indent: 16.0,
                    ..style(Face::Bold, 9.5)
                };
                pages.paragraph(what.as_str(), beside);
                let beside = Style {
                    indent: 16.0,
                    ..TEXT
                };
                pages.paragraph(why.as_str(), beside);
            }
        }
        Block::Table(table) => self::table(pages, table),
        Block::Timeline(moments) => {
            let mut table = Table::new("", &["time", "", "what", "who"]);
            for one in moments {
                let detail = match one.detail.as_str() {
                    "" => String::new(),
                    detail => format!(": {detail}"),
                };
                table.row([
                    utc_moment(one.time),
                    one.kind.to_string(),
                    format!("{}{detail}", one.what),
                    one.who.to_string(),
                ]);
            }
            self::table(pages, &table);
        }
        Block::Graph(graph) => {
            pages.paragraph(graph.caption.as_str(), style(Face::Bold, CELL));
            for edge in &graph.edges {
                if let (Some(from), Some(to)) =
                    (graph.nodes.get(edge.from), graph.nodes.get(edge.to))
                {
                    let text = format!(
                        "{} ({}) → {} ({}): {}",
                        from.name, from.detail, to.name, to.detail, edge.label
                    );
                    item(pages, "•", &text);
                }
            }
        }
    }
}

fn table(pages: &mut Pages, table: &Table) {
    if !table.caption.is_empty() {
        pages.keep(50.0);
        pages.paragraph(table.caption.as_str(), style(Face::Bold, CELL));
    }
    let text = |cells: &[super::Text]| cells.iter().map(ToString::to_string).collect();
    let head: Vec<String> = text(&table.head);
    let rows: Vec<Vec<String>> = table.rows.iter().map(|row| text(row)).collect();
    pages.table(&head, &rows, CELL);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing;

    #[test]
    fn what_hosts_say_is_text_and_nothing_else() {
        let file = pdf(&testing::hostile());
        let text = String::from_utf8_lossy(&file);
        assert!(text.starts_with("%PDF-1.") && text.trim_end().ends_with("%%EOF"));
        assert!(
            text.contains("<script>") && text.contains("\\\\u{202e}"),
            "{text}"
        );
        for active in [
            "/JavaScript",
            "/JS",
            "/Launch",
            "/URI",
            "/OpenAction",
            "/AA",
        ] {
            assert!(!text.contains(active), "{active}");
        }
    }

    #[test]
    fn a_long_table_goes_over_pages_with_its_head() {
        let mut document = Document::new("Report", "of much");
        let mut section = Section::new("All", &[]);
        let mut table = Table::new("", &["number", "column of words"]);
        for number in 0..200 {
            table.row([number.to_string(), "some words".to_owned()]);
        }
        section.table(table);
        document.sections.push(section);
        let file = pdf(&document);
        let text = String::from_utf8_lossy(&file);
        let pages = text.matches("/Type /Page\n").count();
        assert!(pages > 2, "{pages} pages");
        assert_eq!(text.matches("(column of words)").count(), pages);
        assert_eq!(text.matches("(some words)").count(), 200);
        assert!(text.contains(&format!("page {pages} of {pages}")));
    }
}
