//! `ArcSight` Common Event Format: `CEF:0|Wardtap|Wardtap|version|class|name|severity|key=value ...` (Micro Focus, "Implementing
//! `ArcSight` Common Event Format (CEF)", version 25, whose dictionary names the keys and their lengths).
//!
//! `docs/outputs.md` says which key has what.

use std::{
    borrow::Cow,
    fmt::{Display, Write as _},
    net::IpAddr,
};

use super::format::{Origin, message_id};
use crate::{
    alert::{Alert, Change, Severity},
    audit::Action,
    detect::Finding,
    event::{AuditReport, Body, Event, Time},
    response::{Actor, Target},
};

/// Lengths of the dictionary, in characters.
const NAME: usize = 512;
const WORD: usize = 63;
const TEXT: usize = 1_023;
const CUSTOM: usize = 4_000;

/// The event as a line, for alerts, findings and audit entries.
pub(super) fn of(event: &Event, origin: &Origin) -> Option<String> {
    let mut line = match &event.body {
        Body::Alert { alert } => of_alert(alert.change, &alert.alert),
        Body::Finding { finding } => of_finding(finding),
        Body::Audit { audit } => of_audit(audit),
        _ => return None,
    };
    line.put("rt", millis(event.timestamp), WORD);
    line.put("externalId", message_id(event), WORD);
    line.put("dvchost", &origin.host, 100);
    Some(line.text)
}

/// From 0 to 10: low to 3, medium to 6, high to 8, very high above.
const fn severity(of: Severity) -> u8 {
    match of {
        Severity::Low => 3,
        Severity::Medium => 6,
        Severity::High => 8,
        Severity::Critical => 10,
    }
}

fn of_alert(change: Change, alert: &Alert) -> Line {
    let leading = leading(alert);
    let class = leading.map_or("alert", |one| one.detector.as_str());
    let mut line = Line::new(class, &alert.title, severity(alert.severity));
    line.put("cat", "alert", TEXT);
    line.custom("cs2", "change", change.label());
    line.custom("cn1", "alert", alert.id);
    line.custom("cfp1", "confidence", format!("{:.3}", alert.confidence));
    line.custom("cs1", "ATT&CK", alert.techniques.join(" "));
    let detectors: Vec<&str> = alert.findings.iter().map(|one| &*one.detector).collect();
    line.custom("cs3", "detectors", detectors.join(" "));
    line.custom("cs4", "check", alert.check.join("; "));
    if let Some(touched) = &alert.containment {
        line.custom("cs5", "containment would", &touched.action);
    }
    if let Some(decided) = alert.decisions.last() {
        line.put("act", &decided.verdict, WORD);
        line.put("reason", &decided.reason, TEXT);
    }
    line.put("cnt", alert.finding_count, WORD);
    line.put("start", millis(alert.opened), WORD);
    line.put("end", millis(alert.closed.unwrap_or(alert.updated)), WORD);
    line.put("msg", &alert.title, TEXT);
    line.ends(alert.device, alert.suffers, leading);
    line
}

/// The finding of an alert that weighs most.
pub(super) fn leading(alert: &Alert) -> Option<&Finding> {
    let by_confidence = |a: &&Finding, b: &&Finding| a.confidence.total_cmp(&b.confidence);
    // The first of those that are equally sure, as in the alert's title.
    alert.findings.iter().rev().max_by(by_confidence)
}

fn of_finding(finding: &Finding) -> Line {
    let severity = if finding.confidence >= 0.8 { 5 } else { 3 };
    let mut line = Line::new(&finding.detector, &finding.evidence, severity);
    line.put("cat", "finding", TEXT);
    line.custom("cn1", "finding", finding.id);
    line.custom("cfp1", "confidence", format!("{:.3}", finding.confidence));
    line.custom("cs1", "ATT&CK", &finding.technique);
    line.custom("cs4", "wrong if", &finding.wrong_if);
    line.put("msg", &finding.evidence, TEXT);
    line.ends(finding.subject, finding.suffers, Some(finding));
    line
}

fn of_audit(report: &AuditReport) -> Line {
    let action = &report.action;
    let (severity, rule) = match action {
        Action::RuleAdded { rule } => (5, Some(rule.id)),
        Action::RuleChanged { id, .. } | Action::RuleRemoved { id, .. } => (5, Some(*id)),
        Action::ReleasedAll { .. } | Action::Unprotected { .. } | Action::ModelRefused { .. } => {
            (5, None)
        }
        Action::Effect { id, verdict, .. } if verdict == "not_effective" => (6, Some(*id)),
        Action::Effect { id, .. } | Action::Reset { id, .. } => (3, Some(*id)),
        Action::Decided(decision) => (3, decision.rule),
        _ => (3, None),
    };
    let class = tag(action);
    let mut line = Line::new(&class, &class.replace('_', " "), severity);
    line.put("cat", "audit", TEXT);
    line.put("act", &class, WORD);
    if matches!(action, Action::Refused { .. } | Action::ModelRefused { .. }) {
        line.put("outcome", "failure", WORD);
    }
    match &report.actor {
        Actor::Person { uid, .. } => {
            line.put("suser", &report.actor, TEXT);
            line.put("suid", uid, TEXT);
        }
        Actor::Policy { .. } | Actor::Daemon => line.put("sproc", &report.actor, TEXT),
    }
    if let Some(rule) = rule {
        line.custom("cn1", "rule", rule);
    }
    let target = match action {
        Action::RuleAdded { rule } => Some(rule.target),
        Action::Decided(decision) => decision.target,
        _ => None,
    };
    if let Some(target) = target {
        line.custom("cs1", "target", target);
    }
    if let Some(Target::Device { address }) = target {
        line.source(address, None);
    }
    line.put("msg", action, TEXT);
    line
}

