//! Rows as CSV (RFC 4180), for training: a line a flow, under the names of the columns.

use std::io::{self, Write};

use sensor_facts::alert::Verdict;
use serde::{Deserialize, Serialize};

use super::{NAMES, Row};

/// A flow's features as they leave the site.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct ExportedRow {
    /// The flow.
    pub row: Row,
    /// What a person said of the alert that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Verdict>,
}

/// The columns before the features: nanoseconds since 1970, addresses as text, numbers.
pub const IDENTITY: [&str; 5] = ["time_ns", "client", "server", "server_port", "protocol"];

/// Writes rows under the line of names.
///
/// # Errors
/// When writing fails.
pub fn write<'a>(out: &mut impl Write, rows: impl IntoIterator<Item = &'a Row>) -> io::Result<()> {
    writeln!(out, "{}", names())?;
    for row in rows {
        self::row(out, row)?;
        writeln!(out)?;
    }
    out.flush()
}

/// The same with a last column, `label`.
///
/// # Errors
/// When writing fails.
pub fn write_labelled(out: &mut impl Write, rows: &[ExportedRow]) -> io::Result<()> {
    writeln!(out, "{},label", names())?;
    for ExportedRow { row, label } in rows {
        self::row(out, row)?;
        writeln!(out, ",{}", label.map_or("", |label| label.label()))?;
    }
    out.flush()
}

/// The line of names, without its end.
#[must_use]
pub fn names() -> String {
    let names: Vec<&str> = IDENTITY.into_iter().chain(NAMES).collect();
    names.join(",")
}

/// Writes a row without the line's end; each feature as the shortest decimal that is read as the same `f32`.
///
/// # Errors
/// When writing fails.
pub fn row(out: &mut impl Write, row: &Row) -> io::Result<()> {
    write!(
        out,
        "{},{},{},{},{}",
        row.time.0,
        row.client.ip(),
        row.server.ip(),
        row.server.port(),
        row.protocol
    )?;
    row.values
        .iter()
        .try_for_each(|value| write!(out, ",{value}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FEATURES;
    use sensor_facts::time::Time;

    #[test]
    fn a_row_is_read_as_it_was() {
        let mut values = [0.0; FEATURES];
        for (value, written) in
            values
                .iter_mut()
                .zip([0.1_f32, 1.0, 1e20, f32::MIN_POSITIVE, 1.0 / 3.0])
        {
            *value = written;
        }
        let one = Row {
            time: Time(1_767_607_200_123_456_789),
            client: ([10, 0, 0, 1], 40_000).into(),
            server: "[fd00::1]:104".parse().expect("an address"),
            protocol: 6,
            values,
        };
        let mut text = Vec::new();
        write(&mut text, [&one]).expect("memory");
        let text = String::from_utf8(text).expect("text");
        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0][..IDENTITY.len()], IDENTITY);
        assert_eq!(lines[0][IDENTITY.len()..], NAMES);
        let identity = ["1767607200123456789", "10.0.0.1", "fd00::1", "104", "6"];
        assert_eq!(lines[1][..IDENTITY.len()], identity);
        let read: Vec<f32> = lines[1][IDENTITY.len()..]
            .iter()
            .map(|text| text.parse().expect("a number"))
            .collect();
        assert_eq!(read, values);
    }
}
