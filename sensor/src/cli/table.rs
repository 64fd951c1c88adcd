//! Tables for people.

use std::{env, io::IsTerminal};

use comfy_table::{Attribute, Cell, ContentArrangement, Table, presets::UTF8_HORIZONTAL_ONLY};

use crate::event::Time;

/// A table with bold headings on a terminal (not where `NO_COLOR` is set), plain elsewhere.
pub(super) fn table(headings: &[&str]) -> Table {
    let mut table = Table::new();
    let bold = std::io::stdout().is_terminal()
        && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    table
        .load_style(UTF8_HORIZONTAL_ONLY)
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

/// A number of bytes, with a unit.
pub(super) fn bytes(number: u64) -> String {
    const UNITS: [(&str, u64); 4] = [
        ("TB", 1_000_000_000_000),
        ("GB", 1_000_000_000),
        ("MB", 1_000_000),
        ("kB", 1_000),
    ];
    UNITS.iter().find(|(_, size)| number >= *size).map_or_else(
        || format!("{number} B"),
        |(unit, size)| {
            let tenths = u128::from(number) * 10 / u128::from(*size);
            format!("{}.{} {unit}", tenths / 10, tenths % 10)
        },
    )
}

/// A moment in local time, to the second.
pub(super) fn local(time: Time) -> String {
    jiff::Timestamp::from_nanosecond(i128::from(time.0)).map_or_else(
        |_| time.to_string(),
        |moment| {
            let zoned = moment.to_zoned_datetime(jiff::tz::TimeZone::system());
            zoned.strftime("%Y-%m-%d %H:%M:%S").to_string()
        },
    )
}

/// What is missing is shown as a dash.
pub(super) fn or_dash<T: ToString>(value: Option<&T>) -> String {
    value.map_or_else(|| "-".to_owned(), T::to_string)
}

/// Items with commas between, or a dash.
pub(super) fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<_> = items.into_iter().map(|item| item.to_string()).collect();
    if items.is_empty() {
        "-".to_owned()
    } else {
        items.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_units() {
        for (number, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (1_999_999, "1.9 MB"),
        ] {
            assert_eq!(bytes(number), text);
        }
    }
}
