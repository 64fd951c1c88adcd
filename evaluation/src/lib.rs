//! How well Wardtap does: traffic whose truth is known, and the measure of what it makes of it.

pub mod captures;
pub mod cli;
pub mod hospital;
pub mod report;
pub mod rivals;
pub mod run;
pub mod score;
pub mod table;
pub mod traffic;
pub mod truth;
pub mod wire;
