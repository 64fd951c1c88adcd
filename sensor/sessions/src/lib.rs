//! From packets to sessions: the readers of DICOM, HL7, TLS and of what hosts say of themselves, the inventory, the
//! pipeline that joins them, and capture files with the portable engine.

pub mod capture;
pub mod inventory;
pub mod pipeline;
mod protocol;
