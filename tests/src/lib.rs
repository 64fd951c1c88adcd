//! Topology, programs and waiting for the system tests and the demo.

pub mod programs;
