//! Where events go.

use std::path::PathBuf;

use sensor_analysis::config::model::file;
use sensor_facts::{
    as_text,
    event::EventType,
    item, section,
    setting::{Limit, Span},
};
use serde::{Deserialize, Deserializer, Serialize, de::Error};

use crate::{
    Endpoint, Facility, FileOptions, Format, OutputOptions, RESERVED, Rotation, SyslogOptions,
    Target, TlsOptions,
};

section! {
    /// Where events go.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Output {
        /// All events as JSON lines.
        pub json: Json,
        /// Alerts as OCSF lines.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub ocsf: Option<Ocsf> = None => optional Ocsf,
        /// Receivers of syslog.
        pub syslog: Vec<Syslog> = Vec::new() => list Syslog,
    }
}

section! {
    /// All events as JSON lines.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Json {
        /// The file. `-` is standard output.
        pub path: String = "/var/lib/wardtap/events.jsonl".to_owned() => unit "path",
        /// The file is rotated before it grows beyond this size: it becomes events.jsonl.1, that one .2, and so on. `off`
        /// rotates never.
        pub rotate_size: Limit = Limit::default(),
        /// How many rotated files are kept.
        #[serde(deserialize_with = "some")]
        pub keep: u32 = KEEP => unit "files",
        /// How many events may wait for a slow disk. Those beyond are dropped and counted.
        pub max_queue: usize = 65_536 => unit "events",
        /// The time between two `stats` events.
        pub stats_interval: Span = Span::from_secs(8),
    }
}

item! {
    /// Alerts as OCSF Detection Findings, a line each. They are written if this section is there.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Ocsf {
        /// The file. `-` is standard output.
        pub path: String => required "/var/lib/wardtap/alerts.ocsf.jsonl",
        /// The file is rotated before it grows beyond this size. `off` rotates never.
        #[serde(default)]
        pub rotate_size: Limit => default Limit::default(),
        /// How many rotated files are kept.
        #[serde(default = "keep", deserialize_with = "some")]
        pub keep: u32 => default KEEP,
        /// How many alerts may wait for a slow disk. Those beyond are dropped and counted.
        #[serde(default = "queue")]
        pub max_queue: usize => default QUEUE,
    }
}

item! {
    /// A receiver of syslog; there may be any number. docs/outputs.md says what is promised.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Syslog {
        /// Its name in status and metrics. Each receiver needs another name.
        #[serde(default = "syslog")]
        pub name: String => default syslog(),
        /// Its host and port.
        pub address: Endpoint => required "siem.example:6514",
        /// `tls`, or `tcp` in clear text.
        #[serde(default)]
        pub transport: Transport => default Transport::default(),
        /// What a message contains: `cef`, `json` or `ocsf`.
        #[serde(default)]
        pub format: Format => default Format::default(),
        /// The types of events that it gets. Without it, alerts, and audit entries where the format has them. `cef` can
        /// have `finding` too, `json` has all types, `ocsf` only `alert`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub events: Option<Vec<EventType>> => example ["alert", "audit"],
        /// The facility of the messages.
        #[serde(default)]
        pub facility: Facility => default Facility::default(),
        /// Certificates of the authorities that are trusted, PEM. Without it, the system's.
        #[serde(default, deserialize_with = "file", skip_serializing_if = "Option::is_none")]
        pub ca: Option<PathBuf> => example "/etc/wardtap/siem-ca.pem",
        /// The name that the receiver's certificate must be for. Without it, the host of the address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub server_name: Option<String> => example "siem.example",
        /// The sensor's certificate, PEM, for receivers that ask for one.
        #[serde(default, deserialize_with = "file", skip_serializing_if = "Option::is_none")]
        pub certificate: Option<PathBuf> => example "/etc/wardtap/sensor.pem",
        /// The private key of the sensor's certificate, PEM.
        #[serde(default, deserialize_with = "file", skip_serializing_if = "Option::is_none")]
        pub key: Option<PathBuf> => example "/etc/wardtap/sensor.key",
        /// How many events may wait while the receiver is slow or gone. Those beyond are dropped and counted.
        #[serde(default = "queue")]
        pub max_queue: usize => default QUEUE,
    }
}

/// What syslog goes over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// TLS.
    #[default]
    Tls,
    /// TCP, in clear text.
    Tcp,
}

as_text!(Endpoint, Facility);

