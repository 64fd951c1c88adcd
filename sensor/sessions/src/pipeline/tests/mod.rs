//! The pipeline from packets to events, through the portable engine.

mod decided;
mod dicom;
mod hl7;
mod hostile;
mod hosts;
mod observations;
mod odd_blocks;
mod odd_data;
mod odd_dicom;
mod odd_hl7;
mod odd_start;
mod pdu;
mod reasons;
mod roles;
mod tcp;
mod tcp_order;
mod wire;
