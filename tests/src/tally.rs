//! What was done, or seen, as a table of words and counts, so that both can be compared.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use serde_json::Value;

/// How often something happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    counts: BTreeMap<String, u64>,
}

impl Tally {
    /// Counts something `count` times more.
    pub fn add(&mut self, what: impl Into<String>, count: u64) {
        if count > 0 {
            *self.counts.entry(what.into()).or_default() += count;
        }
    }

    /// Counts an association: its AE titles, how it ended, and its commands with the number of
    /// requests and of final answers of success.
    pub fn association(
        &mut self,
        calling: &str,
        called: &str,
        outcome: &str,
        commands: &[(&str, u64, u64)],
    ) {
        let mut words = format!("association {calling} -> {called}, {outcome}");
        for (command, requests, successes) in commands {
            let _ = write!(
                words,
                ", {command} {requests} requests {successes} succeeded"
            );
        }
        self.add(words, 1);
    }

    /// Counts a conversation by what names its service.
    pub fn conversation(&mut self, protocol: &str, source: &str, destination: &str, port: u16) {
        self.add(
            format!("flow {protocol} {source} -> {destination}:{port}"),
            1,
        );
    }

    /// What the sensor's events say, as many as there are of one run.
    #[must_use]
    pub fn of_events(events: &[Value]) -> Self {
        let mut tally = Self::default();
        let mut flows = BTreeSet::new();
        for event in events {
            match text(&event["event_type"]) {
                "flow" => tally.flow(event, &mut flows),
                "dicom" => tally.dicom(&event["dicom"]),
                "hl7" => tally.hl7(&event["hl7"]),
                "tls" => tally.add(
                    format!("TLS to {}:{}", text(&event["dest_ip"]), event["dest_port"]),
                    1,
                ),
                _ => {}
            }
        }
        tally
    }

    fn flow(&mut self, event: &Value, seen: &mut BTreeSet<u64>) {
        let Some(port) = event["dest_port"]
            .as_u64()
            .and_then(|port| u16::try_from(port).ok())
        else {
            return;
        };
        if seen.insert(event["flow_id"].as_u64().unwrap_or_default()) {
            let protocol = text(&event["proto"]);
            self.conversation(
                protocol,
                text(&event["src_ip"]),
                text(&event["dest_ip"]),
                port,
            );
        }
    }

    fn dicom(&mut self, dicom: &Value) {
        if !matches!(text(&dicom["type"]), "closed" | "rejected") {
            return;
        }
        let commands: Vec<_> = list(&dicom["commands"])
            .iter()
            .map(|command| {
                (
                    text(&command["command"]),
                    number(&command["requests"]),
                    number(&command["responses"]["success"]),
                )
            })
            .collect();
        self.association(
            text(&dicom["calling_ae"]),
            text(&dicom["called_ae"]),
            text(&dicom["outcome"]),
            &commands,
        );
    }

    fn hl7(&mut self, hl7: &Value) {
        match (text(&hl7["type"]), hl7["ack_code"].as_str()) {
            ("message", Some(code)) => self.add(format!("HL7 acknowledgement {code}"), 1),
            ("message", None) => self.add(format!("HL7 message {}", text(&hl7["message_type"])), 1),
            ("session", _) => self.add("HL7 session", 1),
            _ => {}
        }
    }

    /// What differs from `expected`, a line each.
    #[must_use]
    pub fn differences(&self, expected: &Self) -> Vec<String> {
        let all: BTreeSet<_> = self.counts.keys().chain(expected.counts.keys()).collect();
        let of = |tally: &Self, what: &str| tally.counts.get(what).copied().unwrap_or(0);
        all.into_iter()
            .filter(|what| of(self, what) != of(expected, what))
            .map(|what| {
                format!(
                    "{what}: {} instead of {}",
                    of(self, what),
                    of(expected, what)
                )
            })
            .collect()
    }

    /// Each thing and how often it happened, in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.counts
            .iter()
            .map(|(what, count)| (what.as_str(), *count))
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
