//! Containment: what is blocked, by whom, why, and whether it works.
//!
//! A [`Rule`] names a [`Target`]. The kernel enforces it where the sensor is in the path
//! (`sensor_common::rule`); nothing here can make the kernel drop a packet of a protected device.

pub mod book;
pub mod guard;
pub mod rule;
pub mod target;

pub use book::{Book, Past, Protection};
pub use guard::Refusal;
pub use rule::{Actor, Rule, RuleId, Scope, State};
pub use target::{ClinicalPeer, Protected, Service, Target, Transport};
