//! Containment: what is blocked, by whom, why, and whether it works.
//!
//! A [`Rule`] names a [`Target`]. The kernel enforces it where the sensor is in the path
//! (`sensor_common::rule`); nothing here can make the kernel drop a packet of a protected device.

pub mod rule;
pub mod target;

pub use rule::{Actor, Rule, RuleId, Scope, State};
pub use target::{ClinicalPeer, Protected, Service, Target, Transport};
