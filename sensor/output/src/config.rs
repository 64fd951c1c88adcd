//! Where events go.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize, de::Error};

use crate::{
    Endpoint, Facility, FileOptions, Format, Kind, OutputOptions, RESERVED, Rotation,
    SyslogOptions, Target, TlsOptions,
};
use sensor_analysis::config::model::file;
use sensor_facts::as_text;
use sensor_facts::setting::{Limit, Span};

/// Where events go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Output {
    /// JSON lines.
    pub json: Json,
    /// OCSF lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ocsf: Option<Ocsf>,
    /// Syslog receivers.
    pub syslog: Vec<Syslog>,
}

/// JSON lines.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Json {
    /// The file; `-` is standard output.
    pub path: String,
    /// The file is rotated before it has more.
    pub rotate_size: Limit,
    /// Rotated files that are kept.
    #[serde(deserialize_with = "some")]
    pub keep: u32,
    /// Events that may wait for a slow disk; what comes beyond is dropped and counted.
    pub max_queue: usize,
    /// Between two `stats` events.
    pub stats_interval: Span,
}

impl Default for Json {
    fn default() -> Self {
        Self {
            path: "/var/lib/wardtap/events.jsonl".to_owned(),
            rotate_size: Limit::default(),
            keep: 8,
            max_queue: 65_536,
            stats_interval: Span::from_secs(8),
        }
    }
}

/// OCSF lines.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Ocsf {
    /// The file; `-` is standard output.
    pub path: String,
    /// The file is rotated before it has more.
    #[serde(default)]
    pub rotate_size: Limit,
    /// Rotated files that are kept.
    #[serde(default = "eight", deserialize_with = "some")]
    pub keep: u32,
    /// Alerts that may wait for a slow disk; what comes beyond is dropped and counted.
    #[serde(default = "queue")]
    pub max_queue: usize,
}

/// A syslog receiver.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Syslog {
    /// Names it in status and metrics.
    #[serde(default = "syslog")]
    pub name: String,
    /// Host and port.
    pub address: Endpoint,
    /// Over what.
    #[serde(default)]
    pub transport: Transport,
    /// What a message contains.
    #[serde(default)]
    pub format: Format,
    /// Types of events that it gets; without it alerts, and audit entries where the format has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<Kind>>,
    /// Facility of the messages.
    #[serde(default)]
    pub facility: Facility,
    /// Certificates of the authorities that are trusted, PEM; without it the system's.
    #[serde(
        default,
        deserialize_with = "file",
        skip_serializing_if = "Option::is_none"
    )]
    pub ca: Option<PathBuf>,
    /// Name that the receiver's certificate has to be for; without it that of the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// Certificate of the sensor, PEM.
    #[serde(
        default,
        deserialize_with = "file",
        skip_serializing_if = "Option::is_none"
    )]
    pub certificate: Option<PathBuf>,
    /// Its private key, PEM.
    #[serde(
        default,
        deserialize_with = "file",
        skip_serializing_if = "Option::is_none"
    )]
    pub key: Option<PathBuf>,
    /// Events that may wait while the receiver is slow or gone; what comes beyond is dropped and counted.
    #[serde(default = "queue")]
    pub max_queue: usize,
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

fn eight() -> u32 {
    8
}

fn queue() -> usize {
    8_192
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
    fn events(&self) -> Vec<Kind> {
        self.events.clone().unwrap_or_else(|| {
            let mut usual = vec![Kind::Alert, Kind::Audit];
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
