//! Where in a TOML text something is: its line, and the key it belongs to.

use std::{fmt::Write, ops::Range};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// The line of a byte offset, the first being 1.
pub(super) fn line(text: &str, at: usize) -> usize {
    1 + text.get(..at).unwrap_or(text).matches('\n').count()
}

/// The innermost key whose name or value is at a byte offset, dotted: `flow.idle_tcp`,
/// `interface[1].name`. In a text that is no TOML: what stands before the equals sign. `None` without a
/// key there.
pub(super) fn key(text: &str, at: usize) -> Option<String> {
    let Ok(table) = DeTable::parse(text) else {
        let line = text.lines().nth(line(text, at) - 1)?;
        let (name, _) = line.split_once('=')?;
        return Some(name.trim().to_owned());
    };
    let mut path = String::new();
    in_table(table.get_ref(), at, &mut path);
    (!path.is_empty()).then_some(path)
}

/// Where the value of `key` of a table is, or nothing where the text does not have it.
pub(super) fn value(text: &str, table: &str, key: &str) -> Option<Range<usize>> {
    let all = DeTable::parse(text).ok()?;
    let within = all.get_ref().get(table)?.get_ref().as_table()?;
    within.get(key).map(Spanned::span)
}

/// Where the value of `key` is, which the item `index` of the array of tables `array` has, or the item itself where it
/// has no such key. The array's name may be dotted.
pub(super) fn item(text: &str, array: &str, index: usize, key: &str) -> Option<Range<usize>> {
    let table = DeTable::parse(text).ok()?;
    let (above, array) = array.rsplit_once('.').unwrap_or(("", array));
    let mut within = table.get_ref();
    for name in above.split('.').filter(|name| !name.is_empty()) {
        within = within.get(name)?.get_ref().as_table()?;
    }
    let item = within.get(array)?.get_ref().as_array()?.get(index)?;
    let value = item.get_ref().as_table()?.get(key).map(Spanned::span);
    Some(value.unwrap_or_else(|| item.span()))
}

fn in_table(table: &DeTable<'_>, at: usize, path: &mut String) {
    // A key's name and value first: the span of a table may reach over others that stand in it.
    let mut inside: Vec<_> = table
        .iter()
        .filter(|(key, value)| key.span().contains(&at) || value.span().contains(&at))
        .collect();
    inside.sort_by_key(|(key, value)| (!key.span().contains(&at), value.span().len()));
    let Some((key, value)) = inside.first() else {
        // The span of `[flow]` is its header alone; what stands below it is found by descent.
        let deeper = table.iter().find_map(|(key, value)| {
            let mut below = key.get_ref().to_string();
            let before = below.len();
            in_value(value.get_ref(), at, &mut below);
            (below.len() > before).then_some(below)
        });
        if let Some(below) = deeper {
            append(path, &below);
        }
        return;
    };
    append(path, key.get_ref());
    in_value(value.get_ref(), at, path);
}

fn in_value(value: &DeValue<'_>, at: usize, path: &mut String) {
    match value {
        DeValue::Table(table) => in_table(table, at, path),
        DeValue::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let mut below = String::new();
                in_value(item.get_ref(), at, &mut below);
                if !below.is_empty() {
                    let _ = write!(path, "[{index}].{below}");
                    return;
                }
                if item.span().contains(&at) {
                    let _ = write!(path, "[{index}]");
                    return;
                }
            }
        }
        _ => {}
    }
}

fn append(path: &mut String, name: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(name);
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
[[interface]]
name = "a"

[[interface]]
name = "b"
mode = "driver"

[flow]
idle_tcp = "1h"
unknown = 1

[output.json]
path = "-"

[protocol]
dicom_tls_ports = [1, 2762]

[ring]
size = "8MiB"
"#;

    fn key_at(what: &str) -> Option<String> {
        key(TEXT, TEXT.find(what).expect("is there"))
    }

    #[test]
    fn keys_by_place() {
        for (what, expected) in [
            ("\"a\"", "interface[0].name"),
            ("\"b\"", "interface[1].name"),
            ("\"driver\"", "interface[1].mode"),
            ("\"1h\"", "flow.idle_tcp"),
            ("unknown", "flow.unknown"),
            ("\"-\"", "output.json.path"),
            ("2762", "protocol.dicom_tls_ports[1]"),
            ("\"8MiB\"", "ring.size"),
        ] {
            assert_eq!(key_at(what).as_deref(), Some(expected), "{what}");
        }
        assert_eq!(key("a = \"x", 5).as_deref(), Some("a"));
        assert_eq!(key("[a", 2), None);
    }

    #[test]
    fn lines_by_place() {
        assert_eq!(line("a\nb\n", 0), 1);
        assert_eq!(line("a\nb\n", 2), 2);
        assert_eq!(line("a", 99), 1);
        let span = item(TEXT, "interface", 1, "name").expect("is there");
        assert_eq!((&TEXT[span.clone()], line(TEXT, span.start)), ("\"b\"", 6));
    }
}
