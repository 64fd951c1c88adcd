//! Hosts as they were seen, and what follows from that: who made them, what they are.

pub(crate) mod activity;
pub(crate) mod hosts;
pub(crate) mod report;

mod ends;
mod flows;
mod host;
pub(crate) mod leases;
mod macs;
pub(crate) mod memory;
mod role;
mod rules;
mod senders;
mod stations;
mod vendor;

pub use hosts::Inventory;
pub use memory::Memory;
pub use report::{
    AddressBefore, AeTitle, Caller, DicomImplementation, Hl7Sender, HostName, HostReport,
    NameSource, Service, ServiceUse,
};
pub use role::{Role, RoleReport};
pub use vendor::{RANDOM, TABLE_DATE, vendor};
