//! The pipeline from packets to events, through the portable engine.

mod dicom;
mod hl7;
mod hostile;
mod hosts;
mod observations;
mod pdu;
mod roles;
mod tcp;
mod wire;