/// Rotated files that are kept.
const KEEP: u32 = 8;
/// Events that may wait for a receiver, or for the file of OCSF lines.
const QUEUE: usize = 8_192;

fn keep() -> u32 {
    KEEP
}

fn queue() -> usize {
    QUEUE
}

fn syslog() -> String {
    "syslog".to_owned()
}

fn some<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    let number = i64::deserialize(from)?;
    u32::try_from(number)
        .ok()
        .filter(|number| (1..=1_000).contains(number))
        .ok_or_else(|| D::Error::custom(format!("{number} is not from 1 to 1000 files")))
}

impl Output {
    /// What the output is made with.
    #[must_use]
    pub fn options(&self) -> OutputOptions {
        let file = |path: &str, size: Limit, keep, queue| FileOptions {
            target: Target::named(path),
            rotation: size.get().map(|size| Rotation { size, keep }),
            queue,
        };
        let json = &self.json;
        OutputOptions {
            json: file(&json.path, json.rotate_size, json.keep, json.max_queue),
            ocsf: self
                .ocsf
                .as_ref()
                .map(|it| file(&it.path, it.rotate_size, it.keep, it.max_queue)),
            syslog: self.syslog.iter().map(Syslog::options).collect(),
        }
    }

    /// What is wrong with the files taken together.
    #[must_use]
    pub fn same_file(&self) -> Option<String> {
        let path = &self.ocsf.as_ref()?.path;
        (*path == self.json.path && path != "-")
            .then(|| format!("output.ocsf.path is {path:?}, where the JSON lines are"))
    }

    /// What is wrong with the receivers taken together: the index of one, its key, and what is wrong.
    #[must_use]
    pub fn mistake(&self) -> Option<(usize, &'static str, String)> {
        self.syslog.iter().enumerate().find_map(|(index, one)| {
            if self
                .syslog
                .iter()
                .take(index)
                .any(|before| before.name == one.name)
            {
                let what = format!("output {:?} is there twice: give each a name", one.name);
                // Both may have no name of their own.
                return Some((index, "address", what));
            }
            one.mistake().map(|(key, what)| (index, key, what))
        })
    }
}

impl Syslog {
    fn events(&self) -> Vec<EventType> {
        self.events.clone().unwrap_or_else(|| {
            let mut usual = vec![EventType::Alert, EventType::Audit];
            usual.retain(|kind| self.format.carries(*kind));
            usual
        })
    }

    fn options(&self) -> SyslogOptions {
        SyslogOptions {
            name: self.name.clone(),
            endpoint: self.address.clone(),
            tls: (self.transport == Transport::Tls).then(|| TlsOptions {
                ca: self.ca.clone(),
                server_name: self.server_name.clone(),
                identity: self.certificate.clone().zip(self.key.clone()),
            }),
            format: self.format,
            events: self.events(),
            facility: self.facility,
            queue: self.max_queue,
        }
    }

    fn mistake(&self) -> Option<(&'static str, String)> {
        let name = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_';
        if !self.name.chars().all(name) || !(1..=32).contains(&self.name.len()) {
            let what = format!(
                "{:?} is no name: take up to 32 of a-z, 0-9 and _",
                self.name
            );
            return Some(("name", what));
        }
        if RESERVED.contains(&self.name.as_str()) {
            return Some((
                "name",
                format!("an output of Wardtap's own is named {:?}", self.name),
            ));
        }
        let events = self.events();
        if events.is_empty() {
            return Some(("events", "name at least one type of events".to_owned()));
        }
        if let Some(kind) = events.iter().find(|kind| !self.format.carries(**kind)) {
            let what = format!(
                "{} has no form for events of type {:?}",
                self.format,
                kind.label()
            );
            return Some(("events", what));
        }
        let given = [
            ("ca", self.ca.is_some()),
            ("server_name", self.server_name.is_some()),
            ("certificate", self.certificate.is_some()),
            ("key", self.key.is_some()),
        ];
        if self.transport == Transport::Tcp
            && let Some((key, _)) = given.iter().find(|(_, given)| *given)
        {
            return Some((
                key,
                "it is for transport \"tls\", and this is \"tcp\"".to_owned(),
            ));
        }
        match (&self.certificate, &self.key) {
            (Some(_), None) => Some(("certificate", "a certificate takes its key".to_owned())),
            (None, Some(_)) => Some(("key", "a key takes its certificate".to_owned())),
            _ => None,
        }
    }
}
