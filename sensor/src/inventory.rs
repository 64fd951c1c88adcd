//! Hosts as they were seen; no guess at what they are.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::event::{Party, Time};

/// A host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostReport {
    /// Its address.
    pub address: IpAddr,
    /// Ethernet addresses that its packets came with, the latest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub macs: Vec<String>,
    /// One of these serves many addresses, so it is a router's, not this host's.
    pub mac_shared: bool,
    /// When it was first seen.
    pub first_seen: Time,
    /// When it was last seen.
    pub last_seen: Time,
    /// Bytes of IP packets that it received.
    pub bytes_in: u64,
    /// Bytes of IP packets that it sent.
    pub bytes_out: u64,
    /// Flows that it opened.
    pub flows_opened: u64,
    /// Flows that others opened to it.
    pub flows_accepted: u64,
    /// Services that it was seen to offer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<Service>,
    /// DICOM application entities.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ae_titles: Vec<AeTitle>,
    /// HL7 applications and facilities that it sent messages as.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hl7_applications: Vec<Party>,
    /// DICOM implementations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub implementations: Vec<DicomImplementation>,
    /// It spoke DICOM in clear text.
    pub cleartext_dicom: bool,
    /// It spoke HL7 in clear text.
    pub cleartext_hl7: bool,
    /// It spoke TLS.
    pub tls: bool,
}

/// A service that a host was seen to offer: it answered there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Service {
    /// `TCP`, `UDP` or `SCTP`.
    pub proto: String,
    /// The port.
    pub port: u16,
    /// `dicom`, `hl7` or `tls`, recognised by content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_proto: Option<String>,
}

/// An AE title and what it did.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AeTitle {
    /// The title.
    pub title: String,
    /// It asked for associations.
    pub requestor: bool,
    /// It accepted associations.
    pub acceptor: bool,
    /// It sent requests (service class user).
    pub scu: bool,
    /// It answered requests (service class provider).
    pub scp: bool,
}

/// What a DICOM implementation says of itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DicomImplementation {
    /// Implementation class UID.
    pub class_uid: String,
    /// Implementation version name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_name: Option<String>,
}
