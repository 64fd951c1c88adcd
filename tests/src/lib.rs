//! Topology, frames and waiting for the system tests.
