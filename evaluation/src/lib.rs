//! How well Wardtap does: traffic whose truth is known, and the measure of what it makes of it.

mod all;
pub mod attack;
pub mod captures;
pub mod cli;
mod cost;
mod export;
pub mod hospital;
mod models;
mod parallel;
mod report;
pub mod rivals;
pub mod run;
pub mod score;
mod simulation;
mod table;
pub mod traffic;
pub mod truth;
mod which;
mod windows;
pub mod wire;
