//! A line of CEF that is being written: escapes, and the lengths of the dictionary.

use std::{
    borrow::Cow,
    fmt::{Display, Write as _},
    net::IpAddr,
};

use sensor_facts::finding::Finding;

use crate::Origin;

/// Lengths of the dictionary, in characters.
const NAME: usize = 512;
pub(super) const WORD: usize = 63;
pub(super) const TEXT: usize = 1_023;
const CUSTOM: usize = 4_000;

/// A line that is being written.
pub(super) struct Line {
    pub(super) text: String,
    /// Where the header ends.
    header: usize,
}

impl Line {
    pub(super) fn new(class: &str, name: &str, severity: u8) -> Self {
        let mut line = format!("CEF:0|Wardtap|Wardtap|{}|", header(Origin::VERSION));
        for part in [class, clip(name, NAME)] {
            line.push_str(&header(part));
            line.push('|');
        }
        // Writing to a string can't fail.
        let _ = write!(line, "{severity}|");
        Self {
            header: line.len(),
            text: line,
        }
    }

    /// A key with its value, of at most `limit` characters; nothing without a value.
    pub(super) fn put(&mut self, key: &str, value: impl Display, limit: usize) {
        let value = value.to_string();
        let blank = |char: char| char.is_whitespace() || char.is_control();
        let value = clip(&value, limit).trim_matches(blank);
        if value.is_empty() {
            return;
        }
        if self.text.len() > self.header {
            self.text.push(' ');
        }
        self.text.push_str(key);
        self.text.push('=');
        self.text.push_str(&extension(value));
    }

    /// A key whose meaning its label says.
    pub(super) fn custom(&mut self, key: &str, label: &str, value: impl Display) {
        let before = self.text.len();
        self.put(key, value, CUSTOM);
        if self.text.len() > before {
            self.put(&format!("{key}Label"), label, TEXT);
        }
    }

    /// Who did what to whom.
    pub(super) fn ends(&mut self, device: IpAddr, is_victim: bool, finding: Option<&Finding>) {
        if is_victim {
            self.destination(device);
        } else {
            let connection = finding.and_then(|one| one.connection);
            self.source(device, connection.map(|(own, _)| own.port()));
            let victims = finding.map_or(&[][..], |one| &one.victims);
            if let Some(victim) = connection
                .map(|(_, other)| other.ip())
                .or(victims.first().copied())
            {
                self.destination(victim);
            }
            let more: Vec<String> = victims.iter().skip(1).map(IpAddr::to_string).collect();
            self.custom("cs6", "more destinations", more.join(" "));
        }
        if let Some(service) = finding.and_then(|one| one.service) {
            self.put("dpt", service.port, WORD);
            self.put("proto", service.transport.label().to_uppercase(), WORD);
        } else if let Some((_, other)) = finding.and_then(|one| one.connection) {
            self.put("dpt", other.port(), WORD);
            self.put("proto", "TCP", WORD);
        }
    }

    pub(super) fn source(&mut self, address: IpAddr, port: Option<u16>) {
        // The dictionary's `src` and `dst` are IPv4.
        match address {
            IpAddr::V4(_) => self.put("src", address, WORD),
            IpAddr::V6(_) => self.custom("c6a2", "Source IPv6 Address", address),
        }
        if let Some(port) = port {
            self.put("spt", port, WORD);
        }
    }

    pub(super) fn destination(&mut self, address: IpAddr) {
        match address {
            IpAddr::V4(_) => self.put("dst", address, WORD),
            IpAddr::V6(_) => self.custom("c6a3", "Destination IPv6 Address", address),
        }
    }
}

/// The first `limit` characters.
fn clip(text: &str, limit: usize) -> &str {
    let end = text
        .char_indices()
        .nth(limit)
        .map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or(text)
}

