//! A host as it is shown.

use std::{borrow::Cow, collections::BTreeMap, net::IpAddr};

use sensor_facts::{event::Party, time::Time};
use serde::{Deserialize, Serialize};

use super::role::RoleReport;

/// What was seen of a host, and what follows from it.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own in the schema"
)]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostReport {
    /// Address of the host.
    pub address: IpAddr,
    /// Ethernet addresses that its packets came with, the latest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub macs: Vec<String>,
    /// One of these serves many addresses, so it is a router's, not this host's.
    pub mac_shared: bool,
    /// Who made its network card, by the register of the IEEE of [`super::vendor::TABLE_DATE`]; none behind a router.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<Cow<'static, str>>,
    /// What it says of its maker in DHCP (option 60).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor_class: Option<String>,
    /// Names that it gave itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<HostName>,
    /// Addresses that it had before, the latest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses_before: Vec<AddressBefore>,
    /// What it is.
    #[serde(default)]
    pub role: RoleReport,
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
    /// Services of others that it was seen to use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<ServiceUse>,
    /// DICOM application entities.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ae_titles: Vec<AeTitle>,
    /// HL7 applications and facilities that it sent messages or acknowledgements as.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hl7_applications: Vec<Party>,
    /// Applications as which the host sent HL7 messages, acknowledgements left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hl7_senders: Vec<Hl7Sender>,
    /// DICOM implementations that the host named in associations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub implementations: Vec<DicomImplementation>,
    /// It spoke DICOM in clear text.
    pub cleartext_dicom: bool,
    /// It spoke HL7 in clear text.
    pub cleartext_hl7: bool,
    /// It spoke TLS.
    pub tls: bool,
    /// Versions of TLS that it chose as a server, as in TLS events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tls_versions: Vec<String>,
    /// Who asked it for DICOM associations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub callers: Vec<Caller>,
}

/// Who asked a host for DICOM associations, and whether it let them in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Caller {
    /// Address of the caller.
    pub address: IpAddr,
    /// The calling AE title.
    pub title: String,
    /// An association was accepted.
    pub accepted: bool,
    /// An association was rejected.
    pub rejected: bool,
}

/// A service that a host was seen to offer: it answered there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Service {
    /// `TCP`, `UDP` or `SCTP`.
    pub proto: Cow<'static, str>,
    /// Port of the service.
    pub port: u16,
    /// `dicom`, `hl7` or `tls`, recognised by content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_proto: Option<Cow<'static, str>>,
}

/// A service of another host that a host uses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ServiceUse {
    /// Address of the host that offers the service.
    pub address: IpAddr,
    /// `TCP`, `UDP` or `SCTP`.
    pub proto: Cow<'static, str>,
    /// Port of the service.
    pub port: u16,
    /// `dicom`, `hl7` or `tls`, recognised by content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_proto: Option<Cow<'static, str>>,
}

/// A name that a host gave itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HostName {
    /// The name as the host gave it.
    pub name: String,
    /// The protocol in which the host gave the name.
    pub source: NameSource,
}

/// Where a host gave its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameSource {
    /// DHCP (option 12).
    Dhcp,
    /// Multicast DNS (RFC 6762).
    Mdns,
}

/// An address that a device had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AddressBefore {
    /// The address.
    pub address: IpAddr,
    /// When it had another.
    pub until: Time,
}

/// An AE title and what it did.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own in the schema"
)]
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AeTitle {
    /// The AE title, without padding.
    pub title: String,
    /// It asked for associations.
    pub requestor: bool,
    /// It accepted associations.
    pub acceptor: bool,
    /// It sent requests (service class user).
    pub scu: bool,
    /// It answered requests (service class provider).
    pub scp: bool,
    /// The version name, else the class UID, of the DICOM implementation that used the title last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub implementation: Option<String>,
    /// When its first association began; none where an earlier version learnt it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_seen: Option<Time>,
    /// When its last association ended, or was last seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Time>,
}

/// An application that a host sent HL7 messages as. Acknowledgements and other answers do not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hl7Sender {
    /// MSH-3, sending application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
    /// MSH-4, sending facility.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facility: Option<String>,
    /// Addresses that it sent messages to.
    pub receivers: Vec<IpAddr>,
    /// Messages by type (MSH-9), such as `ADT^A01`.
    pub types: BTreeMap<String, u64>,
    /// Messages, also those of types that are not counted by themselves.
    pub messages: u64,
    /// When its first message came.
    pub first_seen: Time,
    /// When its last message came.
    pub last_seen: Time,
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
