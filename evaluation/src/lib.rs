//! How well Wardtap does: traffic whose truth is known, and the measure of what it makes of it.

pub mod attack;
pub mod hospital;
pub mod traffic;
pub mod truth;
pub mod wire;
