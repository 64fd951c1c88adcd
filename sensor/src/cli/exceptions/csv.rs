//! Exceptions as CSV (RFC 4180): `for,detectors,until,reason`, the detectors with spaces between, the end empty where there
//! is none.

use std::fmt::Write as _;

use sensor_analysis::alert::{Exception, NewException};
use sensor_facts::time::Time;

use crate::list::moment;

const COLUMNS: [&str; 4] = ["for", "detectors", "until", "reason"];

/// Writes exceptions.
pub(super) fn write<'a>(exceptions: impl Iterator<Item = &'a Exception>) -> String {
    let mut text = COLUMNS.join(",") + "\n";
    for one in exceptions {
        let until = one
            .until
            .map_or_else(String::new, |until| until.to_string());
        // Writing to a string can't fail.
        let _ = writeln!(
            text,
            "{},{},{until},{}",
            one.whom,
            one.detectors.join(" "),
            quoted(&one.reason)
        );
    }
    text
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// Reads exceptions, all of them.
///
/// # Errors
/// The number of the first line that is wrong, and why.
pub(super) fn read(text: &str, now: Time) -> Result<Vec<NewException>, String> {
    let mut records = records(text)?.into_iter();
    match records.next() {
        Some((_, head)) if head == COLUMNS => {}
        _ => return Err(format!("line 1: it must be {}", COLUMNS.join(","))),
    }
    let new: Result<Vec<_>, String> = records
        .map(|(line, fields)| one(&fields, now).map_err(|why| format!("line {line}: {why}")))
        .collect();
    new.and_then(|new| {
        if new.is_empty() {
            Err("there is no exception in it".to_owned())
        } else {
            Ok(new)
        }
    })
}

fn one(fields: &[String], now: Time) -> Result<NewException, String> {
    let [whom, detectors, until, reason] = fields else {
        let many = fields.len();
        return Err(format!("{many} fields instead of {}", COLUMNS.len()));
    };
    let new = NewException {
        whom: whom.trim().parse()?,
        detectors: detectors.split_whitespace().map(str::to_owned).collect(),
        until: match until.trim() {
            "" => None,
            until => Some(moment(until, now)?),
        },
        reason: reason.clone(),
    };
    new.check(now)?;
    Ok(new)
}

/// The records, each with the number of its first line; empty lines are left out.
fn records(text: &str) -> Result<Vec<(usize, Vec<String>)>, String> {
    let mut records = Vec::new();
    let (mut line, mut begin) = (1, 1);
    let (mut fields, mut field, mut quotes) = (Vec::new(), String::new(), false);
    let mut letters = text.trim_start_matches('\u{feff}').chars().peekable();
    while let Some(letter) = letters.next() {
        line += usize::from(letter == '\n');
        match letter {
            '"' if quotes && letters.peek() == Some(&'"') => {
                letters.next();
                field.push('"');
            }
            '"' if quotes || field.is_empty() => quotes = !quotes,
            ',' if !quotes => fields.push(std::mem::take(&mut field)),
            '\r' if !quotes => {}
            '\n' if !quotes => {
                if !(fields.is_empty() && field.is_empty()) {
                    fields.push(std::mem::take(&mut field));
                    records.push((begin, std::mem::take(&mut fields)));
                }
                begin = line;
            }
            letter => field.push(letter),
        }
    }
    if quotes {
        return Err(format!("line {begin}: a quotation mark is not closed"));
    }
    if !(fields.is_empty() && field.is_empty()) {
        fields.push(field);
        records.push((begin, fields));
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use sensor_analysis::Whom;
    use sensor_sessions::inventory::Role;

    use super::*;

    const NOW: Time = Time(1_700_000_000_000_000_000);
    const HEAD: &str = "for,detectors,until,reason\n";

    #[test]
    fn what_was_exported_can_be_imported() {
        let text = format!(
            "{HEAD}10.0.0.9,scan sweep,2099-01-01T00:00:00Z,\"our \"\"own\"\" scanner, Mondays\"\r\n\n\
             role:printer,,,print servers\n10.1.0.0/16,scan,,\"two\nlines\"\n"
        );
        let new = read(&text, NOW).expect("exceptions");
        let whom: Vec<_> = new.iter().map(|one| one.whom.to_string()).collect();
        assert_eq!(whom, ["10.0.0.9", "role:printer", "10.1.0.0/16"]);
        assert_eq!(new[0].detectors, ["scan", "sweep"]);
        assert_eq!(new[0].reason, "our \"own\" scanner, Mondays");
        assert_eq!(new[1].whom, Whom::Role(Role::Printer));
        assert_eq!((new[1].until, new[2].reason.as_str()), (None, "two\nlines"));
        let kept: Vec<Exception> = new
            .iter()
            .map(|one| {
                let value = serde_json::to_value(one).expect("JSON");
                serde_json::from_value(value).expect("an exception")
            })
            .collect();
        assert_eq!(read(&write(kept.iter()), NOW), Ok(new));
    }

    #[test]
    fn a_wrong_line_is_named() {
        for (lines, words) in [
            (
                "10.0.0.9,scam,,why\n",
                &["line 2", "no detector", "scan"][..],
            ),
            (
                "10.0.0.9,scan,,why\n\n10.0.0,scan,,why\n",
                &["line 4", "10.0.0"],
            ),
            (
                "10.0.0.9,scan,,\"a\nb\"\nrole:scanner,,,why\n",
                &["line 4", "printer"],
            ),
            ("10.0.0.9,scan,,\n", &["line 2", "say why"]),
            ("10.0.0.9,scan,soon,why\n", &["line 2", "RFC 3339"]),
            (
                "10.0.0.9,scan,2001-01-01T00:00:00Z,why\n",
                &["line 2", "ends before"],
            ),
            ("10.0.0.9,scan,why\n", &["line 2", "3 fields instead of 4"]),
            ("10.0.0.9,scan,,\"why\n", &["line 2", "not closed"]),
            ("", &["no exception"]),
        ] {
            let error = read(&format!("{HEAD}{lines}"), NOW).expect_err(lines);
            for word in words {
                assert!(error.contains(word), "{word:?} in {error}");
            }
        }
        let error = read("10.0.0.9,scan,,why\n", NOW).expect_err("no head");
        assert!(
            error.contains("line 1") && error.contains("for,detectors"),
            "{error}"
        );
    }
}
