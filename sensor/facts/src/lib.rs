//! What every part of the daemon shares: times and addresses, targets and rules, observations, findings, alerts and
//! events, and small helpers. It knows nothing of the parts above it.

#![forbid(unsafe_code)]

pub mod action;
pub mod address;
pub mod alert;
pub mod clock;
pub mod contact;
pub mod effect;
pub mod event;
pub mod files;
pub mod finding;
pub mod hash;
pub mod hex;
pub mod incident;
pub mod infrastructure;
pub mod lock;
pub mod mirror;
pub mod observation;
pub mod reason;
pub mod rights;
pub mod router;
pub mod rule;
pub mod setting;
pub mod target;
pub mod time;
pub mod words;
