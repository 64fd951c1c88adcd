//! The types of events, which outputs choose by.

use sensor_facts::event::{Body, Event};
use serde::{Deserialize, Serialize};

/// The type of an event, as in its field `event_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EventKind {
    /// A flow's features.
    Flow,
    /// A DICOM association.
    Dicom,
    /// An HL7 message or session.
    Hl7,
    /// A TLS connection.
    Tls,
    /// An entry of the audit trail.
    Audit,
    /// What people are told.
    Alert,
    /// Something suspicious.
    Finding,
    /// Counters.
    Stats,
}

impl EventKind {
    /// The type of an event.
    #[must_use]
    pub const fn of(event: &Event) -> Self {
        match event.body {
            Body::Flow { .. } => Self::Flow,
            Body::Dicom { .. } => Self::Dicom,
            Body::Hl7 { .. } => Self::Hl7,
            Body::Tls { .. } => Self::Tls,
            Body::Audit { .. } => Self::Audit,
            Body::Alert { .. } => Self::Alert,
            Body::Finding { .. } => Self::Finding,
            Body::Stats { .. } => Self::Stats,
        }
    }

    /// As in events.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Flow => "flow",
            Self::Dicom => "dicom",
            Self::Hl7 => "hl7",
            Self::Tls => "tls",
            Self::Audit => "audit",
            Self::Alert => "alert",
            Self::Finding => "finding",
            Self::Stats => "stats",
        }
    }
}