/// A header's field: without line breaks, bar and backslash escaped.
fn header(text: &str) -> Cow<'_, str> {
    escape(text, |char| match char {
        '\\' => Some("\\\\"),
        '|' => Some("\\|"),
        _ if char.is_control() => Some(" "),
        _ => None,
    })
}

/// An extension's value: equals sign, backslash and line breaks escaped.
fn extension(text: &str) -> Cow<'_, str> {
    escape(text, |char| match char {
        '\\' => Some("\\\\"),
        '=' => Some("\\="),
        '\n' => Some("\\n"),
        '\r' => Some("\\r"),
        _ if char.is_control() => Some(" "),
        _ => None,
    })
}

fn escape(text: &str, instead: impl Fn(char) -> Option<&'static str>) -> Cow<'_, str> {
    if !text.chars().any(|char| instead(char).is_some()) {
        return text.into();
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for char in text.chars() {
        match instead(char) {
            Some(other) => escaped.push_str(other),
            None => escaped.push(char),
        }
    }
    escaped.into()
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// A reader of its own: header fields, then keys and values, with escapes taken back as the format has them.
    pub(in crate::cef) fn read(line: &str) -> (Vec<String>, BTreeMap<String, String>) {
        let mut fields = vec![String::new()];
        let mut chars = line.chars();
        while fields.len() < 8 {
            match chars.next().expect("a header of seven fields") {
                '\\' => {
                    let char = chars.next().expect("an escaped character");
                    assert!("\\|".contains(char), "{line}");
                    fields.last_mut().expect("a field").push(char);
                }
                '|' => fields.push(String::new()),
                char => fields.last_mut().expect("a field").push(char),
            }
        }
        fields.pop();
        // Where an equals sign is not escaped, the word before it is a key.
        let mut values = BTreeMap::new();
        let (mut key, mut value) = (String::new(), String::new());
        while let Some(char) = chars.next() {
            match char {
                '\\' => value.push(match chars.next().expect("an escaped character") {
                    'n' => '\n',
                    'r' => '\r',
                    char => {
                        assert!("\\=".contains(char), "{line}");
                        char
                    }
                }),
                '=' => {
                    let (before, next) = value.rsplit_once(' ').unwrap_or(("", &value));
                    assert!(
                        next.chars().all(|char| char.is_ascii_alphanumeric()) && !next.is_empty()
                    );
                    let next = next.to_owned();
                    if !key.is_empty() {
                        assert!(values.insert(key, before.to_owned()).is_none(), "{line}");
                    }
                    (key, value) = (next, String::new());
                }
                char => value.push(char),
            }
        }
        values.insert(key, value);
        (fields, values)
    }

    fn plain(text: &str) -> String {
        let spaced = |char: char| {
            if char.is_control() && !"\r\n".contains(char) {
                ' '
            } else {
                char
            }
        };
        text.chars()
            .map(spaced)
            .collect::<String>()
            .trim()
            .to_owned()
    }

    proptest! {
        /// Whatever a text has in it, it comes back whole and nothing else changes.
        #[test]
        fn what_is_written_is_read(name in ".{0,80}", value in ".{0,80}", other in "[a-z]{1,9}=[\\\\|=\r\n a]{0,9}x") {
            let mut line = Line::new(&name, &other, 7);
            line.put("msg", &value, TEXT);
            line.custom("cs1", "label", &other);
            line.put("cnt", 3, WORD);
            let (fields, values) = read(&line.text);
            prop_assert_eq!(&fields[..4], &["CEF:0", "Wardtap", "Wardtap", Origin::VERSION]);
            prop_assert_eq!(&fields[4], &name.replace(char::is_control, " "));
            prop_assert_eq!(&fields[5], &other.replace(char::is_control, " "));
            prop_assert_eq!(&fields[6], "7");
            prop_assert_eq!(values.get("msg").cloned().unwrap_or_default(), plain(&value));
            prop_assert_eq!(&values["cs1"], &plain(&other));
            prop_assert_eq!(&values["cnt"], "3");
        }
    }
}
