//! TLS events: a connection is encrypted, and what its hello messages say.

use std::collections::BTreeMap;

use sensor_common::layer7::Protocol;
use serde::{Deserialize, Serialize};

use crate::{
    event::session::{Cell, Exchanged, Listing, SessionEvent, StoredSession, word},
    time::Time,
};

/// The content of the events.
pub(in crate::event) type Content = TlsReport;

/// What is likely inside, by the port alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Likely {
    /// DICOM over TLS (IANA: port 2762, or set by the configuration).
    Dicom,
    /// HL7 over MLLP over TLS.
    Hl7,
}

impl Likely {
    /// The protocol that is likely inside.
    #[must_use]
    pub const fn protocol(self) -> Protocol {
        match self {
            Self::Dicom => Protocol::Dicom,
            Self::Hl7 => Protocol::Hl7,
        }
    }
}

/// A TLS connection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TlsReport {
    /// When its first hello message was seen.
    pub start: Time,
    /// The `legacy_version` of the `ClientHello` (RFC 8446 section 4.1.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_version: Option<String>,
    /// The versions that the client offers by extension.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub supported_versions: Vec<String>,
    /// The version that the server chose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The cipher suite that the server chose, by its IANA name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cipher_suite: Option<String>,
    /// Server name that the client asks for (RFC 6066 section 3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sni: Option<String>,
    /// Application protocols that the client offers (RFC 7301).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alpn: Vec<String>,
    /// A hint by the port, not by content: what is likely inside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub likely: Option<Likely>,
    /// Always true: what goes on inside is not seen.
    #[cfg_attr(test, schemars(extend("const" = true)))]
    pub encrypted: bool,
    /// A hello message could be read in part only, or was missed.
    pub incomplete: bool,
    /// Bytes that were not read, by reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(test, schemars(with = "crate::event::schema::Skipped"))]
    pub skipped: BTreeMap<String, u64>,
}

impl SessionEvent for TlsReport {
    fn start(&self) -> Option<Time> {
        Some(self.start)
    }

    fn stored(&self) -> StoredSession<'_> {
        StoredSession {
            sender: self.sni.as_deref(),
            outcome: self.version.clone(),
            ..StoredSession::default()
        }
    }

    fn exchanged(&self) -> Exchanged {
        let likely = self.likely.and_then(|likely| likely.protocol().title());
        let likely = likely.map(|title| format!("likely {title}, by the port"));
        let version = self.version.clone().into_iter();
        Exchanged {
            encrypted: true,
            classes: version.chain(likely).collect(),
            ..Exchanged::default()
        }
    }

    fn listing(&self) -> Option<Listing> {
        let version = self.version.as_ref().or(self.client_version.as_ref());
        Some(Listing {
            title: "TLS connections",
            start: self.start,
            cells: vec![
                ("server name", Cell::Text(self.sni.clone())),
                ("version", Cell::Text(version.cloned())),
                ("cipher suite", Cell::Text(self.cipher_suite.clone())),
                (
                    "likely",
                    Cell::List(self.likely.and_then(word).into_iter().collect()),
                ),
            ],
        })
    }
}
