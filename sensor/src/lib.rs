//! Wardtap's daemon: what happens to packets after the kernel, and everything that a person sees.
//!
//! A packet's events come from the kernel's ring buffer ([`kernel`]) or from the portable engine over a
//! capture file ([`capture`]); both give the same bytes. [`pipeline`] turns them into flows and
//! sessions ([`protocol`]) and hosts ([`inventory`]), and these into [`event`]s. [`daemon`] drives it
//! all and answers the [`cli`] through [`control`].

pub mod alert;
pub mod analysis;
pub mod audit;
pub mod baseline;
pub mod capture;
pub mod cli;
mod clock;
pub mod config;
pub mod control;
pub mod daemon;
pub mod detect;
pub mod event;
pub mod exposure;
mod files;
mod hash;
mod hex;
pub mod inventory;
pub mod kernel;
mod lock;
pub mod metrics;
pub mod model;
pub mod output;
pub mod pipeline;
pub mod protocol;
pub mod pseudonym;
pub mod report;
pub mod response;
mod rights;
pub mod store;
mod words;
