//! What an event looks like at its receiver.

use std::{fmt, io};

use sensor_facts::event::{Event, EventType};
use serde::{Deserialize, Serialize};
use serde_json::ser::{CompactFormatter, Formatter};

use super::{cef, ocsf, origin::Origin};

/// How events are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// As JSON, `docs/events.schema.json`.
    Json,
    /// `ArcSight` Common Event Format, version 0.
    #[default]
    Cef,
    /// Detection Finding and Incident Finding of the Open Cybersecurity Schema Framework.
    Ocsf,
}

impl Format {
    /// As in the configuration.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Cef => "cef",
            Self::Ocsf => "ocsf",
        }
    }

    /// The types that it has a form for.
    #[must_use]
    pub const fn carries(self, kind: EventType) -> bool {
        match self {
            Self::Json => true,
            Self::Cef => matches!(
                kind,
                EventType::Alert
                    | EventType::Incident
                    | EventType::Finding
                    | EventType::Audit
                    | EventType::Mirror
            ),
            Self::Ocsf => matches!(kind, EventType::Alert | EventType::Incident),
        }
    }

    /// Appends an event without an end of line. JSON and OCSF are UTF-8, or ASCII where `ascii` is set.
    ///
    /// # Errors
    /// When the format has no form for it; `to` is as it was.
    pub fn write(
        self,
        event: &Event,
        origin: &Origin,
        ascii: bool,
        to: &mut Vec<u8>,
    ) -> io::Result<()> {
        let before = to.len();
        let result = match self {
            Self::Json => event.write_json(to).and_then(|()| {
                // Few events have more than ASCII.
                if ascii && !to.get(before..).is_some_and(<[u8]>::is_ascii) {
                    to.truncate(before);
                    return json(event, ascii, to);
                }
                Ok(())
            }),
            Self::Ocsf => ocsf::of(event, origin)
                .ok_or_else(|| io::ErrorKind::Unsupported.into())
                .and_then(|finding| json(&finding, ascii, to)),
            Self::Cef => cef::of(event, origin)
                .map(|text| to.extend_from_slice(text.as_bytes()))
                .ok_or_else(|| io::ErrorKind::Unsupported.into()),
        };
        if result.is_err() {
            to.truncate(before);
        }
        result
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

fn json(value: &impl Serialize, ascii: bool, to: &mut Vec<u8>) -> io::Result<()> {
    if ascii {
        let mut serializer = serde_json::Serializer::with_formatter(to, Ascii);
        Ok(value.serialize(&mut serializer)?)
    } else {
        Ok(serde_json::to_writer(to, value)?)
    }
}

/// JSON without a character beyond ASCII, so that nobody has to know its encoding.
struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        for part in fragment.split_inclusive(|char: char| !char.is_ascii()) {
            let plain = part.trim_end_matches(|char: char| !char.is_ascii());
            CompactFormatter.write_string_fragment(writer, plain)?;
            for unit in part[plain.len()..].encode_utf16() {
                write!(writer, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tests::{alert, audit, flow, stats};

    fn written(format: Format, event: &Event, ascii: bool) -> io::Result<String> {
        let origin = Origin {
            host: "sensor".to_owned(),
            process: 1,
        };
        let mut text = Vec::new();
        format.write(event, &origin, ascii, &mut text)?;
        Ok(String::from_utf8(text).expect("text"))
    }

    proptest! {
        #[test]
        fn ascii_json_is_ascii_and_says_the_same(text in ".*") {
            let mut ascii = Vec::new();
            json(&text, true, &mut ascii).expect("a string");
            prop_assert!(ascii.is_ascii());
            let back: String = serde_json::from_slice(&ascii).expect("JSON");
            prop_assert_eq!(back, text);
        }
    }

    #[test]
    fn formats_write_what_they_carry_and_nothing_else() {
        for event in [alert(), audit(), stats(), flow()] {
            for format in [Format::Json, Format::Cef, Format::Ocsf] {
                let kind = event.body.event_type();
                assert_eq!(
                    written(format, &event, true).is_ok(),
                    format.carries(kind),
                    "{format} {kind:?}"
                );
            }
            let json: serde_json::Value =
                serde_json::from_str(&written(Format::Json, &event, false).expect("JSON"))
                    .expect("JSON");
            assert_eq!(json["event_type"], event.body.event_type().label());
        }
    }
}
