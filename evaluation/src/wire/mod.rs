//! Frames as they are on the wire: conversations of TCP and datagrams, and what they carry.

pub mod arp;
pub mod burst;
pub mod dhcp;
pub mod dice;
pub mod dicom;
pub mod dns;
pub mod frame;
pub mod hl7;
pub mod tcp;
pub mod tls;
