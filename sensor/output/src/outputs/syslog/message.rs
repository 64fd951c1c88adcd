//! A syslog message (RFC 5424) and its frame (octet counting, RFC 6587 section 3.4.1 and RFC 5425 section 4.3).

use std::{fmt, io, io::Write as _, str::FromStr};

use sensor_facts::{
    alert::{Change, Severity},
    event::{Body, Event},
    incident,
};

use crate::{Format, origin::Origin};

/// Facilities (RFC 5424 table 1), by number.
const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv",
    "ftp", "ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4",
    "local5", "local6", "local7",
];
/// Longest HOSTNAME, in characters.
const HOST: usize = 255;
/// Largest sequence number (section 7.3.1).
const SEQUENCE: u32 = i32::MAX.cast_unsigned();

/// A facility.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facility(u8);

impl Default for Facility {
    fn default() -> Self {
        Self(16)
    }
}

impl FromStr for Facility {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = FACILITIES.iter().position(|name| *name == text);
        number
            .and_then(|number| u8::try_from(number).ok())
            .map(Self)
            .ok_or_else(|| {
                format!(
                    "there is no facility {text:?}: it is one of {}",
                    FACILITIES.join(", ")
                )
            })
    }
}

impl fmt::Display for Facility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(FACILITIES.get(usize::from(self.0)).unwrap_or(&"local0"))
    }
}

/// Makes messages, and numbers them.
#[derive(Debug)]
pub(super) struct Messages {
    pub(super) facility: Facility,
    pub(super) format: Format,
    pub(super) origin: Origin,
    sequence: u32,
}

impl Messages {
    pub(super) fn new(facility: Facility, format: Format, origin: Origin) -> Self {
        Self {
            facility,
            format,
            origin,
            sequence: 0,
        }
    }

    /// The frame of the next message.
    ///
    /// # Errors
    /// When the format has no form for the event.
    pub(super) fn next(&mut self, event: &Event) -> io::Result<Vec<u8>> {
        let mut content = Vec::with_capacity(1024);
        self.format.write(event, &self.origin, true, &mut content)?;
        self.sequence = self.sequence % SEQUENCE + 1;
        let mut message = Vec::with_capacity(content.len() + 256);
        write!(
            message,
            "<{}>1 {} {} wardtap {} {} [meta sequenceId=\"{}\"][origin software=\"wardtap\" swVersion=\"{}\"] ",
            u32::from(self.facility.0) * 8 + severity(event),
            event.timestamp,
            host(&self.origin.host),
            self.origin.process,
            event.body.event_type().label(),
            self.sequence,
            Origin::VERSION,
        )?;
        // Of plain ASCII the encoding needs no word, and readers of JSON stumble over the mark.
        if !content.is_ascii() {
            message.extend_from_slice(b"\xef\xbb\xbf");
        }
        message.append(&mut content);
        let mut frame = format!("{} ", message.len()).into_bytes();
        frame.append(&mut message);
        Ok(frame)
    }
}

/// Severity (RFC 5424 table 2).
const fn severity(event: &Event) -> u32 {
    match &event.body {
        Body::Alert { alert } => match (alert.change, alert.alert.severity) {
            (Change::Closed, _) | (_, Severity::Low) => 5,
            (_, Severity::Medium) => 4,
            (_, Severity::High) => 3,
            (_, Severity::Critical) => 2,
        },
        Body::Incident { incident } => match (incident.change, incident.incident.severity) {
            (incident::Change::Closed, _) | (_, Severity::Low) => 5,
            (_, Severity::Medium) => 4,
            (_, Severity::High) => 3,
            (_, Severity::Critical) => 2,
        },
        Body::Mirror { mirror } if mirror.until.is_none() => 4,
        Body::Finding { .. } | Body::Audit { .. } | Body::Mirror { .. } => 5,
        _ => 6,
    }
}

/// A host's name as HOSTNAME: printable ASCII, or the dash for none.
fn host(name: &str) -> String {
    let name: String = name
        .chars()
        .filter(char::is_ascii_graphic)
        .take(HOST)
        .collect();
    if name.is_empty() {
        "-".to_owned()
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{alert, stats};

    fn message(format: Format, event: &Event, name: &str) -> String {
        let origin = Origin {
            host: name.to_owned(),
            process: 77,
        };
        let mut messages = Messages::new("local3".parse().expect("a facility"), format, origin);
        messages.next(event).expect("a message");
        let frame = String::from_utf8(messages.next(event).expect("a message")).expect("text");
        let (length, message) = frame.split_once(' ').expect("a length");
        assert_eq!(length.parse(), Ok(message.len()));
        message.to_owned()
    }

    #[test]
    fn header_and_structured_data() {
        let text = message(Format::Cef, &alert(), "sensor-1.hospital");
        let head = format!(
            "<155>1 2025-11-27T00:00:00.123000Z sensor-1.hospital wardtap 77 alert [meta sequenceId=\"2\"]\
             [origin software=\"wardtap\" swVersion=\"{}\"] CEF:0|Wardtap|",
            Origin::VERSION
        );
        assert!(text.starts_with(&head), "{text}");
        let text = message(Format::Json, &stats(), "");
        assert!(
            text.starts_with("<158>1 ") && text.contains("Z - wardtap 77 stats ["),
            "{text}"
        );
        assert!(message(Format::Json, &stats(), "ä b").contains(" b wardtap "));
    }

    #[test]
    fn the_mark_of_utf_8_stands_before_text_that_needs_it() {
        let mut event = alert();
        assert!(!message(Format::Cef, &event, "a").contains('\u{feff}'));
        if let Body::Alert { alert } = &mut event.body {
            alert.alert.title = "Gerät".to_owned();
        }
        assert!(message(Format::Cef, &event, "a").contains("] \u{feff}CEF:0|"));
        assert!(message(Format::Json, &event, "a").is_ascii());
        assert!(message(Format::Ocsf, &event, "a").is_ascii());
    }

    #[test]
    fn facilities_by_name() {
        assert_eq!("local0".parse(), Ok(Facility::default()));
        assert_eq!("audit".parse(), Ok(Facility(13)));
        assert_eq!(Facility(4).to_string(), "auth");
        assert!("local8".parse::<Facility>().is_err());
    }
}