/// The action's name in events.
fn tag(action: &Action) -> String {
    let json = serde_json::to_value(action).unwrap_or_default();
    json["action"].as_str().unwrap_or("audit").to_owned()
}

fn millis(time: Time) -> i64 {
    time.0.div_euclid(1_000_000)
}

/// A line that is being written.
struct Line {
    text: String,
    /// Where the header ends.
    header: usize,
}

impl Line {
    fn new(class: &str, name: &str, severity: u8) -> Self {
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
    fn put(&mut self, key: &str, value: impl Display, limit: usize) {
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
    fn custom(&mut self, key: &str, label: &str, value: impl Display) {
        let before = self.text.len();
        self.put(key, value, CUSTOM);
        if self.text.len() > before {
            self.put(&format!("{key}Label"), label, TEXT);
        }
    }

    /// Who did what to whom.
    fn ends(&mut self, device: IpAddr, suffers: bool, finding: Option<&Finding>) {
        if suffers {
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

    fn source(&mut self, address: IpAddr, port: Option<u16>) {
        // The dictionary's `src` and `dst` are IPv4.
        match address {
            IpAddr::V4(_) => self.put("src", address, WORD),
            IpAddr::V6(_) => self.custom("c6a2", "Source IPv6 Address", address),
        }
        if let Some(port) = port {
            self.put("spt", port, WORD);
        }
    }

    fn destination(&mut self, address: IpAddr) {
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
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::output::tests::{alert, audit, finding};

    fn origin() -> Origin {
        Origin {
            host: "sensor-1".to_owned(),
            process: 1,
        }
    }

    /// A reader of its own: header fields, then keys and values, with escapes taken back as the format has them.
    fn read(line: &str) -> (Vec<String>, BTreeMap<String, String>) {
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

    #[test]
    fn an_alert() {
        let (fields, values) = read(&of(&alert(), &origin()).expect("a line"));
        assert_eq!(fields[4..], ["scan", "41 ports | of 10.0.0.9=x", "8"]);
        for (key, value) in [
            ("src", "10.0.0.3"),
            ("spt", "40000"),
            ("dst", "10.0.0.9"),
            ("dpt", "104"),
            ("proto", "TCP"),
            ("cs6", "10.0.0.10"),
            ("cn1", "17"),
            ("cn1Label", "alert"),
            ("cs1", "T1046 T1018"),
            ("cs2", "opened"),
            ("cs3", "sweep scan"),
            ("cfp1", "0.900"),
            ("cnt", "5"),
            ("rt", "1764201600123"),
            ("start", "1764201600000"),
            ("msg", "41 ports | of 10.0.0.9=x"),
            ("dvchost", "sensor-1"),
        ] {
            assert_eq!(values.get(key).map(String::as_str), Some(value), "{key}");
        }
        assert_eq!(values["externalId"].len(), 32);
    }

    #[test]
    fn who_suffers_is_the_destination() {
        let Body::Finding { mut finding } = finding().body else {
            panic!("no finding")
        };
        finding.suffers = true;
        finding.subject = "2001:db8::7".parse().expect("an address");
        let event = Event::general(finding.time, Body::Finding { finding });
        let (_, values) = read(&of(&event, &origin()).expect("a line"));
        assert_eq!(values["c6a3"], "2001:db8::7");
        assert_eq!(values["c6a3Label"], "Destination IPv6 Address");
        assert!(!values.contains_key("src") && !values.contains_key("dst"));
    }

    #[test]
    fn an_entry_of_the_trail() {
        let (fields, values) = read(&of(&audit(), &origin()).expect("a line"));
        assert_eq!(fields[4..], ["rule_added", "rule added", "5"]);
        for (key, value) in [
            ("suser", "ann"),
            ("suid", "1000"),
            ("cn1", "4"),
            ("cn1Label", "rule"),
            ("src", "10.0.0.3"),
            ("act", "rule_added"),
        ] {
            assert_eq!(values.get(key).map(String::as_str), Some(value), "{key}");
        }
        assert!(values["msg"].contains("a=b\nc"), "{}", values["msg"]);
    }
}
