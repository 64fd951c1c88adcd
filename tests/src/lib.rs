//! A small hospital in network namespaces, with real DICOM and HL7 programs in it: for the system tests
//! and for `cargo xtask demo`.
//!
//! Everything is made at run time and removed when its guard is dropped.

pub mod ability;
pub mod attack;
pub mod dicom;
pub mod feed;
pub mod folder;
pub mod hl7;
pub mod hospital;
pub mod http;
pub mod intruder;
pub mod live;
pub mod machine;
pub mod metrics;
pub mod models;
pub mod netns;
pub mod nobody;
pub mod office;
pub mod passage;
pub mod program;
pub mod prometheus;
pub mod reading;
pub mod report;
pub mod rights;
pub mod scenario;
pub mod secret;
pub mod sensor;
pub mod site;
pub mod soak;
pub mod tally;
pub mod terminal;
pub mod wait;
pub mod wire;
