//! The keys of a syslog receiver, and what can be wrong with them.

use std::path::PathBuf;

use sensor_analysis::config::model::file;
use sensor_facts::{as_text, event::EventType, item};
use serde::{Deserialize, Serialize};

use super::{Endpoint, Facility, SyslogOptions, TlsOptions};
use crate::{
    format::Format,
    lane::{QUEUE, RESERVED, queue},
};

item! {
    /// A receiver of syslog; there may be any number. docs/outputs.md says what is promised.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Keys {
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
        /// The types of events that it gets. Without it, alerts and incidents, and where the format has them audit entries
        /// and what is wrong with the mirror. `cef` can have `finding` too, `json` has all types, `ocsf` only `alert` and
        /// `incident`.
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

fn syslog() -> String {
    "syslog".to_owned()
}

impl Keys {
    fn events(&self) -> Vec<EventType> {
        self.events.clone().unwrap_or_else(|| {
            let mut usual = vec![
                EventType::Alert,
                EventType::Incident,
                EventType::Audit,
                EventType::Mirror,
            ];
            usual.retain(|kind| self.format.carries(*kind));
            usual
        })
    }

    /// What its lane is made with.
    pub(crate) fn options(&self) -> SyslogOptions {
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

    /// A key, and what is wrong with it.
    pub(crate) fn mistake(&self) -> Option<(&'static str, String)> {
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
