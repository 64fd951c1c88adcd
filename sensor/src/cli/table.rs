//! Tables for people.

use std::{
    env,
    io::{self, IsTerminal},
};

use comfy_table::{Attribute, Cell, ContentArrangement, LineStyle, Table, TableStyle};
pub(super) use sensor_facts::words::{bytes, count, span};

pub(super) use crate::list::{few as list, local};

/// A line below the headings, none between rows.
const STYLE: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// Whether a stream takes colour: a terminal, and `NO_COLOR` (no-color.org) not set.
pub(super) fn has_colour(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// A table with bold headings on a terminal (not where `NO_COLOR` is set), plain elsewhere.
pub(super) fn table(headings: &[&str]) -> Table {
    let mut table = Table::new();
    let bold = has_colour(&io::stdout());
    table
        .load_style(STYLE)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(headings.iter().map(|heading| {
            let cell = Cell::new(heading);
            if bold {
                cell.add_attribute(Attribute::Bold)
            } else {
                cell
            }
        }));
    table
}

/// Colours, by their ANSI code.
#[derive(Clone, Copy, Debug)]
pub(super) enum Colour {
    Red = 31,
    Green = 32,
    Yellow = 33,
}

/// A word in colour, where standard output takes it.
pub(super) fn coloured(word: &str, colour: Colour) -> String {
    if has_colour(&io::stdout()) {
        format!("\u{1b}[{}m{word}\u{1b}[0m", colour as u8)
    } else {
        word.to_owned()
    }
}

/// What is missing is shown as a dash.
pub(super) fn or_dash<T: ToString>(value: Option<&T>) -> String {
    value.map_or_else(|| "-".to_owned(), T::to_string)
}

/// A rate as a whole number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rates are positive and far below 2^64; the cast saturates"
)]
pub(super) fn whole(rate: f64) -> u64 {
    rate.round() as u64
}
