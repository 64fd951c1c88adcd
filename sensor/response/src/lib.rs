//! Containment: what is blocked, by whom, why, and whether it works.
//!
//! A [`Rule`] names a [`Target`]. The kernel enforces it where the sensor is in the path
//! (`sensor_common::rule`); nothing here can make the kernel drop a packet of a protected device.

#![forbid(unsafe_code)]

mod adopt;
pub mod book;
pub mod config;
mod evidence;
pub mod guard;
mod keeper;
pub mod policy;
mod refusal;
pub mod reset;
mod rule_resets;

pub use adopt::{AdoptError, Adoption};
pub use book::{Book, Past, Protection};

pub use evidence::objection;
pub use keeper::{ClinicalOf, Denied, Keeper, RuleReport, Undo, Wish};
pub use refusal::Refusal;
pub use reset::{Limits, ResetHandle, ResetOptions, ResetReport, ResetState, Resetter};
pub use rule_resets::{Ended, Mirrors, RuleResets};
