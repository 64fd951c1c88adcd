//! What the pipeline tells the detectors, as soon as it is known.

use std::net::SocketAddr;

use crate::{event::Time, response::Transport};

/// Something that a client did at a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// When.
    pub time: Time,
    /// The transport.
    pub transport: Transport,
    /// Who opened the connection.
    pub client: SocketAddr,
    /// To whom.
    pub server: SocketAddr,
    /// What.
    pub what: What,
}

/// What a client did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// It asked for a TCP connection and got none: a reset, or nothing.
    ConnectionRefused,
    /// A DICOM association was accepted.
    Association {
        /// Calling AE title.
        calling: Option<String>,
    },
    /// A DICOM association was rejected (PS3.8 section 9.3.4).
    AssociationRejected {
        /// Calling AE title.
        calling: Option<String>,
        /// Called AE title.
        called: Option<String>,
        /// Who rejected: 1 is the application.
        source: u8,
        /// Why: of source 1, 3 and 7 are AE titles that are not recognised.
        reason: u8,
    },
    /// A DICOM request (PS3.7 annex E.1).
    Request {
        /// Calling AE title.
        calling: Option<String>,
        /// The Command Field.
        command: u16,
    },
    /// TLS was agreed on at a port where it likely carries DICOM or HL7.
    ClinicalTls,
    /// An HL7 message was accepted (MSA-1 AA or CA).
    Hl7Accepted,
}
